import { randomBytes } from 'node:crypto';
import { realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { GypsumError, isSystemError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { showText } from '../model/text.ts';
import { NotOurs, readSmallFile, writeNewFile } from '../small-file.ts';

/** A small file of the user's own, as it stands in messages: `what` is the beginning of a sentence. */
export interface UserFile {
  readonly path: string;
  readonly what: string;
  /** Nobody but its owner may read it: where others can, it is refused. */
  readonly secret: boolean;
}

const ELSEWHERE = 'Mend or remove it, or give another folder in GYPSUM_CONFIG_DIR.';

/** Gives a file's text; nothing if it is not there. Throws `invalid-argument` for all that is no such file. */
export function readUserFile(file: UserFile): string | undefined {
  try {
    return readSmallFile(file.path, (stats) => {
      if (file.secret) checkPrivate(file, stats.mode);
    });
  } catch (error) {
    // A file stands where a folder should be: what is below it is not there.
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (error instanceof NotOurs) throw unusable(file, error.message);
    throw asUnusable(file, error, 'cannot be read');
  }
}

/** Writes a file as a whole or not at all, for its owner's eyes; its folder is made if need be. */
export function writeUserFile(file: UserFile, text: string): void {
  let fresh: string | undefined;
  try {
    makeFolder(dirname(file.path), 0o700);
    const target = followLink(file.path);
    fresh = `${target}.${randomBytes(6).toString('hex')}`;
    writeNewFile(fresh, text);
    renameSync(fresh, target);
  } catch (error) {
    if (fresh !== undefined) rmSync(fresh, { force: true });
    throw asUnusable(file, error, 'cannot be written');
  }
}

/** The error for a file that is not what it must be; `why` is the end of a sentence. */
export function unusable({ path, what }: UserFile, why: string, hint = ELSEWHERE): GypsumError {
  return new GypsumError('invalid-argument', `${what} ${showText(path)} ${why}.`, { hint, details: { path } });
}

/** Whoever keeps such files among others of their own and links to them keeps the link. */
function followLink(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return path;
    throw error;
  }
}

function checkPrivate(file: UserFile, mode: number): void {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw unusable(
    file,
    'can be read by others',
    `Make it yours alone with "chmod 600 ${showText(file.path)}"; if somebody may have read it, take back its tokens. Where that cannot be, remove it and set GYPSUM_TOKEN.`,
  );
}

function asUnusable(file: UserFile, error: unknown, what: string): unknown {
  // No permission and no space mean the same here as anywhere else.
  if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT')) return error;
  if (!(error instanceof Error && 'errno' in error && typeof error.errno === 'number')) return error;
  const [code, reason] = getSystemErrorMap().get(error.errno) ?? ['unknown', error.message];
  return unusable(file, `${what}: ${reason} (${code})`);
}
