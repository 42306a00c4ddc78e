import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { GypsumError, isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { replicaEntry, stampOf } from './replica-stats.ts';
import type { File } from './repository.ts';

/** Units: bytes. Read at once. */
const CHUNK = 1024 * 1024;

/** Units: bytes. Others are read while something is done with what was read before; of smaller ones, waiting takes longer than reading. */
const SMALL = 256 * 1024;

const readLater = promisify(read);

/**
 * Opens a local file; throws `file-changed` if something else stands there, which is not waited for. A symlink is followed
 * only if that is asked for.
 */
export function openFile(place: string, path: string, { follow = false } = {}): File {
  const fd = openToRead(place, path, follow);
  const opened = lookAt(fd, path);
  if (opened === undefined) {
    closeSync(fd);
    throw noFile(path, undefined);
  }
  const { size } = opened.entry;
  return {
    opened,
    look: () => lookAt(fd, path) ?? opened,
    async *chunks(from = 0) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(size - from, 0) + 1));
      const fill = async (at: number) => (await readLater(fd, chunk, 0, chunk.length, at)).bytesRead;
      for (let at = from; ; ) {
        const length = size < SMALL ? readSync(fd, chunk, 0, chunk.length, at) : await fill(at);
        if (length === 0) return;
        at += length;
        yield chunk.subarray(0, length);
        // There was room for more than it had.
        if (at === size && length < chunk.length) return;
      }
    },
    place: process.platform === 'linux' ? `/proc/self/fd/${fd}` : place,
    close: () => closeSync(fd),
  };
}

function openToRead(place: string, path: string, follow: boolean): number {
  const flags = constants.O_RDONLY | (follow ? 0 : constants.O_NOFOLLOW) | constants.O_NONBLOCK;
  let fd: number;
  try {
    fd = openSync(fsPath(place), flags);
  } catch (error) {
    if (isSystemError(error, 'ELOOP', 'EISDIR', 'ENXIO')) throw noFile(path, error);
    throw error;
  }
  return fd;
}

function lookAt(fd: number, path: string): File['opened'] | undefined {
  const stats = fstatSync(fd, { bigint: true });
  const entry = replicaEntry(path, stats);
  return entry?.type === 'file' ? { entry, stamp: stampOf(stats) } : undefined;
}

function noFile(path: string, cause: unknown): GypsumError {
  return new GypsumError('file-changed', `${showText(path)} is no file any more.`, { details: { path }, cause });
}
