import { type BigIntStats, lstatSync, statSync } from 'node:fs';
import { GypsumError, isFromSystem, isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { comparePaths, isBelow } from '../model/tree.ts';
import { readTargetType } from './entry-facts.ts';
import { type Places, reach } from './places.ts';
import { isAbandoned, isOurs } from './put-file.ts';
import { overlaps, realPath } from './real-path.ts';
import type { ReplicaEntry, ReplicaFile } from './replica-entry.ts';
import { inodeName, inodeOf, microseconds, replicaEntry, stampOf } from './replica-stats.ts';
import type { Listing, ListOptions } from './repository.ts';
import { readLink } from './scan.ts';
import { type Child, walkFolder } from './walk.ts';

export interface ListFolderOptions extends ListOptions {
  /** Take symlinks for what they lead to; into a folder that holds or is in this one, given by its real path, none is followed. */
  followOutside?: string | undefined;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer E)[] ? E[] : T[Key] };

/** Reads a folder as it is replicated, in the order of `comparePaths`; nothing but folders and symlinks is opened. */
export async function listFolder(root: string, options: ListFolderOptions = {}): Promise<Listing> {
  const { signal, onEvent } = options;
  const listing: Mutable<Listing> = { entries: [], left: [], unreadable: [], unfollowed: [], leftovers: [] };
  const onFailure = (path: string, error: Error) => listing.unreadable.push({ path, error });
  const top = inodeOfRoot(root);
  let hasVanished = false;
  const onVanished = () => {
    hasVanished = true;
  };
  const read = createReader(top, listing, { ...options, onVanished });
  for await (const entries of walkFolder(root, read, { signal, onEvent, onFailure })) {
    for (const entry of entries) listing.entries.push(entry);
  }
  // A folder that went away as a whole is not one that holds nothing.
  if (hasVanished && inodeOfRoot(root) !== top) {
    throw new GypsumError('file-changed', `${showText(root)} is another folder by now.`, {
      hint: 'Nothing was done. Do it again when it is the one that you mean.',
      details: { root },
    });
  }
  return listing;
}

/** Gives what reads one entry after the other, and takes down what is left out and what is not followed. */
function createReader(
  top: string,
  listing: Mutable<Listing>,
  {
    followOutside,
    skip,
    stamps = false,
    digestOf,
    before = [],
    onVanished,
  }: ListFolderOptions & { readonly onVanished: () => void },
): (places: Places, path: string, child: Child) => ReplicaEntry | undefined {
  const isLoop = createLoopFinder(top);
  const fileBefore = createFinder(before);
  return (places, path, child) => {
    const isFolder = child.isDirectory();
    if (!isFolder && isOurs(child.name)) {
      if (isAbandoned(child.name)) listing.leftovers.push(path);
      return undefined;
    }
    if (skip?.(path, isFolder)) {
      listing.left.push(path);
      return undefined;
    }
    const own = statIfThere(places, path);
    if (own === undefined) {
      onVanished();
      return undefined;
    }
    const led = followOutside !== undefined && own.isSymbolicLink() ? follow(places, path, followOutside) : undefined;
    const stats = led?.stats ?? own;
    const leadsRound = stats.isDirectory() && isLoop(path, stats) && led !== undefined;
    const why = leadsRound ? 'leads to a folder that it lies in' : led?.why;
    if (why !== undefined) listing.unfollowed.push({ path, why });
    const entry = why === undefined ? entryOf(places, path, stats) : symlinkOf(places, path, own);
    if (!stamps || entry.type !== 'file') return entry;
    return fileWithStamp(entry, stampOf(stats), fileBefore(path));
  };

  function fileWithStamp(entry: ReplicaFile, stamp: string, before: ReplicaFile | undefined): ReplicaFile {
    // Whoever knows digests says whether one still counts.
    const digest = digestOf?.(stamp);
    if (before === undefined) return withStamp(entry, entry.path, stamp, digest);
    // A text that is there already takes no memory.
    const own = digest === before.digest ? before.digest : digest;
    if (before.stamp !== stamp || before.mode !== entry.mode) return withStamp(entry, before.path, stamp, own);
    return own === before.digest ? before : withStamp(before, before.path, before.stamp, own);
  }
}

/** Gives what looks up files of a tree by paths in the order of the tree. */
function createFinder(tree: readonly ReplicaEntry[]): (path: string) => ReplicaFile | undefined {
  let at = 0;
  return (path) => {
    let entry = tree[at];
    while (entry !== undefined && comparePaths(entry.path, path) < 0) entry = tree[++at];
    return entry?.type === 'file' && entry.path === path ? entry : undefined;
  };
}

function withStamp(file: ReplicaFile, path: string, stamp: string, digest: string | undefined): ReplicaFile {
  const { type, size, mode, mtime, inode } = file;
  // Nearly all are such, and spreads take more memory.
  if (mode !== undefined && inode === undefined) {
    if (digest === undefined) return { type, path, size, mode, mtime, stamp };
    return { type, path, size, mode, mtime, stamp, digest };
  }
  return { ...file, path, stamp, ...(digest !== undefined && { digest }) };
}

function inodeOfRoot(root: string): string {
  return inodeName(reach(root, (place) => statSync(fsPath(place), { bigint: true })));
}

/** Gives what says of one folder after the other whether it is, by its inode, one that it lies in. */
function createLoopFinder(top: string): (path: string, stats: BigIntStats) => boolean {
  // The folders that lead to where we are, by the inodes that they have behind symlinks.
  const above = [{ path: '', inode: top }];
  return (path, stats) => {
    while (!isBelow(path, above.at(-1)?.path ?? '')) above.pop();
    const inode = inodeName(stats);
    const isLoop = above.some((folder) => folder.inode === inode);
    if (!isLoop) above.push({ path, inode });
    return isLoop;
  };
}

/** What vanishes meanwhile is not there. */
function statIfThere(places: Places, path: string): BigIntStats | undefined {
  try {
    return lstatSync(fsPath(places.to(path)), { bigint: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Gives what a symlink leads to; nothing of one that leads nowhere, and why it is not followed elsewhere. */
function follow(places: Places, path: string, outside: string): { stats?: BigIntStats; why?: string } {
  const place = places.to(path);
  try {
    const stats = statSync(fsPath(place), { bigint: true });
    if (stats.isDirectory() && overlaps(realPath(place), outside)) return { why: 'leads to the replica' };
    return { stats };
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return {};
    if (!isFromSystem(error)) throw error;
    return { why: `cannot be followed (${error.code})` };
  }
}

function entryOf(places: Places, path: string, stats: BigIntStats): ReplicaEntry {
  return replicaEntry(path, stats) ?? symlinkOf(places, path, stats);
}

function symlinkOf(places: Places, path: string, stats: BigIntStats): ReplicaEntry {
  const place = places.to(path);
  const targetType = process.platform === 'win32' ? { targetType: readTargetType(place) } : {};
  return {
    type: 'symlink',
    path,
    target: readLink(place),
    ...targetType,
    mtime: microseconds(stats.mtimeNs),
    ...inodeOf(stats),
  };
}
