import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import type { Pace } from '../give-way.ts';
import type { CloneMode } from '../model/clone-mode.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { isOwnerAlive, ownedName } from '../owned-name.ts';
import type { Expected } from '../verify-stream.ts';
import { reach } from './places.ts';
import { readVerified } from './read-verified.ts';

/**
 * The ways to put a file of the cache into a folder. None replaces anything, and none leaves half a file at its path, unless that is
 * short-lived itself: what a killed process leaves has a name that no version may hold, so that it is not published unseen.
 */
export interface PutFile {
  /** Windows wants to know whether it leads to a folder. */
  symlink(source: string, path: string, toFolder?: boolean): void;
  hardlink(source: string, path: string): void;
  /** Shares the bytes until one of the two is written to. */
  reflink(source: string, path: string): void;
  /** Throws `wrong-content` if the source does not hold what is expected. */
  copy(source: string, path: string, expected: Expected, pace: Pace): Promise<void>;
}

/** What each is refused with where a file system or a user's rights do not have it. */
const REFUSALS: Readonly<Record<CloneMode, readonly string[]>> = {
  symlink: ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'UNKNOWN'],
  // EPERM also: another user's file under protected_hardlinks. EMLINK: it has as many as its file system allows.
  hardlink: ['EPERM', 'EXDEV', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'UNKNOWN'],
  reflink: ['EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOTTY', 'EINVAL', 'UNKNOWN'],
  copy: [],
};

/** Whether a failure means that files cannot be put so here, and another way may work. */
export function isRefusal(mode: CloneMode, error: unknown): error is NodeJS.ErrnoException {
  return isSystemError(error, ...REFUSALS[mode]);
}

/** Says of such a failure what was refused, and what works instead. */
export function refusal(mode: CloneMode, source: string, path: string, error: NodeJS.ErrnoException): GypsumError {
  return new GypsumError('destination-refused', `${showText(path)} cannot be made: ${why(mode, error.code)}.`, {
    hint: 'Take the mode "auto", which finds what works there, or "copy", which works anywhere.',
    details: { mode, source, path },
    cause: error,
  });
}

function why(mode: CloneMode, code: string | undefined): string {
  if (mode === 'symlink') return `symlinks are refused there (${code}), by the file system or for want of the right`;
  if (mode === 'reflink') return `bytes of the cache cannot be shared with files there (${code})`;
  if (code === 'EXDEV') return 'hard links cannot lead from the file system of the cache to another one';
  if (code === 'EMLINK') return 'the cached file has as many hard links as its file system allows';
  return `hard links are refused there (${code}), by the file system or since the cached file is another user’s`;
}

export const putFile: PutFile = {
  symlink: (source, path, toFolder = false) => symlinkSync(fsPath(source), fsPath(path), toFolder ? 'dir' : 'file'),
  hardlink: (source, path) => linkSync(fsPath(source), fsPath(path)),
  reflink(source, path) {
    if (isShortLived(basename(path))) return shareBytes(source, path);
    const fresh = freshName(dirname(path));
    try {
      shareBytes(source, fresh);
      moveToFree(fresh, path);
    } finally {
      removeIfThere(fresh);
    }
  },
  async copy(source, path, expected, pace) {
    // Another name and its end took a fifth of the time that a small file takes.
    if (isShortLived(basename(path))) return copyVerified(source, path, expected, pace);
    const fresh = freshName(dirname(path));
    try {
      await copyVerified(source, fresh, expected, pace);
      moveToFree(fresh, path);
    } finally {
      removeIfThere(fresh);
    }
  },
};

/** Gives a path for something short-lived in a folder: no version may hold a name that begins so. */
export function freshName(folder: string): string {
  return join(folder, shortLivedName());
}

/** Gives the name alone. */
export function shortLivedName(): string {
  return SHORT_LIVED + ownedName();
}

/** Whether a path is of something short-lived, which a killed process may have left. */
export function isShortLived(path: string): boolean {
  return nameOf(path).startsWith(SHORT_LIVED);
}

/** Whether a path is of something short-lived that a killed process has left: nobody needs it. */
export function isLeftover(path: string): boolean {
  return isShortLived(path) && isOwnerAlive(nameOf(path).slice(SHORT_LIVED.length)) === false;
}

/** Gives the short-lived name of a file that is copied piece by piece: who copies the same again goes on with it. */
export function partialName(what: string): string {
  return `${SHORT_LIVED}part-${createHash('sha256').update(what).digest('hex').slice(0, 32)}`;
}

/** Whether a path is of something that is short-lived and ours, whoever has made it: no tree has it. */
export function isOurs(path: string): boolean {
  return isShortLived(path) && OURS.test(nameOf(path).slice(SHORT_LIVED.length));
}

/** What a short-lived name ends with if it is made to find out what the file system takes for the same: it has a capital letter and one that has two forms. */
export const PROBE = '.A\u00e9';

/** Source: `ownedName`, `PROBE` as file systems give it back, and `partialName` */
const OURS = /^(?:[1-9]\d{0,9}\.\d*\.[\da-f]{8}\.[\da-f-]{36}(?:\.A(?:\u00e9|e\u0301))?|part-[\da-f]{32})$/;

/** Whether a path is of a file that was copied piece by piece. */
export function isPartial(path: string): boolean {
  return isOurs(path) && nameOf(path).startsWith(`${SHORT_LIVED}part-`);
}

/** Whether a path is of something that `isOurs`, and nobody works at it as far as anybody can tell. */
export function isAbandoned(path: string): boolean {
  return isOurs(path) && isOwnerAlive(nameOf(path).slice(SHORT_LIVED.length)) !== true;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

const SHORT_LIVED = '..gypsum-';

const WRITABLE = 0o644;

function shareBytes(source: string, fresh: string): void {
  const flags = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE;
  reach(source, (from) => copyFileSync(fsPath(from), fsPath(fresh), flags));
  chmodSync(fsPath(fresh), WRITABLE);
}

async function copyVerified(source: string, fresh: string, expected: Expected, pace: Pace): Promise<void> {
  const to = openSync(fsPath(fresh), 'wx', WRITABLE);
  try {
    await readVerified(source, expected, pace, (bytes) => {
      for (let at = 0; at < bytes.length; ) at += writeSync(to, bytes, at);
    });
  } finally {
    closeSync(to);
  }
}

/** Gives a file another name, unless there is something of that name. */
export function moveToFree(from: string, to: string): void {
  try {
    // A rename would replace what is there.
    linkSync(fsPath(from), fsPath(to));
  } catch (error) {
    if (!isRefusal('hardlink', error) || lstatSync(fsPath(to), { throwIfNoEntry: false }) !== undefined) throw error;
    renameSync(fsPath(from), fsPath(to));
  }
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(fsPath(path));
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}
