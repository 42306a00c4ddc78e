import prettyBytes from 'pretty-bytes';

/** Gives a number with its noun: `1 file`, `2 files`, `2 copies`. */
export function count(number: number, noun: string): string {
  return `${grouped(number)} ${number === 1 ? noun : `${noun.replace(/([^aeiou])y$/, '$1ie')}s`}`;
}

/** Gives a whole number with its digits in groups: `1,234,567`. That V8 does it takes 30 ms for the first one. */
function grouped(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Gives a day: `2030-01-31`. */
export function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Gives files and their bytes: `2 files, 24 B`. */
export function filesAndBytes({ files, bytes }: { readonly files: number; readonly bytes: number }): string {
  return `${count(files, 'file')}, ${prettyBytes(bytes)}`;
}
