import type { Stats } from 'node:fs';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { isFromSystem } from '../errors.ts';
import { type Fingerprint, fingerprintOf } from '../model/fingerprint.ts';
import { type PackableTree, packTree, unpackTree } from '../model/packed-tree.ts';
import type { VersionRef } from '../model/refs.ts';
import { TREE_RECORD } from '../model/tree-record.ts';
import { ownedName } from '../owned-name.ts';
import { removeIfThere } from './atomic.ts';
import { statIfThere } from './blobs.ts';
import { diskClock } from './disk-clock.ts';
import { documentMode } from './folders.ts';
import type { Layout } from './layout.ts';

/** How the files look that the tree of a version is read from; null for one that is not there. */
export interface TreeSources {
  readonly manifest: Fingerprint | null;
  readonly record: Fingerprint | null;
}

export function treeSources(layout: Layout, ref: VersionRef): TreeSources {
  const look = (path: string) => printOf(statIfThere(path));
  return { manifest: look(layout.record(ref, 'manifest')), record: look(layout.file({ ...ref, path: TREE_RECORD })) };
}

function printOf(stats: Stats | undefined): Fingerprint | null {
  return stats === undefined ? null : fingerprintOf(stats);
}

/**
 * The largest kept tree that is read: of a million entries with long names.
 *
 * Units: bytes
 */
const MAX_KEPT = 384 * 1024 * 1024;

/** Gives the tree of a version as it was kept; nothing where none was, what it was read from has changed, or it is damaged. */
export async function readKeptTree(layout: Layout, ref: VersionRef): Promise<PackableTree | undefined> {
  const path = layout.keptTree(ref);
  const stats = statIfThere(path);
  if (!stats?.isFile() || stats.size > MAX_KEPT) return undefined;
  const sources = treeSources(layout, ref);
  if (sources.manifest === null) return undefined;
  try {
    return unpackTree(await readFile(path, 'utf8'), sources);
  } catch (error) {
    if (isFromSystem(error)) return undefined;
    throw error;
  }
}

/**
 * Keeps the tree of a version that was read from `sources`, beside its manifest: it goes with that. A cache that cannot be written
 * to goes without.
 */
export async function keepTree(
  layout: Layout,
  ref: VersionRef,
  tree: PackableTree,
  sources: TreeSources,
): Promise<void> {
  const content = sources.manifest === null ? undefined : packTree(tree, sources);
  if (content === undefined) return;
  try {
    // A change within one tick of the clock would go unseen: then it is kept next time.
    const last = Math.max(...[sources.manifest, sources.record].map((print) => print?.[4] ?? 0));
    if ((await diskClock(layout)) <= last || !isDeepStrictEqual(treeSources(layout, ref), sources)) return;
    await put(layout, content, layout.keptTree(ref));
  } catch (error) {
    if (!isFromSystem(error)) throw error;
  }
}

/** Writes a file as a whole. Its folder is not made: where somebody has just removed the version, nothing of it may come back. */
async function put(layout: Layout, content: string, target: string): Promise<void> {
  const incoming = layout.incoming(ownedName());
  try {
    await writeFile(incoming, content, { flag: 'wx', mode: 0o600 });
    await chmod(incoming, documentMode(layout));
    await rename(incoming, target);
  } catch (error) {
    await removeIfThere(incoming);
    throw error;
  }
}
