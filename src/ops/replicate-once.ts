import { lstatSync, mkdirSync } from 'node:fs';
import { fsPath } from '../model/local-path.ts';
import { openLocalRepository } from '../tree/local-repository.ts';
import { setReplicaFacts } from '../tree/replica-facts.ts';
import type { Operation } from '../tree/replica-plan.ts';
import type { Repository } from '../tree/repository.ts';
import { carryOutReplica, type DoneReplica } from './carry-out-replica.ts';
import type { ReplicaFolders } from './check-replica-folders.ts';
import { checkReplicaPlan } from './check-replica-plan.ts';
import { type PreparedReplica, prepareReplica } from './prepare-replica.ts';
import type { ReplicaRun } from './replica-run.ts';
import type { SyncFailure, SyncResult } from './sync-result.ts';

/** Has a folder be a replica of another one; both have been checked, and are this process's. */
export async function replicateOnce(
  folders: ReplicaFolders,
  from: Repository,
  options: Omit<ReplicaRun, 'stop'>,
): Promise<SyncResult> {
  return run(folders, from, { ...options, stop: anyOf(options.signal, options.until) });
}

async function run(folders: ReplicaFolders, from: Repository, options: ReplicaRun): Promise<SyncResult> {
  const { durable = false, digests = false, dryRun = false, signal, until } = options;
  const { source, destination, isMissing } = folders;
  const result = { source, destination, dryRun, failures: [], skipped: [], unchanged: 0 };
  let operations: readonly Operation[] = [];
  const to = openLocalRepository(destination, { durable, digests, algorithm: from.algorithm, signal });
  try {
    const first = await prepareReplica(folders, from, to, true, options);
    const { trees, plan } = first;
    await checkReplicaPlan(folders, first, options);
    const told = { skipped: trees.skipped, unchanged: plan.unchanged };
    if (dryRun) return { ...result, ...told, operations: plan.operations, failures: first.failures, stopped: false };
    await gather(first, from, options);
    if (isMissing) makeReplica(folders);
    const work = await carryOutReplica(first, from, to, options);
    operations = work.operations;
    const { stopped } = work;
    if (!work.hasMoveFailed || stopped) {
      return { ...result, ...told, operations, failures: report(work, options), stopped };
    }
    // Without moves, everything comes out the same.
    const second = await prepareReplica({ ...folders, isMissing: false }, from, to, false, options);
    await gather(second, from, options);
    const rest = await carryOutReplica(second, from, to, options);
    return {
      ...result,
      ...told,
      operations: [...operations, ...rest.operations],
      failures: report(rest, options),
      stopped: rest.stopped,
    };
  } catch (error) {
    if (until === undefined || !until.aborted || error !== until.reason) throw error;
    return { ...result, operations, stopped: true };
  } finally {
    to.close();
  }
}

/** Has all contents be at hand before anything is changed. */
async function gather({ plan }: PreparedReplica, from: Repository, { stop, onEvent }: ReplicaRun): Promise<void> {
  const paths = plan.operations.flatMap(({ op, path }) => (op === 'create' || op === 'modify' ? [path] : []));
  if (paths.length > 0) await from.gather?.(paths, { signal: stop, onEvent });
}

function report({ failures }: DoneReplica, { onFailure }: ReplicaRun): readonly SyncFailure[] {
  for (const failure of failures) onFailure?.(failure);
  return failures;
}

/** Makes the folder of the replica, open to no more people than its source. */
function makeReplica({ source, isAsset, destination }: ReplicaFolders): void {
  if (isAsset) return void mkdirSync(fsPath(destination));
  mkdirSync(fsPath(destination), { mode: 0o700 });
  setReplicaFacts(destination, 'directory', { mode: lstatSync(fsPath(source)).mode & 0o777 });
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const there = signals.filter((signal) => signal !== undefined);
  return there.length > 1 ? AbortSignal.any(there) : there[0];
}
