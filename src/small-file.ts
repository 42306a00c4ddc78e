import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, type Stats, writeFileSync } from 'node:fs';

/** Units: bytes. Settings, logins and jobs are a few hundred. */
const MAX_SIZE = 64 * 1024;

/** Why a file is not one of ours, as the end of a sentence that begins with "it". */
export class NotOurs extends Error {}

/**
 * Gives the text of a small file of the user's own. Throws `NotOurs` for what is no file, or a large one, and what the system and
 * `check` throw, which is given what the system says of it.
 */
export function readSmallFile(path: string, check: (stats: Stats) => void): string {
  // A pipe without a writer would be waited for.
  const handle = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(handle);
    if (!stats.isFile()) throw new NotOurs('is not a file');
    if (stats.size > MAX_SIZE) throw new NotOurs(`has ${stats.size} bytes, more than ${MAX_SIZE}`);
    check(stats);
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}

/** Writes a file that is not there yet, for its owner's eyes, and has it on the disk. */
export function writeNewFile(path: string, text: string): void {
  const handle = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
