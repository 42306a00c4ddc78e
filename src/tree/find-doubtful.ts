import { nameOf } from '../model/tree.ts';
import { compareTrees } from './compare.ts';
import { type ReplicaEntry, type ReplicaFile, sameTime } from './replica-entry.ts';

/** Files whose contents have to be known for a plan. */
export interface Doubtful {
  readonly source: readonly ReplicaFile[];
  readonly destination: readonly ReplicaFile[];
}

/**
 * Finds the files that may be the same, or may have moved, such that only their contents tell: those of one size at one path
 * with other times, and new ones of the same size as others that are gone. With `checksum` no time counts.
 */
export function findDoubtful(
  source: readonly ReplicaEntry[],
  destination: readonly ReplicaEntry[],
  { checksum = false, moves = true }: { checksum?: boolean; moves?: boolean } = {},
): Doubtful {
  const doubtful = { source: new Set<ReplicaFile>(), destination: new Set<ReplicaFile>() };
  const wanted = new Map<number, ReplicaFile[]>();
  const displaced = new Map<number, ReplicaFile[]>();
  for (const { left, right } of compareTrees(source, destination)) {
    const isBoth = left?.type === 'file' && right?.type === 'file' && left.size === right.size;
    if (isBoth && !checksum && sameTime(left.mtime, right.mtime)) continue;
    if (isBoth && left.size > 0) {
      doubtful.source.add(left);
      doubtful.destination.add(right);
    }
    if (left?.type === 'file' && left.size > 0) push(wanted, left);
    if (right?.type === 'file' && right.size > 0) push(displaced, right);
  }
  if (moves) {
    for (const [size, files] of wanted) {
      const gone = displaced.get(size);
      if (gone === undefined) continue;
      for (const file of files) doubtful.source.add(file);
      for (const file of gone) doubtful.destination.add(file);
    }
    addCopied(wanted, destination, doubtful);
  }
  return { source: [...doubtful.source], destination: [...doubtful.destination] };
}

/** A new file that has the size, and the name or the time, of one that stays may be a copy of it. */
function addCopied(
  wanted: ReadonlyMap<number, readonly ReplicaFile[]>,
  destination: readonly ReplicaEntry[],
  doubtful: { source: Set<ReplicaFile>; destination: Set<ReplicaFile> },
): void {
  const files = [...wanted.values()].flat();
  const open = new Set(files.flatMap(traitsOf));
  const found = new Set<string>();
  for (const there of destination) {
    const traits =
      there.type === 'file' && wanted.has(there.size) ? traitsOf(there).filter((one) => open.has(one)) : [];
    if (there.type === 'file' && traits.length > 0) doubtful.destination.add(there);
    for (const one of traits) found.add(one);
  }
  for (const file of files) if (traitsOf(file).some((one) => found.has(one))) doubtful.source.add(file);
}

function traitsOf({ path, size, mtime }: ReplicaFile): string[] {
  return [`${size}/${nameOf(path)}`, `${size} ${mtime}`];
}

function push(files: Map<number, ReplicaFile[]>, file: ReplicaFile): void {
  const same = files.get(file.size);
  if (same === undefined) files.set(file.size, [file]);
  else same.push(file);
}
