import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { type FileRef, fileOf } from '../model/refs.ts';
import { comparePaths, type EntryFacts, factsOf, withDirectories } from '../model/tree.ts';
import type { LocalSource } from '../model/upload-plan.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import { statThrough } from '../tree/stat-through.ts';
import { digestFiles } from './digest-files.ts';
import { fileChanged } from './file-changed.ts';
import { findChanged } from './find-changed.ts';
import { createSources, findFolderRecord, symlinkRule } from './folder-record.ts';
import { cachedPlace, type FoundLink, sentOf } from './found.ts';
import { readKept } from './kept-symlinks.ts';
import type { LoadedTree } from './load-tree.ts';
import { notMadeIn } from './standing-record.ts';
import type { VersionDocuments } from './version-documents.ts';

/** Something of a folder that no version can hold. */
export interface Skipped {
  readonly path: string;
  /** The end of a sentence that begins with the path. */
  readonly why: string;
}

/** What a version or a folder has, and where its files are to be had. */
export interface Comparable {
  /** With all folders, in the order of `comparePaths`. */
  readonly entries: readonly VersionEntry[];
  /** Gives the file of a version, or the absolute path of a local one. */
  locate(path: string): FileRef | string;
  /** What is left out of the comparison. */
  readonly skipped: readonly Skipped[];
}

export interface ReadComparableOptions extends CallOptions {
  /** The other side has symlinks: those of this one are kept, whether it has a tree record or not. */
  keepSymlinks: boolean;
  /** Documents of versions that are at hand. */
  loaded?: readonly VersionDocuments[];
}

export function comparableVersion({ ref, tree }: LoadedTree): Comparable {
  return { entries: tree.entries, locate: (path) => fileOf(ref, path), skipped: [] };
}

/**
 * Reads a folder, given by its real path, as it would be published. Links into the cache are what versions say, also where
 * they dangle, unless somebody wrote through them. Local files are read only if they were not digested before.
 */
export async function readComparable(
  ctx: Context,
  root: string,
  { keepSymlinks, loaded = [], ...options }: ReadComparableOptions,
): Promise<Comparable> {
  const record = await findFolderRecord(ctx, root, options);
  const symlinks = symlinkRule(keepSymlinks ? 'keep' : undefined, record);
  const { clone, notMade = [] } = record?.base ?? {};
  const reading = { ...options, loaded, symlinks, notMade: [...notMade, ...notMadeIn(root)] };
  const { entries: found } = await readKept(ctx, root, { ...reading, ...(clone !== undefined && { clone }) });
  const toSource = createSources(record?.base);
  const facts = new Map<string, EntryFacts>();
  const entries: VersionEntry[] = [];
  const links = new Map<string, FoundLink>();
  const local: LocalSource[] = [];
  const skipped: Skipped[] = [];
  const pace = createPace(options.signal);
  for (const entry of found) {
    if (pace.due()) await pace.rest();
    const { path, fault } = entry;
    const sent = sentOf(entry);
    const own = symlinks === 'follow' ? undefined : toSource(entry);
    if (own?.type === 'file') facts.set(path, own);
    if (fault !== undefined) skipped.push({ path, why: fault.why });
    else if (entry.type === 'link') links.set(path, entry);
    else if (sent !== undefined) local.push({ ...sent, source: join(root, path) });
    else if (own !== undefined && own.type !== 'file') entries.push(own);
  }
  const shared = [...links.values()].filter(({ how }) => how !== 'copy');
  for (const { path } of await findChanged(ctx, shared, (link) => cachedPlace(ctx, link), options)) {
    links.delete(path);
    const source = join(root, path);
    const stats = statThrough(source);
    if (!stats?.isFile()) throw fileChanged(source, undefined);
    local.push({ path, source, size: stats.size });
  }
  for (const { path, size, md5sum } of [...links.values(), ...(await digestFiles(ctx, local, options))]) {
    const digest = { algorithm: 'md5', hex: md5sum } as const;
    const file: VersionEntry = { type: 'file', path, size, digest };
    const known = facts.get(path);
    entries.push(known === undefined ? file : { ...file, ...factsOf(known) });
  }
  return {
    entries: withDirectories(entries.sort((a, b) => comparePaths(a.path, b.path))),
    locate: (path) => links.get(path)?.file ?? join(root, path),
    skipped,
  };
}
