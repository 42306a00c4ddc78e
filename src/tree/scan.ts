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

/**
 * How many entries are given at once: few, so that nearly none is in use when V8 looks which are. If it finds that most are, it
 * takes all for long-lived: with 1,000 at once, every other status of a million files took 180 MiB more.
 */
const PART = 100;

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

async function* readTree(places: Places, options: ScanOptions): AsyncGenerator<Entry[]> {
  const { skip, onFailure, signal, onEvent } = options;
  let part: Entry[] = [];
  const pace = createPace(signal);
  const take = () => {
    const taken = part;
    part = [];
    if (taken.length > 0) onEvent?.({ type: 'progress', task: 'scan', files: taken.length, bytes: 0 });
    return taken;
  };
  const openFolder = (path: string) => ({ path, children: readIfPossible(places, path, onFailure).values() });
  // What is below a folder comes before what is behind it: the innermost is read to its end.
  const open = [openFolder('')];
  for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
    const { done, value: child } = folder.children.next();
    if (done) {
      open.pop();
      continue;
    }
    const path = joinPath(folder.path, child.name);
    if (!skip?.(path, child.isDirectory())) {
      part.push(readEntry(places, path, child, options));
      if (child.isDirectory()) open.push(openFolder(path));
    }
    const isDue = pace.due();
    if (isDue || part.length >= PART) yield take();
    if (isDue) await pace.rest();
  }
  yield take();
}

function readEntry(places: Places, path: string, child: Child, { sizes = true, facts = false }: ScanOptions): Entry {
  if (child.isDirectory()) return { type: 'directory', path, ...(facts && readFacts(places.to(path)).facts) };
  if (child.isSymbolicLink()) {
    const place = places.to(path);
    const own = facts ? { targetType: readTargetType(place), ...readFacts(place).facts } : {};
    return { type: 'symlink', path, target: readLink(place), ...own };
  }
  if (!child.isFile()) return { type: 'special', path };
  if (!facts) return { type: 'file', path, size: sizes ? lstatSync(fsPath(places.to(path))).size : 0 };
  const { size, facts: own } = readFacts(places.to(path));
  return { type: 'file', path, size, ...own };
}

/** Gives the text of a symlink, byte for byte. */
export function readLink(path: string): string {
  const text = readlinkSync(fsPath(path), 'utf8');
  // Bytes that are not UTF-8 come as U+FFFD: only then is it worth reading the link again as bytes.
  return text.includes('\ufffd') ? decodePath(readlinkSync(fsPath(path), 'buffer')) : text;
}

type Child = Pick<Dirent, 'name' | 'isDirectory' | 'isFile' | 'isSymbolicLink'>;

/** Gives what is in a folder, by name. */
function readIfPossible(places: Places, path: string, onFailure: ScanOptions['onFailure']): Child[] {
  try {
    return readFolder(places.to(path)).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (onFailure === undefined || path === '') throw error;
    onFailure(path, error as Error);
    return [];
  }
}

/** Gives the names in a folder, byte for byte. */
export function readFolder(path: string): Child[] {
  const entries = readdirSync(fsPath(path), { withFileTypes: true });
  if (!entries.some((entry) => entry.name.includes('\ufffd'))) return entries;
  return readdirSync(fsPath(path), { withFileTypes: true, encoding: 'buffer' }).map((entry) => ({
    name: decodePath(entry.name),
    isDirectory: () => entry.isDirectory(),
    isFile: () => entry.isFile(),
    isSymbolicLink: () => entry.isSymbolicLink(),
  }));
}
