import { join } from 'node:path';
import { diskClock } from '../cache/disk-clock.ts';
import { abandonedIncoming } from '../cache/incoming.ts';
import { namesIn } from '../cache/names-in.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { type Count, countFiles } from '../model/count.ts';
import { entryDigest, entryProject } from '../model/manifest.ts';
import type { VersionRef } from '../model/refs.ts';
import type { Keeper } from './keepers.ts';
import { measureTree } from './measure-tree.ts';
import { storedManifest } from './stored-manifest.ts';
import { type Inode, isOnlyHere, type Survey, type SurveyedVersion } from './survey-cache.ts';

/** What would go from the cache, what would stay, and why. */
export interface RemovalPlan {
  readonly versions: readonly RemovedVersion[];
  /** Versions that were meant, too, and are needed. */
  readonly kept: readonly KeptVersion[];
  /** The files of contents that no version has then. */
  readonly blobs: readonly string[];
  /** What processes have left behind that were ended before they were done. */
  readonly leftovers: readonly string[];
  /** What was moved aside since it was not what it had to be. */
  readonly damaged: readonly string[];
  /** What was replaced in clones, by the call that did it. */
  readonly trash: readonly string[];
  /** Where clones were that cannot be found, and of which the cache will know no more. */
  readonly forgotten: readonly string[];
  /** How much is free then. Units: bytes */
  readonly freed: number;
}

export interface RemovedVersion extends VersionRef, Count {
  readonly lastUsed?: Date;
  /** Clones of it whose files are their own: they stay as they are, and can be published. Absent where there are none. */
  readonly copies?: readonly string[];
}

export interface KeptVersion extends VersionRef, Count {
  readonly keptBy: readonly Keeper[];
}

/** What removing versions frees, one after the other: contents that others have, too, are free with the last of them. */
export interface Release {
  /** Removes one more, and gives the bytes that are free by that. */
  add(version: SurveyedVersion): number;
  /** Gives the blobs that no version has then. */
  blobs(): string[];
}

export function createRelease(): Release {
  const gone = new Map<Inode, number>();
  const isFree = (inode: Inode) => gone.get(inode) === inode.files && isOnlyHere(inode);
  return {
    add({ files }) {
      let freed = 0;
      for (const inode of files.values()) {
        gone.set(inode, (gone.get(inode) ?? 0) + 1);
        if (isFree(inode)) freed += inode.size;
      }
      return freed;
    },
    blobs: () => [...gone.keys()].filter(isFree).flatMap(({ blobs }) => blobs),
  };
}

export function toRemove({ ref, files, lastUsed }: SurveyedVersion, copies: readonly string[]): RemovedVersion {
  const used = lastUsed === undefined ? {} : { lastUsed };
  return { ...ref, ...countFiles(files.values()), ...used, ...(copies.length > 0 && { copies }) };
}

export function toKeep({ ref, files }: SurveyedVersion, keptBy: readonly Keeper[]): KeptVersion {
  return { ...ref, ...countFiles(files.values()), keptBy };
}

/** Units: milliseconds. A blob so young may be about to become a version's file. */
const YOUNG = 60_000;

/** Finds the blobs that no version has already. */
export async function findUnused(ctx: Context, { versions, inodes }: Survey): Promise<Inode[]> {
  const before = (await diskClock(ctx.cache.layout)) - YOUNG;
  const unused = inodes.filter((inode) => inode.files === 0 && isOnlyHere(inode) && inode.written < before);
  if (unused.length === 0) return [];
  const copied = await copiedBlobs(ctx, versions);
  return unused.filter(({ blobs }) => !blobs.some((blob) => copied.has(blob)));
}

/** Where files are no hard links, it is their content that says whose blob is in use. */
async function copiedBlobs(ctx: Context, versions: readonly SurveyedVersion[]): Promise<Set<string>> {
  const { layout } = ctx.cache;
  const blobs = new Set<string>();
  for (const { ref, files } of versions) {
    const single = [...files].filter(([, inode]) => inode.names === 1).map(([path]) => path);
    const manifest = single.length === 0 ? undefined : await storedManifest(ctx, ref);
    for (const path of single) {
      const entry = manifest?.[path];
      if (entry === undefined) continue;
      const project = entryProject(ref, entry);
      for (const blob of [layout.blob, layout.executable]) blobs.add(blob(project, entryDigest(entry)));
    }
  }
  return blobs;
}

/** Finds what is half-made and nobody's, the trash, and if that is asked for what was moved aside; with its bytes. */
export async function findRubbish(
  ctx: Context,
  { damaged }: { damaged: boolean },
  options: CallOptions,
): Promise<Pick<RemovalPlan, 'leftovers' | 'damaged' | 'trash' | 'freed'>> {
  const { layout } = ctx.cache;
  const leftovers = await abandonedIncoming(layout, await diskClock(layout));
  const aside = damaged ? (await namesIn(layout.damages)).map((name) => join(layout.damages, name)) : [];
  const trash = (await namesIn(layout.trash)).map(layout.trashed);
  let freed = 0;
  for (const path of [...leftovers, ...aside, ...trash]) freed += await measureTree(path, options);
  return { leftovers, damaged: aside, trash, freed };
}
