import type { Fingerprint } from '../model/fingerprint.ts';

/** `same`: not touched since it was verified. `unsure`: only its inode was changed, by a link or a mode. */
export type Known = 'same' | 'unsure' | 'unknown';

/** Fingerprints by the digest of what their files hold. */
export type Prints = ReadonlyMap<string, readonly Fingerprint[]>;

/** A table of fingerprints, which is kept in a file as it is in memory. */
export interface PrintTable {
  /** Says what is known of a file with these stats that should hold the content of a digest. */
  check(hex: string, print: Fingerprint): Known;
  /** Gives what it was made of. */
  prints(): Prints;
  /** What `readPrintTable` takes. */
  readonly bytes: Uint8Array;
}

/** A row: the digest as three numbers, and the fingerprint. */
const WIDTH = 8;

/** The digits of each of these numbers: a double holds 13. */
const DIGITS = [13, 13, 6] as const;

const DIGEST = /^[0-9a-f]{32}$/;

/** Makes a table of fingerprints. What is no digest is left out. */
export function createPrintTable(prints: Prints): PrintTable {
  const digests = [...prints.keys()].filter((hex) => DIGEST.test(hex)).sort();
  const rows = new Float64Array(digests.reduce((sum, hex) => sum + (prints.get(hex)?.length ?? 0), 0) * WIDTH);
  let end = 0;
  for (const hex of digests) {
    for (const print of prints.get(hex) ?? []) {
      rows.set([headOf(hex), middleOf(hex), tailOf(hex), ...print], end);
      end += WIDTH;
    }
  }
  return tableOf(rows);
}

/**
 * Reads a table; nothing if it is none.
 *
 * Shape:  rows of eight doubles, in the byte order of the machine, sorted by digest
 */
export function readPrintTable(bytes: Uint8Array): PrintTable | undefined {
  if (bytes.length % (WIDTH * Float64Array.BYTES_PER_ELEMENT) !== 0) return undefined;
  const rows = new Float64Array(bytes.length / Float64Array.BYTES_PER_ELEMENT);
  new Uint8Array(rows.buffer).set(bytes);
  return isSorted(rows) ? tableOf(rows) : undefined;
}

/**
 * They are kept as rows of numbers: those of a million files take 64 MB, and 300 as objects. To parse those of 100,000 from JSON took
 * 700 ms.
 */
function tableOf(rows: Float64Array): PrintTable {
  const firstFrom = (head: number): number => {
    let [low, high] = [0, rows.length / WIDTH];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((rows[middle * WIDTH] ?? 0) < head) low = middle + 1;
      else high = middle;
    }
    return low * WIDTH;
  };

  return {
    check(hex, [dev, ino, size, mtime, ctime]) {
      const head = headOf(hex);
      let known: Known = 'unknown';
      for (let at = firstFrom(head); rows[at] === head; at += WIDTH) {
        const isIt = rows[at + 3] === dev && rows[at + 4] === ino;
        if (!isIt || rows[at + 5] !== size || rows[at + 6] !== mtime) continue;
        if (rows[at + 1] !== middleOf(hex) || rows[at + 2] !== tailOf(hex)) continue;
        if (rows[at + 7] === ctime) return 'same';
        known = 'unsure';
      }
      return known;
    },

    prints() {
      const prints = new Map<string, Fingerprint[]>();
      for (let at = 0; at < rows.length; at += WIDTH) {
        const [head = 0, middle = 0, tail = 0, dev = 0, ino = 0, size = 0, mtime = 0, ctime = 0] = rows.subarray(at);
        const hex = [head, middle, tail].map((part, n) => part.toString(16).padStart(DIGITS[n] ?? 0, '0')).join('');
        const print = [dev, ino, size, mtime, ctime] as const;
        const others = prints.get(hex);
        if (others === undefined) prints.set(hex, [print]);
        else others.push(print);
      }
      return prints;
    },

    bytes: new Uint8Array(rows.buffer),
  };
}

/** Whether rows are of digests, in their order; no others are found, and none of what is damaged is known. */
function isSorted(rows: Float64Array): boolean {
  let last = 0;
  for (let at = 0; at < rows.length; at += WIDTH) {
    const head = rows[at] ?? 0;
    if (head < last || !isPart(head, 13) || !isPart(rows[at + 1] ?? 0, 13) || !isPart(rows[at + 2] ?? 0, 6))
      return false;
    last = head;
  }
  return true;
}

function isPart(part: number, digits: 6 | 13): boolean {
  return Number.isInteger(part) && part >= 0 && part < (digits === 13 ? 2 ** 52 : 2 ** 24);
}

/** The parts of a digest as numbers, in whose order digests are. */
function headOf(hex: string): number {
  return Number.parseInt(hex.slice(0, 13), 16);
}

function middleOf(hex: string): number {
  return Number.parseInt(hex.slice(13, 26), 16);
}

function tailOf(hex: string): number {
  return Number.parseInt(hex.slice(26), 16);
}
