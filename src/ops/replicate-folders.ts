import { readdirSync } from 'node:fs';
import { GypsumError, isGypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { claimReplica } from '../state/replica-claims.ts';
import { openReplicaState } from '../state/replica-state.ts';
import { openLocalRepository } from '../tree/local-repository.ts';
import type { Operation } from '../tree/replica-plan.ts';
import { createHints } from './change-hints.ts';
import { checkReplicaFolders, type ReplicaFolders } from './check-replica-folders.ts';
import { repeat } from './repeat.ts';
import { createReplicaMemory, type GuardName, type LastingMemory } from './replica-memory.ts';
import { replicateOnce } from './replicate-once.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncFailure, SyncResult } from './sync-result.ts';

export interface ReplicateOptions extends Omit<SyncOptions, 'dryRun' | 'onOperation'> {
  /** How often changes are looked for. Units: milliseconds, 1 or more */
  every: number;
  /** Ends it behind the file in hand, and without an error; `signal` stops at once. */
  until: AbortSignal;
  /** How often both folders are read though the system tells of no change. Units: milliseconds. @default 60,000 */
  scanEvery?: number;
  /** Have the system tell of changes, where it can, so that folders in which nothing happens are not read. @default true */
  watch?: boolean;
  /** Refuse a destination that holds anything when it begins. @default false */
  requireEmpty?: boolean;
  /** Hears of each operation that was carried out; of one that undoes what others did to the replica, what that is called. */
  onOperation?: ((operation: Operation, digest?: string, guard?: GuardName) => void) | undefined;
  /** Hears of each time in which something was done, or went wrong that did not before. */
  onResult?: ((result: SyncResult) => void) | undefined;
  /** Hears of an error that has ended one time; there will be another one. */
  onError?: ((error: unknown) => void) | undefined;
  /** Hears that the system tells of no changes, and why: folders are read each time, then. */
  onUnwatched?: ((error: Error) => void) | undefined;
  /** Hears where what was remembered of the folders is, if it could not be used. */
  onSetAside?: ((path: string) => void) | undefined;
}

/**
 * Has a folder be a replica of another one, and stay one, until it is told to end: changes of the source are carried over, and what
 * others do to the replica is undone. Contents are compared, and what was read once is remembered by the stamps of files, in
 * `stateDir` also from one process to the next.
 *
 * Throws as `syncFolders` does, where that is so when it begins; later errors are heard of, and it goes on.
 */
export async function replicateFolders(source: string, destination: string, options: ReplicateOptions): Promise<void> {
  const { every, signal, stateDir, written, requireEmpty = false } = options;
  signal?.throwIfAborted();
  if (!(every >= 1 && Number.isFinite(every))) {
    throw new GypsumError('invalid-argument', `Changes cannot be looked for every ${every} milliseconds.`, {
      hint: 'Give 1 or more.',
      details: { every },
    });
  }
  const folders = checkReplicaFolders(source, destination, written);
  if (requireEmpty) checkEmpty(folders);
  const release = stateDir === undefined ? undefined : claimReplica(stateDir, folders.destination);
  try {
    await keepOn(folders, options);
  } finally {
    release?.();
  }
  signal?.throwIfAborted();
}

async function keepOn(folders: ReplicaFolders, options: ReplicateOptions): Promise<void> {
  const { every, until, signal, stateDir, checksum = false, scanEvery = 60_000, watch = true, requireEmpty } = options;
  const { onUnwatched, onSetAside, onError } = options;
  const state = openReplicaState(stateDir, folders.source, folders.destination);
  if (state.setAside !== undefined) onSetAside?.(state.setAside);
  const memory = createReplicaMemory(state, { rereads: checksum, isNew: requireEmpty === true });
  const hints = createHints([folders.source, folders.destination], { scanEvery, watch, onLost: onUnwatched });
  const told = createTeller(options);
  let isFirst = true;
  const run = async (): Promise<boolean> => {
    if (!hints.take()) return true;
    const result = await tick(folders, { ...options, memory });
    isFirst = false;
    if (!result.stopped) memory.keep(new Set(result.failures.map(({ path }) => path)));
    told(result);
    hints.done(result.failures.length === 0);
    return true;
  };
  try {
    await repeat(run, {
      every,
      until: signal === undefined ? until : AbortSignal.any([until, signal]),
      onError(error) {
        hints.fail();
        // What is wrong from the beginning does not become right by itself.
        if (isFirst && isGypsumError(error)) throw error;
        if (signal?.aborted !== true) onError?.(error);
      },
    });
  } finally {
    state.close();
    await hints.close();
  }
}

async function tick(
  { source, destination }: ReplicaFolders,
  options: ReplicateOptions & { memory: LastingMemory },
): Promise<SyncResult> {
  const { written, followLinks, signal, memory, onOperation } = options;
  // They may have gone, or become others.
  const folders = checkReplicaFolders(source, destination, written);
  const followOutside = followLinks ? folders.destination : undefined;
  const from = openLocalRepository(folders.source, { followOutside, signal });
  try {
    return await replicateOnce(folders, from, {
      ...options,
      checksum: true,
      digests: true,
      onFailure: undefined,
      onOperation: (operation, digest) => onOperation?.(operation, digest, memory.guardName(operation)),
    });
  } finally {
    from.close();
  }
}

/** Tells of what fails once, as long as it goes on failing. */
function createTeller({ onFailure, onResult }: ReplicateOptions): (result: SyncResult) => void {
  let before = new Set<string>();
  const nameOf = ({ path, message }: SyncFailure) => `${path}\0${message}`;
  return (result) => {
    const failures = result.failures.filter((failure) => !before.has(nameOf(failure)));
    before = new Set(result.failures.map(nameOf));
    for (const failure of failures) onFailure?.(failure);
    if (result.operations.length + failures.length > 0) onResult?.(result);
  };
}

function checkEmpty({ destination, isMissing }: ReplicaFolders): void {
  if (isMissing || readdirSync(fsPath(destination)).length === 0) return;
  throw new GypsumError('destination-refused', `${showText(destination)} is not empty.`, {
    hint: 'Leave out requireEmpty (--require-empty) to have what is there compared, and become what the source is.',
    details: { destination },
  });
}
