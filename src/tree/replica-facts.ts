import { chmodSync, closeSync, constants, fchmodSync, fstatSync, lutimesSync, openSync } from 'node:fs';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { fileTime } from './file-time.ts';

/** Gives an entry its mode and time, of a symlink its own: whatever somebody puts there meanwhile, none is followed. */
export function setReplicaFacts(
  place: string,
  type: 'file' | 'symlink' | 'directory',
  { mode, mtime }: { readonly mode?: number | undefined; readonly mtime?: number },
): void {
  if (mode !== undefined && type !== 'symlink' && process.platform !== 'win32') setMode(place, type, mode);
  if (mtime === undefined) return;
  const time = replicaTime(mtime);
  lutimesSync(fsPath(place), time, time);
}

/** Gives the time that `utimes` takes for one in microseconds. */
export function replicaTime(mtime: number): number | Date {
  return fileTime(BigInt(mtime) * 1000n);
}

/**
 * Opens an entry whose mode forbids to read it, too.
 *
 * Source: Linux, open(2), O_PATH; Node does not name it
 */
const HANDLE = process.platform === 'linux' ? 0o10000000 : constants.O_RDONLY;

function setMode(place: string, type: 'file' | 'directory', mode: number): void {
  const fd = openSync(fsPath(place), HANDLE | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    const isThere = type === 'directory' ? stats.isDirectory() : stats.isFile();
    if (!isThere) throw new GypsumError('file-changed', 'It is something else by now.', { details: { place } });
    // Who belongs to which group is not what a replica says, nor that new entries of a folder belong to its group.
    const all = type === 'directory' ? mode | (stats.mode & 0o2000) : mode;
    if (HANDLE === constants.O_RDONLY) fchmodSync(fd, all);
    else chmodSync(`/proc/self/fd/${fd}`, all);
  } finally {
    closeSync(fd);
  }
}
