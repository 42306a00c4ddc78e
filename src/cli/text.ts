import prettyBytes from 'pretty-bytes';

/** Gives a number with its noun: `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** Gives files and their bytes: `2 files, 24 B`. */
export function filesAndBytes({ files, bytes }: { readonly files: number; readonly bytes: number }): string {
  return `${count(files, 'file')}, ${prettyBytes(bytes)}`;
}
