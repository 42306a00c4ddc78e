import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { GypsumError, isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { fileOf, stampOf } from './replica-stats.ts';
import type { File, Look } from './repository.ts';

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
    chunks: (from = 0) => readAtOnce(fd, size, from) ?? readPieces(fd, size, from),
    place: process.platform === 'linux' ? `/proc/self/fd/${fd}` : place,
    close: () => closeSync(fd),
  };
}

/** Gives what a small file has from a byte on, unless it has another size by now. */
function readAtOnce(fd: number, size: number, from: number): Uint8Array[] | undefined {
  if (size >= SMALL || from >= size) return undefined;
  // There is room for more than it had.
  const chunk = Buffer.allocUnsafe(size - from + 1);
  const length = readSync(fd, chunk, 0, chunk.length, from);
  return from + length === size ? [chunk.subarray(0, length)] : undefined;
}

async function* readPieces(fd: number, size: number, from: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(size - from, 0) + 1));
  for (let at = from; ; ) {
    const { bytesRead } = await readLater(fd, chunk, 0, chunk.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
    if (at === size && bytesRead < chunk.length) return;
  }
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

function lookAt(fd: number, path: string): Look | undefined {
  const stats = fstatSync(fd, { bigint: true });
  return stats.isFile() ? { entry: fileOf(path, stats), stamp: stampOf(stats) } : undefined;
}

function noFile(path: string, cause: unknown): GypsumError {
  return new GypsumError('file-changed', `${showText(path)} is no file any more.`, { details: { path }, cause });
}
