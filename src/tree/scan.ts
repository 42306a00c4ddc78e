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
  options.signal?.throwIfAborted();
  const places = createPlaces(root);
  try {
    return await readTree(places, options);
  } finally {
    places.close();
  }
}

async function readTree(
  places: Places,
  { sizes = true, facts = false, skip, onFailure, signal, onEvent }: ScanOptions,
): Promise<Entry[]> {
  const tree: Entry[] = [];
  const pace = createPace(signal);
  let reported = 0;
  const report = () => {
    if (tree.length > reported) onEvent?.({ type: 'progress', task: 'scan', files: tree.length - reported, bytes: 0 });
    reported = tree.length;
  };
  // What is still to be visited, last first: its folders are read when their turn comes, so that order is depth first.
  const open: { path: string; entry: Dirent<string> | Dirent<Buffer> | undefined }[] = [{ path: '', entry: undefined }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, entry } = next;
    if (entry === undefined || entry.isDirectory()) {
      if (path !== '') tree.push({ type: 'directory', path, ...(facts && readFacts(places.to(path)).facts) });
      const children = readIfPossible(places, path, onFailure);
      children.sort((a, b) => (a.name < b.name ? 1 : -1));
      for (const { name, entry: child } of children) {
        const below = joinPath(path, name);
        if (!skip?.(below, child.isDirectory())) open.push({ path: below, entry: child });
      }
    } else if (entry.isFile() && facts) {
      const { size, facts: own } = readFacts(places.to(path));
      tree.push({ type: 'file', path, size, ...own });
    } else if (entry.isFile()) {
      tree.push({ type: 'file', path, size: sizes ? lstatSync(fsPath(places.to(path))).size : 0 });
    } else if (entry.isSymbolicLink()) {
      const place = places.to(path);
      const own = facts ? { targetType: readTargetType(place), ...readFacts(place).facts } : {};
      tree.push({ type: 'symlink', path, target: readLink(place), ...own });
    } else {
      tree.push({ type: 'special', path });
    }
    if (pace.due()) {
      report();
      await pace.rest();
    }
  }
  report();
  return tree;
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
