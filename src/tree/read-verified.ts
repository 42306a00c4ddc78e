import { closeSync, openSync, readSync } from 'node:fs';
import { isGypsumError } from '../errors.ts';
import type { Pace } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';
import { createVerifier, type Expected } from '../verify-stream.ts';
import { reach } from './places.ts';

/** Units: bytes. Read at once, so that a large file can be interrupted. */
const CHUNK = 1024 * 1024;

/** Reads a file, or throws `wrong-content` if it does not hold what is expected. */
export async function readVerified(
  source: string,
  expected: Expected,
  pace: Pace,
  onBytes?: (bytes: Uint8Array) => void,
): Promise<void> {
  const verifier = createVerifier(expected, source);
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK, expected.size + 1));
  const from = reach(source, (place) => openSync(fsPath(place), 'r'));
  try {
    for (let length = readSync(from, chunk); length > 0; length = readSync(from, chunk)) {
      const bytes = chunk.subarray(0, length);
      verifier.update(bytes);
      onBytes?.(bytes);
      if (pace.due()) await pace.rest();
    }
    verifier.end();
  } finally {
    closeSync(from);
  }
}

/** Says whether a file holds what is expected. */
export async function holdsExpected(path: string, expected: Expected, pace: Pace): Promise<boolean> {
  try {
    await readVerified(path, expected, pace);
    return true;
  } catch (error) {
    if (isGypsumError(error, 'wrong-content')) return false;
    throw error;
  }
}
