import { closeSync, constants, openSync, readSync } from 'node:fs';
import { fsPath } from '../model/local-path.ts';
import { reach } from './places.ts';

/** Files of fewer bytes are read at once: a stream for each takes many times as long as reading it. Units: bytes */
export const SMALL = 64 * 1024;

/**
 * Gives what a small file holds that an absolute path leads to, through symlinks too: of one that has grown beyond `size`, a byte more
 * than that. Throws what the system throws; a pipe is not waited for.
 *
 * Units: bytes
 */
export function readSmall(path: string, size: number): Buffer {
  const content = Buffer.allocUnsafe(size + 1);
  const file = reach(path, (place) => openSync(fsPath(place), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
  try {
    let length = 0;
    let more = 0;
    do {
      more = readSync(file, content, length, content.length - length, null);
      length += more;
    } while (more > 0 && length < size);
    return content.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
