import { entryAt, parentPath } from '../model/tree.ts';
import { applyReplica } from '../tree/apply-replica.ts';
import { isPartial } from '../tree/put-file.ts';
import type { Operation } from '../tree/replica-plan.ts';
import type { Repository } from '../tree/repository.ts';
import type { BothTrees } from './list-both.ts';
import type { PreparedReplica } from './prepare-replica.ts';
import type { ReplicaRun } from './replica-run.ts';
import { failureOf } from './sync-failure.ts';
import type { SyncFailure } from './sync-result.ts';

/** What was done of a plan. */
export interface DoneReplica {
  readonly operations: Operation[];
  readonly failures: readonly SyncFailure[];
  readonly stopped: boolean;
  readonly hasMoveFailed: boolean;
}

/** Carries out a plan, and removes what killed runs have left. */
export async function carryOutReplica(
  { trees, plan, failures: before }: PreparedReplica,
  from: Repository,
  to: Repository,
  options: ReplicaRun,
): Promise<DoneReplica> {
  const { signal, until, memory, onEvent, onOperation } = options;
  const operations: Operation[] = [];
  // One of the source that cannot be read is told of once.
  const failures = new Map(before.map((failure) => [failure.path, failure]));
  let hasMoveFailed = false;
  const isKept = (path: string) => isPartial(path) && isFolder(trees.source, parentPath(path));
  await to.clear?.(trees.leftovers.filter((path) => !isKept(path)));
  const { stopped } = await applyReplica(plan, from, to, {
    signal,
    until,
    onEvent,
    async onOperation(operation, written) {
      operations.push(operation);
      memory?.note(operation, written, to);
      await onOperation?.(operation, written.digest);
    },
    onFailure(operation, error) {
      if (operation.op === 'move') hasMoveFailed = true;
      failures.set(operation.path, failureOf(operation.path, error, operation.op));
    },
  });
  if (!stopped) await to.clear?.(trees.leftovers.filter(isKept));
  return { operations, failures: [...failures.values()], stopped, hasMoveFailed };
}

function isFolder(tree: BothTrees['source'], path: string): boolean {
  return path === '' || entryAt(tree, path)?.type === 'directory';
}
