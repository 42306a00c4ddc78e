import type { Fingerprint } from '../model/fingerprint.ts';

/** The files that steps made, as they looked then, by the place of the step among all. */
export interface MadeFiles {
  at(step: number): Fingerprint | undefined;
}

const WIDTH = 5;

/** Notes what the files of up to `length` steps look like, in rows of numbers: of a million, 40 MB where objects take 200. */
export function createMadeFiles(length: number): MadeFiles & { note(step: number, print: Fingerprint): void } {
  let rows = new Float64Array();
  return {
    note(step, print) {
      if (rows.length === 0) rows = new Float64Array(length * WIDTH).fill(Number.NaN);
      rows.set(print, step * WIDTH);
    },
    at(step) {
      const [dev, ino, size, mtime, ctime] = rows.subarray(step * WIDTH, (step + 1) * WIDTH);
      if (ctime === undefined || Number.isNaN(ctime)) return undefined;
      return [dev, ino, size, mtime, ctime] as Fingerprint;
    },
  };
}
