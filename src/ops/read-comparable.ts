import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { manifestTree } from '../model/manifest-tree.ts';
import { type FileRef, fileOf } from '../model/refs.ts';
import { comparePaths, type KnownFile } from '../model/tree.ts';
import type { LocalSource } from '../model/upload-plan.ts';
import { statThrough } from '../tree/stat-through.ts';
import { digestFiles } from './digest-files.ts';
import { fileChanged } from './file-changed.ts';
import { findChanged } from './find-changed.ts';
import { cachedPlace, type FoundLink, sentOf } from './found.ts';
import { readFolder } from './read-folder.ts';
import type { VersionDocuments } from './version-documents.ts';

/** Something of a folder that no version can hold. */
export interface Skipped {
  readonly path: string;
  /** The end of a sentence that begins with the path. */
  readonly why: string;
}

/** The files of a version or a folder, and where each is to be had. */
export interface Comparable {
  /** In the order of `comparePaths`. */
  readonly files: readonly KnownFile[];
  /** Gives the file of a version, or the absolute path of a local one. */
  locate(path: string): FileRef | string;
  /** What is left out of the comparison. */
  readonly skipped: readonly Skipped[];
}

export function comparableVersion({ ref, manifest }: VersionDocuments): Comparable {
  return { files: manifestTree(manifest), locate: (path) => fileOf(ref, path), skipped: [] };
}

/**
 * Reads a folder, given by its real path, as it would be published. Links into the cache are what versions say, also where
 * they dangle, unless somebody wrote through them. Local files are read only if they were not digested before.
 */
export async function readComparable(
  ctx: Context,
  root: string,
  { loaded = [], ...options }: CallOptions & { loaded?: readonly VersionDocuments[] },
): Promise<Comparable> {
  const { entries } = await readFolder(ctx, root, { ...options, loaded });
  const links = new Map<string, FoundLink>();
  const local: LocalSource[] = [];
  const skipped: Skipped[] = [];
  const pace = createPace(options.signal);
  for (const entry of entries) {
    if (pace.due()) await pace.rest();
    const { path, fault } = entry;
    const sent = sentOf(entry);
    if (fault !== undefined) skipped.push({ path, why: fault.why });
    else if (entry.type === 'link') links.set(path, entry);
    else if (sent !== undefined) local.push({ ...sent, source: join(root, path) });
  }
  const shared = [...links.values()].filter(({ how }) => how !== 'copy');
  for (const { path } of await findChanged(ctx, shared, (link) => cachedPlace(ctx, link), options)) {
    links.delete(path);
    const source = join(root, path);
    const stats = statThrough(source);
    if (!stats?.isFile()) throw fileChanged(source, undefined);
    local.push({ path, source, size: stats.size });
  }
  const files: KnownFile[] = [];
  for (const { path, size, md5sum } of [...links.values(), ...(await digestFiles(ctx, local, options))]) {
    files.push({ type: 'file', path, size, digest: { algorithm: 'md5', hex: md5sum } });
  }
  return {
    files: files.sort((a, b) => comparePaths(a.path, b.path)),
    locate: (path) => links.get(path)?.file ?? join(root, path),
    skipped,
  };
}
