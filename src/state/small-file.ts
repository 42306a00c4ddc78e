import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isSystemError } from '../errors.ts';
import { ownedName } from '../owned-name.ts';

/** Units: bytes. What is kept of a job is a few hundred. */
const MAX_SIZE = 64 * 1024;

/** Why a file is not one of ours, as the end of a sentence that begins with "it". */
export class NotOurs extends Error {}

/** Gives the text of a small file of the user's own; nothing if it is not there. Throws `NotOurs` for anything else. */
export function readSmallFile(path: string): string | undefined {
  let handle: number | undefined;
  try {
    // A pipe without a writer would be waited for.
    handle = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = fstatSync(handle);
    if (!stats.isFile()) throw new NotOurs('is not a file');
    if (stats.size > MAX_SIZE) throw new NotOurs(`has ${stats.size} bytes, more than ${MAX_SIZE}`);
    if (process.platform !== 'win32' && (stats.mode & 0o022) !== 0) throw new NotOurs('can be written by others');
    return readFileSync(handle, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    if (isSystemError(error, 'EACCES', 'EPERM', 'EISDIR', 'ENXIO', 'EIO', 'ELOOP')) {
      throw new NotOurs(`cannot be read (${error.code})`, { cause: error });
    }
    throw error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Writes a small file in place of the one before, as a whole or not at all. */
export function replaceSmallFile(path: string, text: string): void {
  withFresh(path, text, (fresh) => renameSync(fresh, path));
}

/** Writes a small file as a whole unless one is there; says whether it did. */
export function createSmallFile(path: string, text: string): boolean {
  return withFresh(path, text, (fresh) => {
    try {
      linkSync(fresh, path);
      return true;
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) return false;
      if (!isSystemError(error, ...LINK_REFUSED)) throw error;
    }
    try {
      copyFileSync(fresh, path, constants.COPYFILE_EXCL);
      return true;
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) return false;
      throw error;
    }
  });
}

/** File systems without hard links. */
const LINK_REFUSED = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** The name of what is being written beside a file, until it is there. */
const FRESH = /\.json\.new\.(.+)$/;

/** Gives whose name is that of a file which was being written; nothing for another one. */
export function ownerOfFresh(name: string): string | undefined {
  return FRESH.exec(name)?.[1];
}

function withFresh<T>(path: string, text: string, put: (fresh: string) => T): T {
  const fresh = `${path}.new.${ownedName()}`;
  try {
    const handle = openSync(fresh, 'wx', 0o600);
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    return put(fresh);
  } finally {
    rmSync(fresh, { force: true });
  }
}
