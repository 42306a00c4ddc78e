import { closeSync, openSync, readSync } from 'node:fs';
import type { Pace } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';
import { reach } from './places.ts';

/** Units: bytes. Read at once of each file, so that large ones can be interrupted. */
const CHUNK = 256 * 1024;

/** Whether two files hold the same bytes; they are read side by side, as far as they are equal. */
export async function sameBytes(one: string, other: string, pace: Pace): Promise<boolean> {
  const a = openToRead(one);
  try {
    const b = openToRead(other);
    try {
      return await readAlike(a, b, pace);
    } finally {
      closeSync(b);
    }
  } finally {
    closeSync(a);
  }
}

function openToRead(path: string): number {
  return reach(path, (place) => openSync(fsPath(place), 'r'));
}

async function readAlike(a: number, b: number, pace: Pace): Promise<boolean> {
  const left = Buffer.allocUnsafe(CHUNK);
  const right = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const length = readFull(a, left);
    if (length !== readFull(b, right)) return false;
    if (left.compare(right, 0, length, 0, length) !== 0) return false;
    if (length < CHUNK) return true;
    if (pace.due()) await pace.rest();
  }
}

/** Fills a buffer, unless the file ends before. */
function readFull(file: number, buffer: Buffer): number {
  let filled = 0;
  for (let length = -1; length !== 0 && filled < buffer.length; filled += length) {
    length = readSync(file, buffer, filled, buffer.length - filled, null);
  }
  return filled;
}
