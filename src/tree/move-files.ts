import { entryAt } from '../model/tree.ts';
import { freshName } from './put-file.ts';
import type { ReplicaEntry, ReplicaFile } from './replica-entry.ts';
import type { MakeFolder, Move } from './replica-plan.ts';

export interface OrderedMoves {
  /** What is to be done before anything is removed, or takes another one's place. */
  readonly operations: readonly (MakeFolder | Move)[];
  /** Where files wait until nothing stands in their way, by the paths that they are to have. */
  readonly parked: ReadonlyMap<string, Move>;
}

interface Trees {
  readonly source: readonly ReplicaEntry[];
  readonly destination: readonly ReplicaEntry[];
  /** Gives the folders that are to be made above a path; nothing if they cannot be made yet. */
  readonly makeAbove: (path: string) => MakeFolder[] | undefined;
}

/**
 * Puts moves of files into such an order that none takes away what another one needs: what stands where a file is to go
 * moves first. Where they go round in a circle, or something other than a file is in the way, a file waits under another name.
 */
export function orderMoves(
  moved: ReadonlyMap<ReplicaFile, ReplicaFile>,
  { source, destination, makeAbove }: Trees,
): OrderedMoves {
  const operations: (MakeFolder | Move)[] = [];
  const parked = new Map<string, Move>();
  const open = new Map<string, Move>();
  for (const [{ path }, { path: from, size, digest }] of moved) {
    const known = digest === undefined ? {} : { digest };
    // A path that is a file's or a symlink's in the source, too, is never without one.
    const type = entryAt(source, from)?.type;
    const stays = type === 'file' || type === 'symlink' ? ({ stays: true } as const) : {};
    open.set(from, { op: 'move', type: 'file', path, from, size, ...known, ...stays });
  }
  const park = ({ stays, path, from, ...move }: Move): Move => {
    // In the replica's root.
    const wait = freshName('');
    operations.push({ ...move, from, path: wait, ...(stays && { stays }), parks: true });
    return { ...move, path, from: wait, of: from };
  };
  const go = (move: Move): void => {
    const above = entryAt(destination, move.path)?.type === 'directory' ? undefined : makeAbove(move.path);
    if (above !== undefined) operations.push(...above, move);
    else parked.set(move.path, move.of === undefined ? park(move) : move);
  };
  for (const first of open.values()) {
    const chain: Move[] = [];
    for (let next: Move | undefined = first; next !== undefined; next = open.get(next.path)) {
      open.delete(next.from);
      chain.push(next);
    }
    // The last one goes where the first one is.
    if (chain.at(-1)?.path === first.from) chain[0] = park(first);
    for (const move of chain.reverse()) go(move);
  }
  return { operations, parked };
}
