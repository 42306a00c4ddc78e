/** How many files, and how large they are together. */
export interface Count {
  readonly files: number;
  /** Units: bytes */
  readonly bytes: number;
}

/** Counts files and their bytes, each for itself. */
export function countFiles(files: Iterable<{ readonly size: number }>): Count {
  let number = 0;
  let bytes = 0;
  for (const { size } of files) {
    number++;
    bytes += size;
  }
  return { files: number, bytes };
}
