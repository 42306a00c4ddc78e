import { chmodSync, lstatSync, mkdirSync, renameSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type GypsumError, isGypsumError, isSystemError } from '../errors.ts';
import type { Pace } from '../give-way.ts';
import { type Fingerprint, fingerprintOf, inodeId, sameButCtime, sameFingerprint } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { isRefusal, type PutFile, refusal, removeIfThere, shortLivedName } from './put-file.ts';
import { holdsExpected } from './read-verified.ts';
import { readLink } from './scan.ts';
import { statThrough } from './stat-through.ts';
import { type After, type Before, type FileOf, isOwnSymlink, type Step, type SymlinkTo } from './step.ts';
import { syncFile } from './sync-file.ts';

/** How steps are carried out. */
export interface Means {
  readonly put: PutFile;
  readonly pace: Pace;
  /** Copy a file where the way that was planned is refused. */
  readonly orCopy: boolean;
  /** Have a file's bytes on the disk before it takes its place. */
  readonly durable?: boolean;
  /** What files that were made ahead, and are on the disk, are called beside their places. */
  readonly ahead?: Map<Step, string>;
  /** Keeps what stands at a place, in another one, before it goes. */
  readonly keep?: (place: string, path: string) => void;
  /** Files to which a name was given, or of which one was taken: that has changed their ctime. */
  readonly touched: Set<string>;
  /** Whether bytes could not be shared: to try it for each of 10,000 files took a quarter of the processor time. */
  isReflinkRefused?: boolean;
}

/**
 * How a step went. `there`: it had been carried out already. `stale`: what stands there is neither what was seen nor
 * what is to be there; it was left alone.
 */
export type Outcome = 'done' | 'there' | 'stale';

/** Carries out one step at a place, at once: whoever looks finds there what was before, or what is to be. */
export async function applyStep(place: string, step: Step, means: Means): Promise<Outcome> {
  const { path, before, after } = step;
  const keep = step.keep === true ? () => keepWith(means, place, path) : () => {};
  if (before === undefined) {
    if (after === undefined) throw new Error(`nothing is to be done at ${path}`);
    return makeUnlessThere(place, after, means);
  }
  if (!holds(place, before, means)) return (await isThere(place, after, means)) ? 'there' : 'stale';
  if (after === undefined) return remove(place, before, keep, means);
  if (before.type === 'directory' || after.type === 'directory') throw new Error(`a folder is to change at ${path}`);
  const made = means.ahead?.get(step);
  means.ahead?.delete(step);
  return replace(place, { before, after, made }, keep, means);
}

/** Makes something where nothing is. */
export async function makeAt(place: string, after: After, means: Means): Promise<void> {
  if (after.type === 'directory') mkdirSync(fsPath(place));
  else if (after.type === 'symlink') makeSymlink(place, after, means.put);
  else await makeFile(place, after, means);
}

/** Whether what stands at a place is what was seen there. */
export function holds(place: string, before: Before, means: Means): boolean {
  const stats = statAt(place);
  if (stats === undefined) return false;
  if (before.type === 'directory') return stats.isDirectory();
  if (before.type === 'symlink') return stats.isSymbolicLink() && readLink(place) === before.target;
  const { seen, shared = false } = before;
  return stats.isFile() && (shared ? sameButCtime(fingerprintOf(stats), seen) : isAsSeen(stats, seen, means));
}

function isAsSeen(stats: Stats, seen: Fingerprint, { touched }: Means): boolean {
  const same = touched.has(inodeId(stats)) ? sameButCtime : sameFingerprint;
  return same(fingerprintOf(stats), seen);
}

function noteTouched(before: Before, { touched }: Means): void {
  if (before.type === 'file') touched.add(inodeId({ dev: before.seen[0], ino: before.seen[1] }));
}

async function makeUnlessThere(place: string, after: After, means: Means): Promise<Outcome> {
  try {
    await makeAt(place, after, means);
    return 'done';
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    return (await isThere(place, after, means)) ? 'there' : 'stale';
  }
}

/** Whether what is to be at a place is there already. */
export async function isThere(place: string, after: After | undefined, { pace }: Means): Promise<boolean> {
  const stats = statAt(place);
  if (after === undefined || stats === undefined) return after === undefined && stats === undefined;
  if (after.type === 'directory') return stats.isDirectory();
  if (after.type === 'symlink') return stats.isSymbolicLink() && readLink(place) === after.target;
  return stats.isFile() && stats.size === after.size && (await holdsExpected(place, after, pace));
}

function remove(place: string, before: Before, keep: () => void, means: Means): Outcome {
  try {
    if (before.type === 'directory') rmdirSync(fsPath(place));
    else {
      noteTouched(before, means);
      keep();
      unlinkSync(fsPath(place));
    }
    return 'done';
  } catch (error) {
    // Somebody has put something into the folder.
    if (before.type === 'directory' && isSystemError(error, 'ENOTEMPTY', 'EEXIST')) return 'stale';
    throw error;
  }
}

/** Puts something in the place of something else, by rename: verified, and with a name that no version may hold until then. */
async function replace(
  place: string,
  { before, after, made }: { before: Before; after: SymlinkTo | FileOf; made: string | undefined },
  keep: () => void,
  means: Means,
): Promise<Outcome> {
  const fresh = join(dirname(place), made ?? shortLivedName());
  let isGone = false;
  try {
    if (after.type === 'symlink') makeSymlink(fresh, after, means.put);
    else if (made === undefined) {
      await makeFile(fresh, after, means);
      if (means.durable && after.mode !== 'hardlink') syncFile(fresh);
    }
    if (after.type === 'symlink' && !leadsAsSeen(fresh, after, means)) return 'stale';
    // Nothing else happens in this process from here on, and little time passes.
    if (!holds(place, before, means)) return 'stale';
    noteTouched(before, means);
    keep();
    renameSync(fsPath(fresh), fsPath(place));
    // Where both are the same file, a rename leaves them as they are. To look each time took 0.4 s of staging 10,000 files.
    isGone = after.type === 'symlink' || after.mode !== 'hardlink';
    return 'done';
  } finally {
    if (!isGone) removeIfThere(fresh);
  }
}

function leadsAsSeen(place: string, { seen }: SymlinkTo, means: Means): boolean {
  if (seen === undefined) return true;
  const stats = statThrough(place);
  return stats?.isFile() === true && isAsSeen(stats, seen, means);
}

/** Whether a step has failed since a symlink of the version's own is refused there. */
export function isRefusedSymlink({ after }: Step, error: unknown): error is GypsumError {
  return isOwnSymlink(after) && isGypsumError(error, 'destination-refused');
}

function makeSymlink(place: string, { target, targetType }: SymlinkTo, put: PutFile): void {
  try {
    put.symlink(target, place, targetType === 'dir');
  } catch (error) {
    throw isRefusal('symlink', error) ? refusal('symlink', target, place, error) : error;
  }
}

/** Makes a file where nothing is. */
export async function makeFile(place: string, after: FileOf, means: Means): Promise<void> {
  const { put, pace, orCopy, touched, isReflinkRefused = false } = means;
  const { source, permissions, exact = false } = after;
  const mode = after.mode === 'reflink' && isReflinkRefused ? 'copy' : after.mode;
  let isCopy = mode === 'copy';
  if (mode !== 'copy') {
    try {
      put[mode](source, place);
    } catch (error) {
      if (!isRefusal(mode, error)) throw error;
      if (!orCopy) throw refusal(mode, source, place, error);
      isCopy = true;
      means.isReflinkRefused ||= mode === 'reflink';
    }
  }
  if (isCopy) await put.copy(source, place, after, pace);
  if (!isCopy && mode === 'hardlink') touched.add(inodeId(lstatSync(fsPath(place))));
  if ((isCopy || mode === 'reflink') && permissions !== undefined) {
    chmodSync(fsPath(place), exact ? permissions : permissions & ~process.umask());
  }
}

function keepWith({ keep }: Means, place: string, path: string): void {
  if (keep === undefined) throw new Error(`nowhere to keep what stands at ${path}`);
  keep(place, path);
}

function statAt(place: string): Stats | undefined {
  try {
    return lstatSync(fsPath(place), { throwIfNoEntry: false });
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
