/** What is wrong with an object. */
export type Fault =
  /** A file or document is not there. */
  | 'missing'
  /** A file has not the size or the digest that the manifest says. */
  | 'wrong-content'
  /** A manifest that no version can have. */
  | 'invalid-manifest'
  /** Another document that is no JSON, or not of its form. */
  | 'invalid-document'
  /** A link to a file that is not there, or is not the same. */
  | 'dangling-link'
  /** `..links`, `..latest` or `..usage` does not say what follows from the versions. */
  | 'stale-document'
  /** An object that stands where none belongs, or of which the manifest knows nothing. */
  | 'foreign';

export interface Problem {
  readonly key: string;
  readonly fault: Fault;
  readonly message: string;
}

/** Hears of a problem. */
export type Note = (key: string, fault: Fault, message: string) => void;
