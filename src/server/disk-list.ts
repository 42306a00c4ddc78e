import type { Dir, Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { folderToPath, type Naming, readPart, unescapeComponent } from './disk-keys.ts';
import type { ListOptions } from './storage.ts';

interface Listed {
  /** The component of the key, with a trailing `/` for a folder. */
  readonly name: string;
  /** What it is sorted by. */
  readonly bytes: Buffer;
  readonly path: string;
}

export interface DiskListOptions extends ListOptions {
  naming?: Naming;
  /** How many names of one folder are held at once; where there are more, it is read again. @default 100,000 */
  window?: number;
}

/**
 * Gives the keys below `root` that begin with `prefix`, in the order of their UTF-8 bytes. Of each level one window of
 * names is held, however many there are.
 */
export async function* listDisk(
  root: string,
  prefix: string,
  { recursive = false, naming = 'plain', window = 100_000 }: DiskListOptions = {},
): AsyncGenerator<string> {
  const slash = prefix.lastIndexOf('/') + 1;
  const folder = prefix.slice(0, slash);
  const path = folderToPath(folder, naming);
  if (path === undefined) return;
  const begun = prefix.slice(slash);
  for await (const entry of readNames(join(root, path), window, begun)) {
    yield* listEntry(entry, folder, recursive, window);
  }
}

async function* listEntry(entry: Listed, folder: string, recursive: boolean, window: number): AsyncGenerator<string> {
  const key = `${folder}${entry.name}`;
  if (!entry.name.endsWith('/')) {
    yield key;
  } else if (recursive) {
    for await (const below of readNames(entry.path, window)) yield* listEntry(below, key, true, window);
  } else if (await holdsObject(entry.path)) {
    yield key;
  }
}

/** A deletion that was interrupted leaves folders without an object in them: they stand for no key. */
async function holdsObject(path: string): Promise<boolean> {
  for await (const entry of readFolder(path)) {
    if (entry.isFile()) return true;
    if (entry.isDirectory() && (await holdsObject(join(path, entry.name)))) return true;
  }
  return false;
}

/** Gives the names in a folder in order, one window after the other. */
async function* readNames(path: string, window: number, begun = ''): AsyncGenerator<Listed> {
  let after: Buffer | undefined;
  for (;;) {
    const names = createWindow(window, after);
    await collectNames(path, '', begun, names);
    const page = names.sorted();
    yield* page;
    if (page.length < window) return;
    after = page.at(-1)?.bytes;
  }
}

/** Keeps the first names, in their order, of those that come after one. */
function createWindow(size: number, after: Buffer | undefined) {
  let names: Listed[] = [];
  const shrink = () => {
    names.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    names = names.slice(0, size);
  };
  return {
    add(name: string, path: string) {
      const bytes = Buffer.from(name);
      if (after !== undefined && Buffer.compare(bytes, after) <= 0) return;
      names.push({ name, bytes, path });
      if (names.length >= 2 * size) shrink();
    },
    sorted() {
      shrink();
      return names;
    },
  };
}

async function collectNames(
  path: string,
  before: string,
  begun: string,
  names: ReturnType<typeof createWindow>,
): Promise<void> {
  for await (const entry of readFolder(path)) {
    const { raw, goesOn } = readPart(entry.name);
    const below = join(path, entry.name);
    if (goesOn) {
      await collectNames(below, before + raw, begun, names);
      continue;
    }
    const name = unescapeComponent(before + raw);
    if (!name.startsWith(begun)) continue;
    if (entry.isDirectory()) names.add(`${name}/`, below);
    else if (entry.isFile()) names.add(name, below);
  }
}

async function* readFolder(path: string): AsyncGenerator<Dirent> {
  let folder: Dir;
  try {
    folder = await opendir(path, { bufferSize: 1024 });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return;
    throw error;
  }
  yield* folder;
}
