import { claimReplica } from '../state/replica-claims.ts';
import { openLocalRepository } from '../tree/local-repository.ts';
import { checkReplicaFolders } from './check-replica-folders.ts';
import { replicateOnce } from './replicate-once.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncResult } from './sync-result.ts';

/**
 * Has a folder be a replica of another one: contents, symlinks, empty folders, modes and times. Twice is the same as once.
 *
 * What could not be done is in the result, and the rest is done. Nothing outside of the destination is changed. Throws
 * `invalid-argument` where the two have something in common, `destination-refused` where more than half of what the destination has
 * would go, `in-use` where another process writes to it.
 */
export async function syncFolders(source: string, destination: string, options: SyncOptions = {}): Promise<SyncResult> {
  const { signal, stateDir, dryRun = false } = options;
  signal?.throwIfAborted();
  const folders = checkReplicaFolders(source, destination, options.written);
  const release = stateDir === undefined || dryRun ? undefined : claimReplica(stateDir, folders.destination);
  const from = openLocalRepository(folders.source, {
    followOutside: options.followLinks ? folders.destination : undefined,
    signal,
  });
  try {
    return await replicateOnce(folders, from, options);
  } finally {
    from.close();
    release?.();
  }
}
