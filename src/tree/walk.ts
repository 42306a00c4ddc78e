import { type Dirent, readdirSync } from 'node:fs';
import { isFromSystem } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { decodePath, fsPath } from '../model/local-path.ts';
import { joinPath } from '../model/tree.ts';
import { createPlaces, type Places } from './places.ts';

/** What a folder says of something in it. */
export type Child = Pick<Dirent, 'name' | 'isDirectory' | 'isFile' | 'isSymbolicLink'>;

export interface WalkOptions extends CallOptions {
  /** Hears of a folder below the root that the system does not let be read; the rest goes on. Without it, the first one ends all. */
  onFailure?: ((path: string, error: NodeJS.ErrnoException) => void) | undefined;
  /** Hears of each folder before what is in it, and how many entries that is. */
  onFolder?: ((path: string, entries: number) => void) | undefined;
}

interface AheadOptions<T> {
  /** Gives what `read` would make of a folder's entries, by name, where somebody has read it already. */
  ahead?: ((path: string) => Promise<Iterable<T> | undefined>) | undefined;
}

/**
 * How many entries are given at once: few, so that nearly none is in use when V8 looks which are. If it finds that most are, it
 * takes all for long-lived: with 1,000 at once, every other status of a million files took 180 MiB more.
 */
export const PART = 100;

/**
 * Walks through a folder in the order of `comparePaths`, and gives a part of what `read` makes of its entries at a time: of each
 * before what is below it. `read` gives nothing for what is left out; what it says is a directory is walked through, too.
 */
export async function* walkFolder<T extends { readonly type: string; readonly path: string }>(
  root: string,
  read: (places: Places, path: string, child: Child) => T | undefined,
  options: WalkOptions & AheadOptions<T>,
): AsyncGenerator<T[]> {
  options.signal?.throwIfAborted();
  const places = createPlaces(root);
  try {
    yield* walk(places, read, options);
  } finally {
    places.close();
  }
}

async function* walk<T extends { readonly type: string; readonly path: string }>(
  places: Places,
  read: (places: Places, path: string, child: Child) => T | undefined,
  { onFailure, onFolder, ahead, signal, onEvent }: WalkOptions & AheadOptions<T>,
): AsyncGenerator<T[]> {
  let part: T[] = [];
  const pace = createPace(signal);
  const take = () => {
    const taken = part;
    part = [];
    if (taken.length > 0) onEvent?.({ type: 'progress', task: 'scan', files: taken.length, bytes: 0 });
    return taken;
  };
  const openFolder = async (path: string): Promise<Iterator<T | undefined, undefined>> => {
    const known = await ahead?.(path);
    if (known !== undefined) return known[Symbol.iterator]();
    const children = childrenOf(places, path, onFailure);
    onFolder?.(path, children.length);
    return readEach(path, children);
  };
  function* readEach(path: string, children: readonly Child[]): Generator<T | undefined, undefined> {
    for (const child of children) yield read(places, joinPath(path, child.name), child);
  }
  // What is below a folder comes before what is behind it: the innermost is read to its end.
  const open = [await openFolder('')];
  for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
    const { done, value: entry } = folder.next();
    if (done) {
      open.pop();
      continue;
    }
    if (entry !== undefined) {
      part.push(entry);
      if (entry.type === 'directory') open.push(await openFolder(entry.path));
    }
    const isDue = pace.due();
    if (isDue || part.length >= PART) yield take();
    if (isDue) await pace.rest();
  }
  yield take();
}

/** Gives what is in a folder, by name. */
function childrenOf(places: Places, path: string, onFailure: WalkOptions['onFailure']): Child[] {
  try {
    return readChildren(places.to(path));
  } catch (error) {
    if (onFailure === undefined || path === '' || !isFromSystem(error)) throw error;
    onFailure(path, error);
    return [];
  }
}

/** Gives what is in a folder, by name. */
export function readChildren(path: string): Child[] {
  return namesIn(path).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Gives the names in a folder, byte for byte. */
function namesIn(path: string): Child[] {
  const entries = readdirSync(fsPath(path), { withFileTypes: true });
  if (!entries.some((entry) => entry.name.includes('\ufffd'))) return entries;
  return readdirSync(fsPath(path), { withFileTypes: true, encoding: 'buffer' }).map((entry) => ({
    name: decodePath(entry.name),
    isDirectory: () => entry.isDirectory(),
    isFile: () => entry.isFile(),
    isSymbolicLink: () => entry.isSymbolicLink(),
  }));
}
