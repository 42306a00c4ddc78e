import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { type Ref, sameVersion, type VersionRef } from '../model/refs.ts';
import { claimReplica } from '../state/replica-claims.ts';
import { openReplicaState } from '../state/replica-state.ts';
import { assetId, assetName } from './asset-name.ts';
import { openAssetRepository } from './asset-repository.ts';
import { createBackOff } from './back-off.ts';
import { checkAssetReplica, type ReplicaFolders } from './check-replica-folders.ts';
import { fetchLatest } from './fetch-latest.ts';
import { keepReplica } from './keep-replica.ts';
import { createReplicaMemory } from './replica-memory.ts';
import { replicateOnce } from './replicate-once.ts';
import type { ReplicateOptions } from './replicate-options.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncResult } from './sync-result.ts';

/**
 * Has a folder be a replica of a version, without `version` of the latest one, as `syncFolders` does of a folder. A listing needs its
 * manifest and tree record alone; all contents that are wanted are fetched into the cache, and verified, before anything is changed.
 *
 * Contents are named by MD5, as in manifests, also those of the folder, and all are compared: a version's times do not tell them. What was
 * read once is remembered in `stateDir`. Throws what `syncFolders` and `saveVersion` throw.
 */
export async function syncFromAsset(
  ctx: Context,
  ref: Ref,
  destination: string,
  options: SyncOptions = {},
): Promise<SyncResult> {
  const { signal, onEvent, dryRun = false, checksum = false } = options;
  signal?.throwIfAborted();
  const folders = check(ctx, ref, destination, options);
  const stateDir = dryRun ? undefined : options.stateDir;
  const release = stateDir === undefined ? undefined : claimReplica(stateDir, folders.destination);
  try {
    const state = openReplicaState(stateDir, assetId(ctx, ref), folders.destination);
    const memory = createReplicaMemory(state, { rereads: checksum });
    try {
      const from = openAssetRepository(ctx, ref, { signal, onEvent });
      const result = await replicateOnce(folders, from, { ...options, checksum: true, digests: true, memory });
      if (!result.stopped && !dryRun) memory.keep(new Set(result.failures.map(({ path }) => path)));
      return result;
    } finally {
      state.close();
    }
  } finally {
    release?.();
  }
}

/**
 * Has a folder be a replica of an asset's latest version, or of the one that is named, and stay one until it is told to end, as
 * `replicateFolders` does. The registry is asked every `every` milliseconds for the latest version; while it cannot be reached, that is
 * tried later and later, and the folder stays what the last version was.
 *
 * Throws as `syncFromAsset` does, where that is so when it begins; a registry that cannot be reached then is waited for.
 */
export async function replicateFromAsset(
  ctx: Context,
  ref: Ref,
  destination: string,
  options: ReplicateOptions,
): Promise<void> {
  const { signal, onEvent, every, until } = options;
  const call = { signal: signal === undefined ? until : AbortSignal.any([signal, until]), onEvent };
  // What nobody may be asked for does not become known by itself.
  if (ctx.registry.isOffline && ref.version === undefined) await fetchLatest(ctx, ref, call);
  const follow = createFollower(ctx, ref, every, call);
  await keepReplica(
    {
      id: assetId(ctx, ref),
      check: () => check(ctx, ref, destination, options),
      open: () => openAssetRepository(ctx, follow.version ?? ref, { signal, onEvent }),
      isNew: follow.isNew,
    },
    options,
  );
}

/** Says which version is the latest, as far as anybody knows. */
function createFollower(ctx: Context, { version, ...asset }: Ref, every: number, call: CallOptions) {
  const retry = createBackOff(every);
  let latest: VersionRef | undefined = version === undefined ? undefined : { ...asset, version };
  return {
    get version() {
      return latest;
    },
    async isNew(onError: ((error: unknown) => void) | undefined): Promise<boolean> {
      if (version !== undefined || !retry.isDue()) return false;
      try {
        const next = await fetchLatest(ctx, asset, call);
        retry.done();
        const isNew = latest === undefined || !sameVersion(next, latest);
        latest = next;
        return isNew;
      } catch (error) {
        if (latest === undefined || call.signal?.aborted) throw error;
        retry.fail();
        onError?.(error);
        return false;
      }
    },
  };
}

function check(
  { cache, site }: Context,
  ref: Ref,
  destination: string,
  { written, followLinks = false }: SyncOptions,
): ReplicaFolders {
  if (followLinks) {
    throw new GypsumError('invalid-argument', 'Symlinks of a version cannot be followed.', {
      hint: 'Leave that out, or have "gypsum get --follow-links" make a copy.',
    });
  }
  const caches = [cache.layout.root, ...(site === undefined ? [] : [site.layout.root])];
  return checkAssetReplica(assetName(ref), destination, { caches, written });
}
