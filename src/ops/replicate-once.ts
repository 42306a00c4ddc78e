import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { findCollisions } from '../model/collisions.ts';
import { fsPath } from '../model/local-path.ts';
import { showLines, showText } from '../model/text.ts';
import { entryAt, parentPath } from '../model/tree.ts';
import { REPLICAS } from '../state/replica-claims.ts';
import { applyReplica } from '../tree/apply-replica.ts';
import { foldsNames } from '../tree/folds-names.ts';
import { createIgnoreRules } from '../tree/ignore-file.ts';
import { openLocalRepository } from '../tree/local-repository.ts';
import { planReplica } from '../tree/plan-replica.ts';
import { isPartial } from '../tree/put-file.ts';
import { liesIn, realPath } from '../tree/real-path.ts';
import { setReplicaFacts } from '../tree/replica-facts.ts';
import type { Operation, ReplicaPlan } from '../tree/replica-plan.ts';
import type { Repository, Written } from '../tree/repository.ts';
import type { ReplicaFolders } from './check-replica-folders.ts';
import { type ContentMemory, compareContents } from './compare-contents.ts';
import { type BothTrees, listBoth } from './list-both.ts';
import { blockedFailure, failureOf } from './sync-failure.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncFailure, SyncResult } from './sync-result.ts';

/** Follows what is done to a replica from one time to the next. */
export interface ReplicaMemory extends ContentMemory {
  /** Hears of what both folders hold before anything is done. */
  see(trees: BothTrees): void;
  /** Hears of an operation that was carried out. */
  note(operation: Operation, written: Written, replica: Repository): void;
}

interface OnceOptions extends SyncOptions {
  memory?: ReplicaMemory | undefined;
}

interface RunOptions extends OnceOptions {
  /** Stops what has nothing in hand. */
  readonly stop: AbortSignal | undefined;
}

/** Has a folder be a replica of another one; both have been checked, and are this process's. */
export async function replicateOnce(
  folders: ReplicaFolders,
  from: Repository,
  options: OnceOptions,
): Promise<SyncResult> {
  return run(folders, from, { ...options, stop: anyOf(options.signal, options.until) });
}

async function run(folders: ReplicaFolders, from: Repository, options: RunOptions): Promise<SyncResult> {
  const { durable = false, digests = false, dryRun = false, signal, until } = options;
  const { source, destination, isMissing } = folders;
  const result = { source, destination, dryRun, failures: [], skipped: [], unchanged: 0, operations: [] };
  const to = openLocalRepository(destination, { durable, digests, algorithm: from.algorithm, signal });
  try {
    const first = await prepare(folders, from, isMissing ? undefined : to, true, options);
    const { trees, plan } = first;
    await checkPlan(folders, first, options);
    const told = { skipped: trees.skipped, unchanged: plan.unchanged };
    if (dryRun) return { ...result, ...told, operations: plan.operations, failures: first.failures, stopped: false };
    await gather(first, from, options);
    if (isMissing) makeReplica(folders);
    const work = await carryOut(first, from, to, options);
    const { stopped, operations } = work;
    if (!work.hasMoveFailed || stopped)
      return { ...result, ...told, operations, failures: report(work, options), stopped };
    // Without moves, everything comes out the same.
    const second = await prepare(folders, from, to, false, options);
    await gather(second, from, options);
    const rest = await carryOut(second, from, to, options);
    return {
      ...result,
      ...told,
      operations: [...operations, ...rest.operations],
      failures: report(rest, options),
      stopped: rest.stopped,
    };
  } catch (error) {
    if (until === undefined || !until.aborted || error !== until.reason) throw error;
    return { ...result, stopped: true };
  } finally {
    to.close();
  }
}

interface Prepared {
  readonly trees: BothTrees;
  readonly plan: ReplicaPlan;
  readonly failures: readonly SyncFailure[];
}

async function prepare(
  folders: ReplicaFolders,
  from: Repository,
  to: Repository | undefined,
  moves: boolean,
  { checksum = false, remove = true, exclude = [], stateDir, memory, stop, onEvent }: RunOptions,
): Promise<Prepared> {
  const rules = createIgnoreRules(exclude);
  const own = ownFolders(folders, stateDir);
  const skip = (path: string, isFolder: boolean) => rules.ignores(path, isFolder) || own.has(path);
  const call = { signal: stop, onEvent };
  const listed = await listBoth(from, to, { ...call, skip, stamps: memory !== undefined, digestOf: memory?.digestOf });
  const failures = [...listed.failures];
  const onFailure = (path: string, error: Error) => failures.push(failureOf(path, error));
  const compared =
    to &&
    (await compareContents([listed.source, from], [listed.destination, to], {
      ...call,
      checksum,
      moves,
      onFailure,
      memory,
    }));
  const trees = { ...listed, ...compared };
  memory?.see(trees);
  const { left, shared } = trees;
  const plan = await planReplica(trees.source, trees.destination, { remove, moves, left, shared, signal: stop });
  failures.push(...plan.blocked.map(blockedFailure));
  return { trees, plan, failures };
}

/** Has all contents be at hand before anything is changed. */
async function gather({ plan }: Prepared, from: Repository, { stop, onEvent }: RunOptions): Promise<void> {
  const paths = plan.operations.flatMap(({ op, path }) => (op === 'create' || op === 'modify' ? [path] : []));
  if (paths.length > 0) await from.gather?.(paths, { signal: stop, onEvent });
}

interface Done {
  readonly operations: Operation[];
  readonly failures: readonly SyncFailure[];
  readonly stopped: boolean;
  readonly hasMoveFailed: boolean;
}

async function carryOut(
  { trees, plan, failures: before }: Prepared,
  from: Repository,
  to: Repository,
  options: RunOptions,
): Promise<Done> {
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

function report({ failures }: Done, { onFailure }: RunOptions): readonly SyncFailure[] {
  for (const failure of failures) onFailure?.(failure);
  return failures;
}

/** Throws `destination-refused` before anything is lost. */
async function checkPlan(
  { destination, isMissing }: ReplicaFolders,
  { trees, plan }: Prepared,
  { force = false, dryRun = false }: RunOptions,
): Promise<void> {
  const total = trees.destination.length;
  if (!force && plan.removed * 2 > total) {
    throw new GypsumError(
      'destination-refused',
      `${plan.removed.toLocaleString('en')} of the ${total.toLocaleString('en')} entries of ${showText(destination)} would go, more than half: nothing was done.`,
      {
        hint: 'Are these the folders that you mean? Then say so with force (--force).',
        details: { removed: plan.removed, total },
      },
    );
  }
  const isNew = plan.operations.some(({ op }) => op === 'create' || op === 'mkdir' || op === 'link');
  // To find out, something has to be made there.
  if (!isNew || dryRun || !(await foldsNamesIn(isMissing ? join(destination, '..') : destination))) return;
  const collisions = findCollisions(trees.source.map(({ path }) => path));
  if (collisions.length === 0) return;
  const names = collisions.map(({ path, other }) => `${showText(other)} and ${showText(path)}`);
  throw new GypsumError(
    'destination-refused',
    `The source has names that the file system of ${showText(destination)} takes for the same:${showLines(names, 5)}`,
    { hint: 'Use a folder on a file system that tells upper from lower case.', details: { destination, collisions } },
  );
}

async function foldsNamesIn(folder: string): Promise<boolean> {
  try {
    return await foldsNames(folder);
  } catch (error) {
    // It cannot be found out before the folder is made writable.
    if (isSystemError(error, 'EACCES', 'EPERM')) return false;
    throw error;
  }
}

/** Makes the folder of the replica, open to no more people than its source. */
function makeReplica({ source, isAsset, destination }: ReplicaFolders): void {
  if (isAsset) return void mkdirSync(fsPath(destination));
  mkdirSync(fsPath(destination), { mode: 0o700 });
  setReplicaFacts(destination, 'directory', { mode: lstatSync(fsPath(source)).mode & 0o777 });
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

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const there = signals.filter((signal) => signal !== undefined);
  return there.length > 1 ? AbortSignal.any(there) : there[0];
}
