import type { Fingerprint } from '../model/fingerprint.ts';

/** `same`: not touched since it was verified. `unsure`: only its inode was changed, by a link or a mode. */
export type Known = 'same' | 'unsure' | 'unknown';

/** Fingerprints by the digest of what their files hold. */
export interface PrintTable {
  /** Says what is known of a file with these stats that should hold the content of a digest. */
  check(hex: string, print: Fingerprint): Known;
}

/** A row: the digest as three numbers, and the fingerprint. */
const WIDTH = 8;

const DIGEST = /^[0-9a-f]{32}$/;

/**
 * Makes a table of fingerprints. They are kept as rows of numbers, sorted by digest: those of a million files take 64 MB,
 * and 300 as objects. What is no digest is left out.
 */
export function createPrintTable(prints: ReadonlyMap<string, readonly Fingerprint[]>): PrintTable {
  const digests = [...prints.keys()].filter((hex) => DIGEST.test(hex)).sort();
  const rows = new Float64Array(digests.reduce((sum, hex) => sum + (prints.get(hex)?.length ?? 0), 0) * WIDTH);
  let end = 0;
  for (const hex of digests) {
    for (const print of prints.get(hex) ?? []) {
      rows.set([...numbersOf(hex), ...print], end);
      end += WIDTH;
    }
  }

  const firstFrom = (head: number): number => {
    let [low, high] = [0, end / WIDTH];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((rows[middle * WIDTH] ?? 0) < head) low = middle + 1;
      else high = middle;
    }
    return low * WIDTH;
  };

  return {
    check(hex, [dev, ino, size, mtime, ctime]) {
      const [head, middle, tail] = numbersOf(hex);
      let known: Known = 'unknown';
      for (let at = firstFrom(head); at < end && rows[at] === head; at += WIDTH) {
        const isIt = rows[at + 1] === middle && rows[at + 2] === tail && rows[at + 3] === dev && rows[at + 4] === ino;
        if (!isIt || rows[at + 5] !== size || rows[at + 6] !== mtime) continue;
        if (rows[at + 7] === ctime) return 'same';
        known = 'unsure';
      }
      return known;
    },
  };
}

/** Gives a digest as numbers that a double holds, in whose order digests are. */
function numbersOf(hex: string): [head: number, middle: number, tail: number] {
  return [
    Number.parseInt(hex.slice(0, 13), 16),
    Number.parseInt(hex.slice(13, 26), 16),
    Number.parseInt(hex.slice(26), 16),
  ];
}
