import { join } from 'node:path';
import { REPLICAS } from '../state/replica-claims.ts';
import { createIgnoreRules } from '../tree/ignore-file.ts';
import { planReplica } from '../tree/plan-replica.ts';
import { liesIn, realPath } from '../tree/real-path.ts';
import type { ReplicaPlan } from '../tree/replica-plan.ts';
import type { Repository } from '../tree/repository.ts';
import type { ReplicaFolders } from './check-replica-folders.ts';
import { compareContents } from './compare-contents.ts';
import { type BothTrees, listBoth } from './list-both.ts';
import type { ReplicaRun } from './replica-run.ts';
import { blockedFailure, failureOf } from './sync-failure.ts';
import type { SyncFailure } from './sync-result.ts';

/** What is to be done, and what it is planned by. */
export interface PreparedReplica {
  readonly trees: BothTrees;
  readonly plan: ReplicaPlan;
  readonly failures: readonly SyncFailure[];
}

/** Lists both sides, compares contents as far as it depends on them, and plans what is to be done; `mayMove` where moves work. */
export async function prepareReplica(
  folders: ReplicaFolders,
  from: Repository,
  to: Repository,
  mayMove: boolean,
  { checksum = false, remove = true, exclude = [], stateDir, memory, stop, onEvent }: ReplicaRun,
): Promise<PreparedReplica> {
  const rules = createIgnoreRules(exclude);
  const own = ownFolders(folders, stateDir);
  const skip = (path: string, isFolder: boolean) => rules.ignores(path, isFolder) || own.has(path);
  const call = { signal: stop, onEvent };
  const there = folders.isMissing ? undefined : to;
  const listed = await listBoth(from, there, {
    ...call,
    skip,
    stamps: memory !== undefined,
    memory,
  });
  const failures = [...listed.failures];
  const onFailure = (path: string, error: Error) => failures.push(failureOf(path, error));
  const moves = mayMove && to.move !== undefined;
  const how = { ...call, checksum, moves, onFailure, memory };
  const trees = { ...listed, ...(await compareContents([listed.source, from], [listed.destination, to], how)) };
  memory?.see(trees);
  const { source, destination, left, shared } = trees;
  const copies = to.copy !== undefined;
  const plan = await planReplica(source, destination, { remove, moves, copies, left, shared, signal: stop });
  failures.push(...plan.blocked.map(blockedFailure));
  return { trees, plan, failures };
}

/** What this program writes down meanwhile is no part of what is replicated, wherever it lies. */
function ownFolders(
  { source, isAsset, destination }: ReplicaFolders,
  stateDir: string | undefined,
): ReadonlySet<string> {
  if (stateDir === undefined) return new Set();
  const own = realPath(join(stateDir, REPLICAS));
  return new Set(
    [...(isAsset ? [] : [source]), destination].flatMap((root) =>
      liesIn(own, root) ? [own.slice(root === '/' ? 1 : root.length + 1)] : [],
    ),
  );
}
