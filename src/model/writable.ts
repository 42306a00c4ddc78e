/** An object while it is filled field by field: those that are spread take ten times as long. */
export type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
