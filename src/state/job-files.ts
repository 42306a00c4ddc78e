import { constants, copyFileSync, linkSync, renameSync, rmSync, type Stats } from 'node:fs';
import { isSystemError } from '../errors.ts';
import { ownedName } from '../owned-name.ts';
import { NotOurs, readSmallFile, writeNewFile } from '../small-file.ts';

/** Gives the text of a file; nothing if it is not there. Throws `NotOurs` for anything else. */
export function readJobFile(path: string): string | undefined {
  try {
    return readSmallFile(path, checkOwn);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    if (isSystemError(error, 'EACCES', 'EPERM', 'EISDIR', 'ENXIO', 'EIO', 'ELOOP')) {
      throw new NotOurs(`cannot be read (${error.code})`, { cause: error });
    }
    throw error;
  }
}

/** What others can write is no command line to run. */
function checkOwn({ mode }: Stats): void {
  if (process.platform !== 'win32' && (mode & 0o022) !== 0) throw new NotOurs('can be written by others');
}

/** Writes a file in place of the one before, as a whole or not at all. */
export function replaceJobFile(path: string, text: string): void {
  withFresh(path, text, (fresh) => renameSync(fresh, path));
}

/** Writes a file as a whole unless one is there; says whether it did. */
export function createJobFile(path: string, text: string): boolean {
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
    writeNewFile(fresh, text);
    return put(fresh);
  } finally {
    rmSync(fresh, { force: true });
  }
}
