import { entryAt } from '../model/tree.ts';
import type { ReplicaState } from '../state/replica-state.ts';
import { type ReplicaEntry, sameTime } from '../tree/replica-entry.ts';
import type { Operation } from '../tree/replica-plan.ts';
import { isFresh } from '../tree/replica-stats.ts';
import type { BothTrees } from './list-both.ts';
import type { ReplicaMemory } from './replica-run.ts';

/**
 * What an operation is for, if not for a change of the source: `restore` gives back what somebody has changed or removed in the
 * replica, `prune` removes what somebody has put there.
 */
export type GuardName = 'restore' | 'prune';

/** A memory that lasts from one run to the next. */
export interface LastingMemory extends ReplicaMemory {
  guardName(operation: Operation): GuardName | undefined;
  /** Takes down what the source has, but for paths that are not so in the replica. */
  keep(failed: ReadonlySet<string>): void;
}

export function createReplicaMemory(state: ReplicaState, { rereads = false, isNew = false } = {}): LastingMemory {
  // What was so before does not count for a replica that begins with nothing.
  let isKept = !isNew;
  let trees: Pick<BothTrees, 'source' | 'destination'> = { source: [], destination: [] };
  const sourceAt = (path: string) => entryAt(trees.source, path);
  const isAsBefore = (path: string) => {
    const entry = sourceAt(path);
    return entry !== undefined && state.entries?.get(path) === signOf(entry);
  };
  return {
    digestOf: (stamp) => (rereads ? undefined : state.contents.get(stamp)),

    learn(stamp, digest) {
      if (!isFresh(stamp)) state.learn(stamp, digest);
    },

    before: (side) => (rereads ? [] : trees[side]),

    see(seen) {
      trees = seen;
      const files = trees.source.length + trees.destination.length;
      if (state.contents.size > files + SPARE) state.retain(stampsOf(trees));
    },

    note(operation, { digest: written, stamp }, replica) {
      if (written !== undefined && stamp !== undefined && !isFresh(stamp)) state.learn(stamp, written);
      const { path } = operation;
      const wanted = sourceAt(path);
      const digest = written ?? (wanted?.type === 'file' ? wanted.digest : undefined);
      if (!hasFile(operation) || wanted === undefined || digest === undefined) return;
      const now = replica.look?.(path);
      // Its time is the source's: whoever has written to it since has given it another one.
      if (now?.stamp !== undefined && sameTime(now.mtime, mtimeOf(wanted))) state.learn(now.stamp, digest);
    },

    guardName({ op, path }) {
      if (!isKept || state.entries === undefined) return undefined;
      if (isAsBefore(path)) return 'restore';
      return (op === 'delete' || op === 'rmdir') && !state.entries.has(path) ? 'prune' : undefined;
    },

    keep(failed) {
      isKept = true;
      state.keep({ [Symbol.iterator]: () => signsOf(trees.source, failed) });
    },
  };
}

/** So many digests of files that are gone are let lie until it is worth looking for them. */
const SPARE = 1000;

function* stampsOf({ source, destination }: Pick<BothTrees, 'source' | 'destination'>): Generator<string> {
  for (const tree of [source, destination]) {
    for (const entry of tree) if (entry.type === 'file' && entry.stamp !== undefined) yield entry.stamp;
  }
}

function* signsOf(tree: readonly ReplicaEntry[], failed: ReadonlySet<string>): Generator<[path: string, sign: string]> {
  for (const entry of tree) if (!failed.has(entry.path)) yield [entry.path, signOf(entry)];
}

/** Gives what is another text if the source has something else there; of a file a text that it has anyway. */
function signOf(entry: ReplicaEntry): string {
  if (entry.type === 'file') return entry.stamp ?? 'file';
  if (entry.type === 'directory') return `directory ${entry.mode} ${entry.mtime}`;
  return entry.type === 'symlink' ? `symlink ${entry.mtime} ${entry.target}` : 'special';
}

function mtimeOf(entry: ReplicaEntry): number {
  return entry.type === 'special' ? 0 : entry.mtime;
}

function hasFile(operation: Operation): boolean {
  if (operation.op === 'move' || operation.op === 'chmod' || operation.op === 'touch') return operation.type === 'file';
  return operation.op === 'create' || operation.op === 'modify' || operation.op === 'copy';
}
