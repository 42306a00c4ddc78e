import { lstatSync, readlinkSync } from 'node:fs';
import { decodePath, fsPath } from '../model/local-path.ts';
import type { Entry, FileEntry, SymlinkEntry } from '../model/tree.ts';
import { readFacts, readTargetType } from './entry-facts.ts';
import type { Places } from './places.ts';
import { type Child, type WalkOptions, walkFolder } from './walk.ts';

export interface ScanOptions extends WalkOptions {
  /** Look up the sizes of files; without it they are 0. @default true */
  sizes?: boolean;
  /** Look up modes and times, and what symlinks lead to now. @default false */
  facts?: boolean;
  /** Says of an entry, before its turn comes, whether it is left out with all that is below it. */
  skip?: (path: string, isFolder: boolean) => boolean;
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

/** Reads a folder like `scanFolder`, for whoever needs no entry for long: a part of the tree at a time. */
export function scanInParts(root: string, options: ScanOptions = {}): AsyncGenerator<Entry[]> {
  const { skip } = options;
  const read = (places: Places, path: string, child: Child) =>
    skip?.(path, child.isDirectory()) ? undefined : readEntry(places, path, child, options);
  return walkFolder(root, read, options);
}

/** Of a class, since V8 never takes its objects for long-lived: of a million literals, 200 MiB were given back late. */
export class Symlink implements SymlinkEntry {
  readonly type = 'symlink';
  readonly path: string;
  readonly target: string;

  constructor(path: string, target: string) {
    this.path = path;
    this.target = target;
  }
}

export class File implements FileEntry {
  readonly type = 'file';
  readonly path: string;
  readonly size: number;

  constructor(path: string, size: number) {
    this.path = path;
    this.size = size;
  }
}

function readEntry(places: Places, path: string, child: Child, { sizes = true, facts = false }: ScanOptions): Entry {
  if (child.isDirectory()) return { type: 'directory', path, ...(facts && readFacts(places.to(path)).facts) };
  if (child.isSymbolicLink()) {
    const place = places.to(path);
    if (!facts) return new Symlink(path, readLink(place));
    return {
      type: 'symlink',
      path,
      target: readLink(place),
      targetType: readTargetType(place),
      ...readFacts(place).facts,
    };
  }
  if (!child.isFile()) return { type: 'special', path };
  if (!facts) return new File(path, sizes ? lstatSync(fsPath(places.to(path))).size : 0);
  const { size, facts: own } = readFacts(places.to(path));
  return { type: 'file', path, size, ...own };
}

/** Gives the text of a symlink, byte for byte. */
export function readLink(path: string): string {
  const text = readlinkSync(fsPath(path), 'utf8');
  // Bytes that are not UTF-8 come as U+FFFD: only then is it worth reading the link again as bytes.
  return text.includes('\ufffd') ? decodePath(readlinkSync(fsPath(path), 'buffer')) : text;
}
