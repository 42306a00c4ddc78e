import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { nameFault } from '../model/names.ts';
import { inScope, type Scope, type VersionRef } from '../model/refs.ts';
import { statIfThere } from './blobs.ts';
import type { Layout } from './layout.ts';

/** Gives the names that the cache knows below others: projects, a project's assets, or an asset's versions; sorted. */
export async function cachedNames(layout: Layout, ...above: readonly string[]): Promise<string[]> {
  if (above.some((name) => nameFault(name) !== undefined)) return [];
  return namesBelow([layout.bucket, layout.versions], above);
}

/** Gives the versions of which the cache has anything, be it files, records or a claim; sorted. No scope is all. */
export async function cachedVersions(layout: Layout, scopes: readonly Scope[] = []): Promise<VersionRef[]> {
  const roots = [layout.bucket, layout.versions, layout.status];
  const isMeant = (ref: Scope) => scopes.length === 0 || scopes.some((scope) => overlap(ref, scope));
  const versions: VersionRef[] = [];
  for (const project of await namesBelow(roots, [])) {
    if (!isMeant({ project })) continue;
    for (const asset of await namesBelow(roots, [project])) {
      if (!isMeant({ project, asset })) continue;
      for (const version of await namesBelow(roots, [project, asset])) {
        const ref = { project, asset, version };
        if (isMeant(ref) && hasAnything(layout, ref)) versions.push(ref);
      }
    }
  }
  return versions;
}

/** Whether one of two scopes is in the other. */
function overlap(a: Scope, b: Scope): boolean {
  return inScope(a, b) || inScope(b, a);
}

/** A folder for a claim may hold another client's lock and no claim. */
function hasAnything(layout: Layout, ref: VersionRef): boolean {
  const places = [layout.versionFolder(ref), layout.records(ref), layout.complete(ref)];
  return places.some((place) => statIfThere(place) !== undefined);
}

async function namesBelow(roots: readonly string[], above: readonly string[]): Promise<string[]> {
  const found = await Promise.all(roots.map((root) => folders(join(root, ...above))));
  return [...new Set(found.flat())].filter((name) => nameFault(name) === undefined).sort();
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
