import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { folderToPath, readPart } from './disk-keys.ts';
import type { ListOptions } from './storage.ts';

interface Listed {
  /** The component of the key, with a trailing `/` for a folder. */
  readonly name: string;
  readonly path: string;
}

/** Gives the keys below `root` that begin with `prefix`; holds one folder of each level in memory. */
export async function* listDisk(
  root: string,
  prefix: string,
  { recursive = false }: ListOptions = {},
): AsyncGenerator<string> {
  const slash = prefix.lastIndexOf('/') + 1;
  const folder = prefix.slice(0, slash);
  const path = folderToPath(folder);
  if (path === undefined) return;
  for (const entry of await readNames(join(root, path))) {
    if (!`${folder}${entry.name}`.startsWith(prefix)) continue;
    yield* listEntry(entry, folder, recursive);
  }
}

async function* listEntry(entry: Listed, folder: string, recursive: boolean): AsyncGenerator<string> {
  const key = `${folder}${entry.name}`;
  if (!entry.name.endsWith('/')) {
    yield key;
  } else if (recursive) {
    for (const below of await readNames(entry.path)) yield* listEntry(below, key, true);
  } else if (await holdsObject(entry)) {
    yield key;
  }
}

/** A deletion that was interrupted leaves folders without an object in them: they stand for no key. */
async function holdsObject(entry: Listed): Promise<boolean> {
  if (!entry.name.endsWith('/')) return true;
  for (const below of await readNames(entry.path)) {
    if (await holdsObject(below)) return true;
  }
  return false;
}

async function readNames(path: string): Promise<Listed[]> {
  const names: Listed[] = [];
  await collectNames(path, '', names);
  return names
    .map((entry) => ({ entry, bytes: Buffer.from(entry.name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ entry }) => entry);
}

async function collectNames(path: string, before: string, names: Listed[]): Promise<void> {
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return;
    throw error;
  }
  for (const entry of entries) {
    const { text, goesOn } = readPart(entry.name);
    const below = join(path, entry.name);
    if (goesOn) await collectNames(below, before + text, names);
    else if (entry.isDirectory()) names.push({ name: `${before}${text}/`, path: below });
    else if (entry.isFile()) names.push({ name: before + text, path: below });
  }
}
