import type { Dir, Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { folderToPath, type Naming, readPart, unescapeComponent } from './disk-keys.ts';
import type { ListOptions } from './storage.ts';

/** How many entries of a folder are read at once. */
const BATCH = 1024;

interface Listed {
  /** The component of the key, with a trailing `/` for a folder. */
  readonly name: string;
  /** The folder that it is in, and its name there. */
  readonly within: string;
  readonly part: string;
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
    const path = join(entry.within, entry.part);
    for await (const below of readNames(path, window)) yield* listEntry(below, key, true, window);
  } else if (await holdsObject(join(entry.within, entry.part))) {
    yield key;
  }
}

/** A deletion that was interrupted leaves folders without an object in them: they stand for no key. */
async function holdsObject(path: string): Promise<boolean> {
  for await (const entries of readFolder(path)) {
    if (entries.some((entry) => entry.isFile())) return true;
    for (const entry of entries) {
      if (entry.isDirectory() && (await holdsObject(join(path, entry.name)))) return true;
    }
  }
  return false;
}

/** Gives the names in a folder in order, one window after the other. */
async function* readNames(path: string, window: number, begun = ''): AsyncGenerator<Listed> {
  let after: string | undefined;
  for (;;) {
    const names = createWindow(window, after);
    await collectNames(path, '', begun, names);
    const page = names.sorted();
    yield* page;
    if (page.length < window) return;
    after = page.at(-1)?.name;
  }
}

/** Keeps the first names, in their order, of those that come after one. */
function createWindow(size: number, after: string | undefined) {
  let names: Listed[] = [];
  const shrink = () => {
    names.sort((a, b) => compareInBytes(a.name, b.name));
    names = names.slice(0, size);
  };
  return {
    add(name: string, within: string, part: string) {
      if (after !== undefined && compareInBytes(name, after) <= 0) return;
      names.push({ name, within, part });
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
  for await (const entries of readFolder(path)) {
    for (const entry of entries) {
      const { raw, goesOn } = readPart(entry.name);
      if (goesOn) {
        await collectNames(join(path, entry.name), before + raw, begun, names);
        continue;
      }
      const name = unescapeComponent(before + raw);
      if (!name.startsWith(begun)) continue;
      if (entry.isDirectory()) names.add(`${name}/`, path, entry.name);
      else if (entry.isFile()) names.add(name, path, entry.name);
    }
  }
}

/** Gives what is in a folder, some of it at a time: an entry alone is not worth a promise. */
async function* readFolder(path: string): AsyncGenerator<Dirent[]> {
  let folder: Dir;
  try {
    folder = await opendir(path, { bufferSize: BATCH });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return;
    throw error;
  }
  try {
    for (;;) {
      const entries: Dirent[] = [];
      for (let entry = await folder.read(); entry !== null; entry = folder.readSync()) {
        entries.push(entry);
        if (entries.length === BATCH) break;
      }
      if (entries.length > 0) yield entries;
      if (entries.length < BATCH) return;
    }
  } finally {
    await folder.close();
  }
}

/** The order of the bytes of UTF-8, which is that of code points: surrogates stand for the greatest of them. */
function compareInBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const one = a.charCodeAt(at);
    const other = b.charCodeAt(at);
    if (one !== other) return rank(one) - rank(other);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
