import { readFile } from 'node:fs/promises';
import { isExecutable, statIfThere } from '../cache/blobs.ts';
import type { Content } from '../cache/contents.ts';
import { makeExecutable } from '../cache/executables.ts';
import type { Layout } from '../cache/layout.ts';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import type { VersionRef } from '../model/refs.ts';
import { MAX_TREE_RECORD, parseTreeRecord, type RecordEntry, TREE_RECORD } from '../model/tree-record.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import { fingerprintsOf, openMemory } from './memory.ts';

/** Gives the paths of the files that somebody may execute. */
export function programsOf(entries: readonly (VersionEntry | RecordEntry)[]): ReadonlySet<string> {
  return new Set(entries.flatMap((entry) => (entry.type === 'file' && (entry.mode ?? 0) & 0o111 ? [entry.path] : [])));
}

/** Makes cached files executable that are `programs` of their version, as far as they are there; others are left alone. */
export async function makeExecutables(
  ctx: Context,
  contents: Iterable<Content>,
  programs: ReadonlySet<string>,
  { signal }: CallOptions,
): Promise<void> {
  if (programs.size === 0 || process.platform === 'win32') return;
  const { layout } = ctx.cache;
  const pace = createPace(signal);
  const open: Content[] = [];
  for (const content of contents) {
    const files = content.files.filter((file) => programs.has(file.path) && isToBeMade(layout.file(file)));
    if (files.length > 0) open.push({ ...content, files });
    if (pace.due()) await pace.rest();
  }
  if (open.length === 0) return;
  const memory = await openMemory(ctx, open);
  for (const content of open) {
    const prints = fingerprintsOf(memory, content.source.project);
    for (const file of content.files) await makeExecutable(layout, prints, content, file, signal);
  }
  for (const prints of memory.values()) await prints.flush(signal);
}

function isToBeMade(path: string): boolean {
  const stats = statIfThere(path);
  return stats?.isFile() === true && !isExecutable(stats);
}

/** Gives the programs of a version as far as the cache has its record: that is all that a permission is worth. */
export async function cachedPrograms(layout: Layout, ref: VersionRef): Promise<ReadonlySet<string>> {
  const { project, asset, version } = ref;
  const path = layout.file({ project, asset, version, path: TREE_RECORD });
  const stats = statIfThere(path);
  if (!stats?.isFile() || stats.size > MAX_TREE_RECORD) return new Set();
  try {
    return programsOf(parseTreeRecord(await readFile(path, 'utf8'), ref).entries);
  } catch (error) {
    // Whoever wants more of it than permissions is told.
    if (!isGypsumError(error, 'invalid-manifest')) throw error;
    return new Set();
  }
}
