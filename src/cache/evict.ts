import { rmdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from '../errors.ts';
import { INTERNAL_NAMES } from '../model/keys.ts';
import type { VersionRef } from '../model/refs.ts';
import { ownedName } from '../owned-name.ts';
import { moveInto, publishDocument, removeIfThere } from './atomic.ts';
import { statIfThere } from './blobs.ts';
import { makeCacheFolder } from './folders.ts';
import type { Layout } from './layout.ts';
import { type LockOptions, withLock } from './locks.ts';
import { removeTree } from './remove-tree.ts';

interface HandOverOptions extends LockOptions {
  /**
   * Asked when others can see already that the version is not whole any more: what they do from then on does not count on
   * it. Where it says no, nothing is removed.
   */
  isFree: () => Promise<boolean>;
}

export interface EvictOptions extends HandOverOptions {
  /** Forget its manifest and summary, too. */
  records: boolean;
}

/**
 * Takes a version's files out of the cache, for readers all at once, and gives the bytes of files that are free then; nothing
 * if it turned out to be in use. The blobs of its contents stay.
 */
export async function evictVersion(
  layout: Layout,
  ref: VersionRef,
  { records, ...options }: EvictOptions,
): Promise<number | undefined> {
  return whileNotWhole(layout, ref, options, async () => {
    const files = await takeAway(layout, layout.versionFolder(ref));
    if (await isClaimedAgain(layout, ref, files)) return undefined;
    const documents = records ? await takeAway(layout, layout.records(ref)) : undefined;
    if (documents !== undefined) await removeTree(documents);
    else await removeIfThere(layout.keptTree(ref));
    for (const path of [layout.complete(ref), layout.versionFolder(ref), layout.records(ref)]) tidyAbove(layout, path);
    return files === undefined ? 0 : removeTree(files, { signal: options.signal, uncounted: INTERNAL_NAMES });
  });
}

/** A file of a version, and the names that its content has as a blob. */
export interface EvictedFile {
  readonly path: string;
  readonly blobs: readonly string[];
}

/**
 * Takes some files of a version out of the cache, and blobs that no version has then; gives the bytes that are free by
 * that, or nothing if it turned out that they are needed.
 */
export async function evictFiles(
  layout: Layout,
  ref: VersionRef,
  files: readonly EvictedFile[],
  options: HandOverOptions,
): Promise<number | undefined> {
  return whileNotWhole(layout, ref, options, async () => {
    let freed = 0;
    try {
      for (const { path, blobs } of files) {
        options.signal?.throwIfAborted();
        freed += await removeTree(path);
        tidyAbove(layout, path);
        for (const blob of blobs) if (statIfThere(blob)?.nlink === 1) freed += await removeTree(blob);
      }
    } finally {
      // Where locks lie, somebody may have said meanwhile that all is there.
      await removeIfThere(layout.complete(ref));
    }
    return freed;
  });
}

/**
 * Whether somebody has said that a version is whole while it was taken away, as may be where locks lie: then it is put back,
 * since a clone may count on it by now. Who says so after we have looked finds that it is gone, for he looks then.
 */
async function isClaimedAgain(layout: Layout, ref: VersionRef, files: string | undefined): Promise<boolean> {
  const claim = layout.complete(ref);
  if (statIfThere(claim) === undefined) return false;
  if (files !== undefined && (await putBack(layout, files, layout.versionFolder(ref)))) return true;
  await removeIfThere(claim);
  return false;
}

/** Moves a folder back to its place, unless somebody has begun to make it anew there; says whether it did. */
async function putBack(layout: Layout, away: string, folder: string): Promise<boolean> {
  try {
    await moveInto(layout, away, folder);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'EPERM')) return false;
    throw error;
  }
}

/** Does some work when nobody is told any more that a version is whole, unless it turns out to be in use. */
async function whileNotWhole<T>(
  layout: Layout,
  ref: VersionRef,
  { isFree, ...options }: HandOverOptions,
  work: () => Promise<T>,
): Promise<T | undefined> {
  return withLock(
    layout,
    layout.lock(ref),
    async () => {
      const claim = layout.complete(ref);
      const claimed = statIfThere(claim) !== undefined;
      await removeIfThere(claim);
      if (await isFree()) return work();
      if (claimed) await publishDocument(layout, claim, '');
      return undefined;
    },
    options,
  );
}

/** Removes the folders above a path, as far as they are empty, but for the cache's own. */
function tidyAbove({ root }: Layout, path: string): void {
  for (let folder = dirname(path); dirname(folder) !== root && folder !== root; folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch (error) {
      if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EACCES', 'EPERM')) return;
      if (!isSystemError(error, 'ENOENT')) throw error;
    }
  }
}

/** Moves a folder to where nobody looks for it; of one that was moved to another disk, the link. */
async function takeAway(layout: Layout, folder: string): Promise<string | undefined> {
  const away = layout.incoming(ownedName());
  makeCacheFolder(layout, layout.incomings);
  try {
    await rename(folder, away);
    return away;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
