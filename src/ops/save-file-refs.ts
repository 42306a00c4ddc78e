import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import type { Manifest, ManifestEntry } from '../model/manifest.ts';
import { type FileRef, formatRef, type VersionRef } from '../model/refs.ts';
import { groupContents, type SaveOptions, saveContents } from './save-contents.ts';
import { loadVersion } from './version-documents.ts';

/** Fetches files of any versions into the cache. Gives those that their versions do not have. */
export async function saveFileRefs(ctx: Context, files: readonly FileRef[], options: SaveOptions): Promise<FileRef[]> {
  const unknown: FileRef[] = [];
  for (const { ref, paths } of byVersion(files)) {
    const manifest = await manifestIfAny(ctx, ref, options);
    const wanted: Record<string, ManifestEntry> = Object.create(null);
    for (const path of paths) {
      const entry = manifest?.[path];
      if (entry === undefined) unknown.push({ ...ref, path });
      else wanted[path] = entry;
    }
    await saveContents(ctx, groupContents({ ref, manifest: wanted }), ref, options);
  }
  return unknown;
}

function byVersion(files: readonly FileRef[]): Iterable<{ ref: VersionRef; paths: string[] }> {
  const versions = new Map<string, { ref: VersionRef; paths: string[] }>();
  for (const { path, ...ref } of files) {
    const known = versions.get(formatRef(ref));
    if (known === undefined) versions.set(formatRef(ref), { ref, paths: [path] });
    else known.paths.push(path);
  }
  return versions.values();
}

/** Gives the files of a version; nothing if there is no such version, or not yet. */
export async function manifestIfAny(
  ctx: Context,
  ref: VersionRef,
  options: SaveOptions,
): Promise<Manifest | undefined> {
  try {
    return (await loadVersion(ctx, ref, options)).manifest;
  } catch (error) {
    if (isGypsumError(error, 'not-found') || isGypsumError(error, 'version-unfinished')) return undefined;
    throw error;
  }
}
