import { openLocalRepository } from '../tree/local-repository.ts';
import { checkReplicaFolders } from './check-replica-folders.ts';
import { keepReplica } from './keep-replica.ts';
import type { ReplicateOptions } from './replicate-options.ts';

/**
 * Has a folder be a replica of another one, and stay one, until it is told to end: changes of the source are carried over, and what
 * others do to the replica is undone. Contents are compared, and what was read once is remembered by the stamps of files, in
 * `stateDir` also from one process to the next.
 *
 * Throws as `syncFolders` does, where that is so when it begins; later errors are heard of, and it goes on.
 */
export async function replicateFolders(source: string, destination: string, options: ReplicateOptions): Promise<void> {
  const { written, followLinks, signal } = options;
  await keepReplica(
    {
      check: () => checkReplicaFolders(source, destination, written),
      open: (folders) =>
        openLocalRepository(folders.source, {
          followOutside: followLinks ? folders.destination : undefined,
          signal,
        }),
    },
    options,
  );
}
