// Names and contents like those of a dataset.

/** Gives names in folders of 1,000 files. */
export function manyPaths(count) {
  return Array.from({ length: count }, (_, n) => `part-${Math.floor(n / 1000)}/sample-${n}.parquet`);
}

/** Gives 1 to 4 KiB, other ones for each number. */
export function contentOf(n) {
  return `${n} ${'gypsum '.repeat(600)}`.slice(0, 1024 + ((n * 2_654_435_761) % 3073));
}
