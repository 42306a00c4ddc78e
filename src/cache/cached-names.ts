import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { nameFault } from '../model/names.ts';
import type { Layout } from './layout.ts';

/** Gives the names that the cache knows below others: projects, a project's assets, or an asset's versions; sorted. */
export async function cachedNames(layout: Layout, ...above: readonly string[]): Promise<string[]> {
  if (above.some((name) => nameFault(name) !== undefined)) return [];
  const found = await Promise.all([layout.bucket, layout.versions].map((root) => folders(join(root, ...above))));
  return [...new Set(found.flat())].filter((name) => nameFault(name) === undefined).sort();
}

async function folders(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
