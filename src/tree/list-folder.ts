import { type BigIntStats, statSync } from 'node:fs';
import { GypsumError, isFromSystem, isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { comparePaths, isBelow, nameOf } from '../model/tree.ts';
import { type Places, reach } from './places.ts';
import { isAbandoned, isOurs } from './put-file.ts';
import type { ReadAhead } from './read-ahead.ts';
import { lookIfThere, readReplicaEntry, readReplicaSymlink } from './read-entry.ts';
import { overlaps, realPath } from './real-path.ts';
import type { ReplicaEntry, ReplicaFile } from './replica-entry.ts';
import { inodeName, stampOf } from './replica-stats.ts';
import type { Listing, ListOptions } from './repository.ts';
import { type Child, walkFolder } from './walk.ts';

export interface ListFolderOptions extends ListOptions {
  /** Take symlinks for what they lead to; into a folder that holds or is in this one, given by its real path, none is followed. */
  followOutside?: string | undefined;
  /** Has read some of the folders already, where neither stamps nor followed symlinks are asked for. */
  ahead?: ReadAhead | undefined;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer E)[] ? E[] : T[Key] };

/** Reads a folder as it is replicated, in the order of `comparePaths`; nothing but folders and symlinks is opened. */
export async function listFolder(root: string, options: ListFolderOptions = {}): Promise<Listing> {
  const { signal, onEvent, onFolder, ahead } = options;
  const listing: Mutable<Listing> = { entries: [], left: [], unreadable: [], unfollowed: [], leftovers: [] };
  const onFailure = (path: string, error: Error) => listing.unreadable.push({ path, error });
  const top = ahead?.top ?? inodeOfRoot(root);
  let hasVanished = false;
  const onVanished = () => {
    hasVanished = true;
  };
  const isLeftOut = createSieve(listing, options);
  const read = createReader(top, listing, isLeftOut, { ...options, onVanished });
  const known = async (folder: string) => {
    const entries = await ahead?.take(folder);
    return entries?.filter(({ path, type }) => !isLeftOut(path, nameOf(path), type === 'directory'));
  };
  for await (const entries of walkFolder(root, read, {
    signal,
    onEvent,
    onFailure,
    onFolder,
    ...(ahead !== undefined && { ahead: known }),
  })) {
    for (const entry of entries) listing.entries.push(entry);
  }
  // A folder that went away as a whole is not one that holds nothing.
  if ((hasVanished || ahead !== undefined) && inodeOfRoot(root) !== top) {
    throw new GypsumError('file-changed', `${showText(root)} is another folder by now.`, {
      hint: 'Nothing was done. Do it again when it is the one that you mean.',
      details: { root },
    });
  }
  return listing;
}

/** Gives what says of entries whether they are left out, and takes that down. */
function createSieve(listing: Mutable<Listing>, { skip }: ListOptions) {
  return (path: string, name: string, isFolder: boolean): boolean => {
    if (!isFolder && isOurs(name)) {
      if (isAbandoned(name)) listing.leftovers.push(path);
      return true;
    }
    if (skip?.(path, isFolder) !== true) return false;
    listing.left.push(path);
    return true;
  };
}

/** Gives what reads one entry after the other, and takes down what is not followed. */
function createReader(
  top: string,
  listing: Mutable<Listing>,
  isLeftOut: (path: string, name: string, isFolder: boolean) => boolean,
  {
    followOutside,
    stamps = false,
    digestOf,
    before = [],
    onVanished,
  }: ListFolderOptions & { readonly onVanished: () => void },
): (places: Places, path: string, child: Child) => ReplicaEntry | undefined {
  const isLoop = createLoopFinder(top);
  const fileBefore = createFinder(before);
  return (places, path, child) => {
    if (isLeftOut(path, child.name, child.isDirectory())) return undefined;
    const place = places.to(path);
    const own = lookIfThere(place);
    if (own === undefined) {
      onVanished();
      return undefined;
    }
    const led = followOutside !== undefined && own.isSymbolicLink() ? follow(place, followOutside) : undefined;
    const stats = led?.stats ?? own;
    const leadsRound = stats.isDirectory() && isLoop(path, stats) && led !== undefined;
    const why = leadsRound ? 'leads to a folder that it lies in' : led?.why;
    if (why !== undefined) listing.unfollowed.push({ path, why });
    const entry = why === undefined ? readReplicaEntry(place, path, stats) : readReplicaSymlink(place, path, own);
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

/** Names the inode of a folder, however long its path is. */
export function inodeOfRoot(root: string): string {
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

/** Gives what a symlink leads to; nothing of one that leads nowhere, and why it is not followed elsewhere. */
function follow(place: string, outside: string): { stats?: BigIntStats; why?: string } {
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
