import { createHash } from 'node:crypto';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import { createPace } from '../give-way.ts';
import type { AssetRef } from '../model/refs.ts';
import { readIgnoreFile } from '../tree/ignore-file.ts';
import { openLocalRepository } from '../tree/local-repository.ts';
import type { ReplicaEntry } from '../tree/replica-entry.ts';
import { createBackOff } from './back-off.ts';
import { createHints } from './change-hints.ts';
import { checkPublishedFolder } from './check-replica-folders.ts';
import { claimAsset, createExclusion, publishFolder } from './publish-folder.ts';
import { type AssetSyncResult, faultsOf, type ReplicateToAssetOptions } from './publish-options.ts';
import { repeat } from './repeat.ts';

/**
 * Publishes a folder to an asset whenever it has changed and then come to rest, until it is told to end: each time is a version that
 * can be cloned. Nothing is remembered but in the registry, so that it can be started again anywhere.
 *
 * Throws as `syncToAsset` does, where that is so of the folder and the asset when it begins; whatever goes wrong later is heard of,
 * and tried again, later and later.
 */
export async function replicateToAsset(
  ctx: Context,
  folder: string,
  asset: AssetRef,
  options: ReplicateToAssetOptions,
): Promise<void> {
  const { every, settle = SETTLE, signal, written, stateDir } = options;
  signal?.throwIfAborted();
  if (!(every >= 1 && Number.isFinite(every) && settle >= 0 && Number.isFinite(settle))) {
    throw new GypsumError('invalid-argument', 'These are no times to look for changes, and to wait for rest.', {
      hint: 'Give 1 millisecond or more, and 0 or more.',
      details: { every, settle },
    });
  }
  checkPublishedFolder(folder, written);
  const release = claimAsset(ctx, asset, stateDir);
  try {
    await keepPublishing(ctx, folder, asset, settle, options);
  } finally {
    release?.();
  }
  signal?.throwIfAborted();
}

/** Units: milliseconds */
const SETTLE = 30_000;

async function keepPublishing(
  ctx: Context,
  folder: string,
  asset: AssetRef,
  settle: number,
  options: ReplicateToAssetOptions,
): Promise<void> {
  const { every, until, signal, written, scanEvery = 60_000, watch = true, onResult, onError, onUnwatched } = options;
  const ended = signal === undefined ? until : AbortSignal.any([until, signal]);
  const hints = createHints([checkPublishedFolder(folder, written)], { scanEvery, watch, onLost: onUnwatched });
  const retry = createBackOff(Math.max(every, settle));
  const isNews = createNews();
  /** How the folder was when it was last looked at, since when, and when it was last published. */
  let seen = '';
  let since = 0;
  let settled = '';
  let isFirst = true;

  const run = async (): Promise<boolean> => {
    if (!retry.isDue()) return true;
    if (hints.take()) {
      const source = checkPublishedFolder(folder, written);
      const now = await signOf(ctx, source, { ...options, signal: ended });
      if (now !== seen) since = performance.now();
      seen = now;
      // Whether all is quiet is to be known when that is due.
      hints.done(true, false);
    }
    if (seen === settled || performance.now() - since < settle) return true;
    const source = checkPublishedFolder(folder, written);
    // What nobody has been told of yet is seen the next time.
    const result = await publishFolder(ctx, source, asset, { ...options, signal: ended });
    settled = seen;
    isFirst = false;
    retry.done();
    if (isNews(result)) onResult?.(result);
    return true;
  };
  try {
    await repeat(run, {
      every,
      until: ended,
      onError(error) {
        if (ended.aborted && error === ended.reason) return;
        // A folder that comes back is another one.
        hints.fail();
        retry.fail();
        // What is wrong from the beginning does not become right by itself.
        if (isFirst && (isLasting(error) || ctx.registry.isOffline)) throw error;
        onError?.(error);
      },
    });
  } finally {
    await hints.close();
  }
}

/** Says whether a version was made, or other entries are wrong than before. */
function createNews(): (result: AssetSyncResult) => boolean {
  let before = '';
  return (result) => {
    const faults = JSON.stringify(faultsOf(result));
    const isNew = result.published || faults !== before;
    before = faults;
    return isNew;
  };
}

/** Whether nothing but another command helps. */
function isLasting(error: unknown): boolean {
  return (
    isGypsumError(error, 'invalid-argument') ||
    isGypsumError(error, 'unauthorized') ||
    isGypsumError(error, 'forbidden') ||
    isGypsumError(error, 'destination-refused')
  );
}

/** Gives what is another text as soon as anything has changed in a folder that a version would tell; contents are not read. */
async function signOf(
  ctx: Context,
  source: string,
  { signal, ...options }: Pick<ReplicateToAssetOptions, 'exclude' | 'stateDir' | 'signal'>,
): Promise<string> {
  const isExcluded = createExclusion(ctx, source, options);
  const rules = readIgnoreFile(source);
  const repository = openLocalRepository(source, { signal });
  try {
    const { entries, unreadable } = await repository.list({
      skip: (path, isFolder) => isExcluded(path, isFolder) || rules?.ignores(path, isFolder) === true,
      stamps: true,
      signal,
    });
    const hash = createHash('sha256');
    const pace = createPace(signal);
    for (const entry of entries) {
      if (pace.due()) await pace.rest();
      hash.update(`${JSON.stringify(signed(entry))}\n`);
    }
    for (const { path } of unreadable) hash.update(`${JSON.stringify(path)}\n`);
    return hash.digest('hex');
  } finally {
    repository.close();
  }
}

/** What is left out of a folder, such as a log that never rests, gives the folder another time. */
function signed(entry: ReplicaEntry): ReplicaEntry {
  return entry.type === 'directory' ? { ...entry, mtime: 0 } : entry;
}
