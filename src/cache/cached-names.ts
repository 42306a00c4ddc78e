import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { nameFault } from '../model/names.ts';
import { inScope, type Scope, type VersionRef } from '../model/refs.ts';
import type { Layout } from './layout.ts';

/** Gives the names that the cache knows below others: projects, a project's assets, or an asset's versions; sorted. */
export async function cachedNames(layout: Layout, ...above: readonly string[]): Promise<string[]> {
  if (above.some((name) => nameFault(name) !== undefined)) return [];
  const roots = [layout.bucket, layout.versions, layout.status];
  const found = await Promise.all(roots.map((root) => folders(join(root, ...above))));
  return [...new Set(found.flat())].filter((name) => nameFault(name) === undefined).sort();
}

/** Gives the versions of which the cache has anything, be it files, records or a claim; sorted. No scope is all. */
export async function cachedVersions(layout: Layout, scopes: readonly Scope[] = []): Promise<VersionRef[]> {
  const versions: VersionRef[] = [];
  for (const project of await cachedNames(layout)) {
    if (scopes.length > 0 && !scopes.some((scope) => scope.project === project)) continue;
    for (const asset of await cachedNames(layout, project)) {
      for (const version of await cachedNames(layout, project, asset)) versions.push({ project, asset, version });
    }
  }
  return scopes.length === 0 ? versions : versions.filter((ref) => scopes.some((scope) => inScope(ref, scope)));
}

async function folders(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() || (entry.isSymbolicLink() && leadsToFolder(join(path, entry.name))))
      .map(({ name }) => name);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** A version's folder may have been moved to another disk. */
function leadsToFolder(link: string): boolean {
  try {
    return statSync(link).isDirectory();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return false;
    throw error;
  }
}
