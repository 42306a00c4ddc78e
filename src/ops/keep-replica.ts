import { readdirSync } from 'node:fs';
import { GypsumError, isGypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { claimReplica } from '../state/replica-claims.ts';
import { openReplicaState } from '../state/replica-state.ts';
import type { Repository } from '../tree/repository.ts';
import { createBackOff } from './back-off.ts';
import { createHints } from './change-hints.ts';
import type { ReplicaFolders } from './check-replica-folders.ts';
import { repeat } from './repeat.ts';
import { createReplicaMemory, type LastingMemory } from './replica-memory.ts';
import { replicateOnce } from './replicate-once.ts';
import type { ReplicateOptions } from './replicate-options.ts';
import type { SyncFailure, SyncResult } from './sync-result.ts';

/** What is replicated, again and again. */
export interface ReplicaSource {
  /** Tells it from others, where its name does not. */
  readonly id?: string;
  /** Checks both, and that they can be a replica of each other. */
  check(): ReplicaFolders;
  open(folders: ReplicaFolders): Repository;
  /** Asks whether it is another one by now, where no system tells of that; errors that keep nothing else from being done are told. */
  isNew?(onError: ((error: unknown) => void) | undefined): Promise<boolean>;
}

/**
 * Checks a source and its replica, and has the replica stay what the source is until it is told to end. Throws what is wrong when it
 * begins; later errors are heard of, and it goes on.
 */
export async function keepReplica(source: ReplicaSource, options: ReplicateOptions): Promise<void> {
  const { every, signal, stateDir, requireEmpty = false } = options;
  signal?.throwIfAborted();
  if (!(every >= 1 && Number.isFinite(every))) {
    throw new GypsumError('invalid-argument', `Changes cannot be looked for every ${every} milliseconds.`, {
      hint: 'Give 1 or more.',
      details: { every },
    });
  }
  const folders = source.check();
  if (requireEmpty) checkEmpty(folders);
  const release = stateDir === undefined ? undefined : claimReplica(stateDir, folders.destination);
  try {
    await keepOn(source, folders, options);
  } finally {
    release?.();
  }
  signal?.throwIfAborted();
}

async function keepOn(source: ReplicaSource, folders: ReplicaFolders, options: ReplicateOptions): Promise<void> {
  const { every, until, signal, stateDir, checksum = false, scanEvery = 60_000, watch = true, requireEmpty } = options;
  const { onUnwatched, onSetAside, onError } = options;
  const state = openReplicaState(stateDir, source.id ?? folders.source, folders.destination);
  if (state.setAside !== undefined) onSetAside?.(state.setAside);
  const memory = createReplicaMemory(state, { rereads: checksum, isNew: requireEmpty === true });
  const watched = [...(folders.isAsset ? [] : [folders.source]), folders.destination];
  const hints = createHints(watched, { scanEvery, watch, onLost: onUnwatched });
  // A folder costs nobody else anything.
  const retry = source.isNew === undefined ? undefined : createBackOff(every);
  const teller = createTeller(options);
  let isFirst = true;
  const run = async (): Promise<boolean> => {
    if (retry?.isDue() === false) return true;
    const isNew = (await source.isNew?.(onError)) ?? false;
    if (!hints.take() && !isNew) return true;
    const result = await tick(source, { ...options, memory });
    isFirst = false;
    retry?.done();
    if (!result.stopped) memory.keep(new Set(result.failures.map(({ path }) => path)));
    teller.tell(result);
    hints.done(result.failures.length === 0, result.operations.length === 0);
    return true;
  };
  try {
    await repeat(run, {
      every,
      until: signal === undefined ? until : AbortSignal.any([until, signal]),
      onError(error) {
        hints.fail();
        retry?.fail();
        // What is wrong from the beginning does not become right by itself.
        if (isFirst && isGypsumError(error) && !isGypsumError(error, 'unavailable')) throw error;
        if (signal?.aborted !== true && !(until.aborted && error === until.reason)) teller.fail(error);
      },
    });
  } finally {
    state.close();
    await hints.close();
  }
}

async function tick(source: ReplicaSource, options: ReplicateOptions & { memory: LastingMemory }): Promise<SyncResult> {
  const { memory, onOperation } = options;
  // They may have gone, or become others.
  const folders = source.check();
  const from = source.open(folders);
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

interface Teller {
  tell(result: SyncResult): void;
  fail(error: unknown): void;
}

/** Tells of what fails once, as long as it goes on failing, and then once that it does not any more. */
function createTeller({ onFailure, onResult, onError }: ReplicateOptions): Teller {
  let before = new Map<string, SyncFailure>();
  let isAfterError = false;
  return {
    tell(result) {
      const now = new Map(result.failures.map((failure) => [`${failure.path}\0${failure.message}`, failure]));
      const failures = [...now].filter(([name]) => !before.has(name));
      const failing = new Set(result.failures.map(({ path }) => path));
      const recovered = result.stopped ? [] : [...before.values()].filter(({ path }) => !failing.has(path));
      const isNews = result.operations.length + failures.length + recovered.length > 0 || isAfterError;
      for (const [, failure] of failures) onFailure?.(failure);
      if (isNews) onResult?.({ ...result, recovered, isAfterError });
      before = now;
      isAfterError = false;
    },
    fail(error) {
      isAfterError = true;
      onError?.(error);
    },
  };
}

function checkEmpty({ destination, isMissing }: ReplicaFolders): void {
  if (isMissing || readdirSync(fsPath(destination)).length === 0) return;
  throw new GypsumError('destination-refused', `${showText(destination)} is not empty.`, {
    hint: 'Leave out requireEmpty (--require-empty) to have what is there compared, and become what the source is.',
    details: { destination },
  });
}
