import { type BigIntStats, lstatSync, statSync } from 'node:fs';
import { isFromSystem, isSystemError } from '../errors.ts';
import { createPace } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';
import { isBelow, joinPath } from '../model/tree.ts';
import { readTargetType } from './entry-facts.ts';
import { createPlaces, type Places } from './places.ts';
import { isAbandoned, isOurs } from './put-file.ts';
import { overlaps, realPath } from './real-path.ts';
import type { ReplicaEntry } from './replica-entry.ts';
import { inodeName, inodeOf, microseconds, replicaEntry, stampOf } from './replica-stats.ts';
import type { Listing, ListOptions } from './repository.ts';
import { readFolder, readLink } from './scan.ts';

export interface ListFolderOptions extends ListOptions {
  /** Take symlinks for what they lead to; into a folder that holds or is in this one, given by its real path, none is followed. */
  followOutside?: string | undefined;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer E)[] ? E[] : T[Key] };

/** Reads a folder as it is replicated, in the order of `comparePaths`; nothing but folders and symlinks is opened. */
export async function listFolder(root: string, options: ListFolderOptions = {}): Promise<Listing> {
  const places = createPlaces(root);
  const listing: Mutable<Listing> = { entries: [], left: [], unreadable: [], unfollowed: [], leftovers: [] };
  try {
    await fill(listing, places, options);
    return listing;
  } finally {
    places.close();
  }
}

/** How many entries are told of at once. */
const PART = 1000;

async function fill(
  listing: Mutable<Listing>,
  places: Places,
  { followOutside, skip, stamps = false, signal, onEvent }: ListFolderOptions,
): Promise<void> {
  signal?.throwIfAborted();
  const pace = createPace(signal);
  let told = 0;
  const tell = () => {
    const files = listing.entries.length - told;
    if (files > 0) onEvent?.({ type: 'progress', task: 'scan', files, bytes: 0 });
    told += files;
  };
  // The folders that lead to where we are, by the inodes that they have behind symlinks.
  const above: { path: string; inode: string }[] = [];
  // What is still to be visited, last first, so that order is depth first.
  const open: { path: string; isFolder: boolean }[] = [{ path: '', isFolder: true }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path } = next;
    if (isOurs(path) && !next.isFolder) {
      if (isAbandoned(path)) listing.leftovers.push(path);
      continue;
    }
    if (path !== '' && skip?.(path, next.isFolder)) {
      listing.left.push(path);
      continue;
    }
    const own = statIfThere(places, path);
    if (own === undefined) continue;
    const led = own.isSymbolicLink() && followOutside !== undefined ? follow(places, path, followOutside) : undefined;
    const stats = led?.stats ?? own;
    while (above.length > 0 && !isBelow(path, above.at(-1)?.path ?? '')) above.pop();
    const inode = inodeName(stats);
    const isLoop = led?.stats?.isDirectory() === true && above.some((folder) => folder.inode === inode);
    const why = isLoop ? 'leads to a folder that it lies in' : led?.why;
    if (why !== undefined) listing.unfollowed.push({ path, why });
    const plain = why === undefined ? entryOf(places, path, stats) : symlinkOf(places, path, own);
    const entry = stamps && plain.type === 'file' ? { ...plain, stamp: stampOf(stats) } : plain;
    if (path !== '') listing.entries.push(entry);
    if (entry.type === 'directory') {
      above.push({ path, inode });
      for (const child of childrenOf(listing, places, path)) open.push(child);
    }
    const isDue = pace.due();
    if (isDue || listing.entries.length - told >= PART) tell();
    if (isDue) await pace.rest();
  }
  tell();
}

function childrenOf(listing: Mutable<Listing>, places: Places, path: string): { path: string; isFolder: boolean }[] {
  try {
    const children = readFolder(places.to(path));
    children.sort((a, b) => (a.name < b.name ? 1 : -1));
    return children.map((child) => ({ path: joinPath(path, child.name), isFolder: child.isDirectory() }));
  } catch (error) {
    if (path === '' || !isFromSystem(error)) throw error;
    listing.unreadable.push({ path, error });
    return [];
  }
}

/** What vanishes meanwhile is not there. */
function statIfThere(places: Places, path: string): BigIntStats | undefined {
  try {
    return lstatSync(fsPath(places.to(path)), { bigint: true });
  } catch (error) {
    if (path !== '' && isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
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
