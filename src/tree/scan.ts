import { type Dirent, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { decodePath, fsPath } from '../model/local-path.ts';
import { type Entry, joinPath } from '../model/tree.ts';
import { readFacts, readTargetType } from './entry-facts.ts';
import { createPlaces, type Places } from './places.ts';

export interface ScanOptions extends CallOptions {
  /** Look up the sizes of files; without it they are 0. @default true */
  sizes?: boolean;
  /** Look up modes and times, and what symlinks lead to now. @default false */
  facts?: boolean;
  /** Says of an entry, before its turn comes, whether it is left out with all that is below it. */
  skip?: (path: string, isFolder: boolean) => boolean;
  /** Hears of a folder below the root that cannot be read; the rest goes on. Without it, the first one ends all. */
  onFailure?: (path: string, error: Error) => void;
}

/**
 * Reads a folder into a tree, in the order of `comparePaths`. Symlinks are entries of their own and are never followed;
 * a folder that cannot be read is an error, or somebody hears of it.
 */
export async function scanFolder(root: string, options: ScanOptions = {}): Promise<Entry[]> {
  const tree: Entry[] = [];
  for await (const entries of scanInParts(root, options)) for (const entry of entries) tree.push(entry);
  return tree;
}

/** How many entries are given at once. */
const PART = 1000;

/** Reads a folder like `scanFolder`, for whoever needs no entry for long: a part of the tree at a time. */
export async function* scanInParts(root: string, options: ScanOptions = {}): AsyncGenerator<Entry[]> {
  options.signal?.throwIfAborted();
  const places = createPlaces(root);
  try {
    yield* readTree(places, options);
  } finally {
    places.close();
  }
}

async function* readTree(
  places: Places,
  { sizes = true, facts = false, skip, onFailure, signal, onEvent }: ScanOptions,
): AsyncGenerator<Entry[]> {
  let part: Entry[] = [];
  const pace = createPace(signal);
  const take = () => {
    const taken = part;
    part = [];
    if (taken.length > 0) onEvent?.({ type: 'progress', task: 'scan', files: taken.length, bytes: 0 });
    return taken;
  };
  // What is still to be visited, last first: its folders are read when their turn comes, so that order is depth first.
  const open: { path: string; entry: Dirent<string> | Dirent<Buffer> | undefined }[] = [{ path: '', entry: undefined }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, entry } = next;
    if (entry === undefined || entry.isDirectory()) {
      if (path !== '') part.push({ type: 'directory', path, ...(facts && readFacts(places.to(path)).facts) });
      const children = readIfPossible(places, path, onFailure);
      children.sort((a, b) => (a.name < b.name ? 1 : -1));
      for (const { name, entry: child } of children) {
        const below = joinPath(path, name);
        if (!skip?.(below, child.isDirectory())) open.push({ path: below, entry: child });
      }
    } else if (entry.isFile() && facts) {
      const { size, facts: own } = readFacts(places.to(path));
      part.push({ type: 'file', path, size, ...own });
    } else if (entry.isFile()) {
      part.push({ type: 'file', path, size: sizes ? lstatSync(fsPath(places.to(path))).size : 0 });
    } else if (entry.isSymbolicLink()) {
      const place = places.to(path);
      const own = facts ? { targetType: readTargetType(place), ...readFacts(place).facts } : {};
      part.push({ type: 'symlink', path, target: readLink(place), ...own });
    } else {
      part.push({ type: 'special', path });
    }
    const isDue = pace.due();
    if (isDue || part.length >= PART) yield take();
    if (isDue) await pace.rest();
  }
  yield take();
}

/** Gives the text of a symlink, byte for byte. */
export function readLink(path: string): string {
  const text = readlinkSync(fsPath(path), 'utf8');
  // Bytes that are not UTF-8 come as U+FFFD: only then is it worth reading the link again as bytes.
  return text.includes('\ufffd') ? decodePath(readlinkSync(fsPath(path), 'buffer')) : text;
}

type Children = { name: string; entry: Dirent<string> | Dirent<Buffer> }[];

function readIfPossible(places: Places, path: string, onFailure: ScanOptions['onFailure']): Children {
  try {
    return readFolder(places.to(path));
  } catch (error) {
    if (onFailure === undefined || path === '') throw error;
    onFailure(path, error as Error);
    return [];
  }
}

function readFolder(path: string): Children {
  const entries = readdirSync(fsPath(path), { withFileTypes: true });
  if (!entries.some((entry) => entry.name.includes('\ufffd')))
    return entries.map((entry) => ({ name: entry.name, entry }));
  return readdirSync(fsPath(path), { withFileTypes: true, encoding: 'buffer' }).map((entry) => ({
    name: decodePath(entry.name),
    entry,
  }));
}
