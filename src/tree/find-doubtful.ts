import { createPace, type Pace } from '../give-way.ts';
import { nameOf } from '../model/tree.ts';
import { compareTrees } from './compare.ts';
import { type ReplicaEntry, type ReplicaFile, sameTime } from './replica-entry.ts';

/** Files whose contents have to be known for a plan. */
export interface Doubtful {
  readonly source: readonly ReplicaFile[];
  readonly destination: readonly ReplicaFile[];
}

export interface DoubtfulOptions {
  /** No time counts. @default false */
  checksum?: boolean;
  /** Also where files may have come from. @default true */
  moves?: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Finds the files that may be the same, or may have moved, such that only their contents tell: those of one size at one path
 * with other times, and new ones of the same size as others that are gone.
 */
export async function findDoubtful(
  source: readonly ReplicaEntry[],
  destination: readonly ReplicaEntry[],
  { checksum = false, moves = true, signal }: DoubtfulOptions = {},
): Promise<Doubtful> {
  if (destination.length === 0) return { source: [], destination: [] };
  const pace = createPace(signal);
  const doubtful = { source: new Set<ReplicaFile>(), destination: new Set<ReplicaFile>() };
  const wanted = new Map<number, ReplicaFile[]>();
  const displaced = new Map<number, ReplicaFile[]>();
  for (const { left, right } of compareTrees(source, destination)) {
    if (pace.due()) await pace.rest();
    const isBoth = left?.type === 'file' && right?.type === 'file' && left.size === right.size;
    if (isBoth && isKnownSame(left, right, checksum)) continue;
    if (isBoth && left.size > 0) {
      doubtful.source.add(left);
      doubtful.destination.add(right);
    }
    if (left?.type === 'file' && left.size > 0) push(wanted, left);
    if (right?.type === 'file' && right.size > 0) push(displaced, right);
  }
  if (moves && wanted.size > 0) {
    for (const [size, files] of wanted) {
      const gone = displaced.get(size);
      if (gone === undefined) continue;
      for (const file of files) doubtful.source.add(file);
      for (const file of gone) doubtful.destination.add(file);
    }
    await addCopied(wanted, destination, doubtful, pace);
  }
  return { source: [...doubtful.source], destination: [...doubtful.destination] };
}

/** Files of one size; of a replica that is kept, nearly all have digests that are remembered. */
function isKnownSame(left: ReplicaFile, right: ReplicaFile, checksum: boolean): boolean {
  if (left.digest !== undefined && right.digest !== undefined) return left.digest === right.digest;
  return !checksum && sameTime(left.mtime, right.mtime);
}

/** A new file that has the size, and the name or the time, of one that stays may be a copy of it. */
async function addCopied(
  wanted: ReadonlyMap<number, readonly ReplicaFile[]>,
  destination: readonly ReplicaEntry[],
  doubtful: { source: Set<ReplicaFile>; destination: Set<ReplicaFile> },
  pace: Pace,
): Promise<void> {
  // Names and times of new files, by their sizes, and whether one that stays has them.
  const traits = new Map<number, Map<string | number, boolean>>();
  for (const entry of destination)
    if (entry.type === 'file' && wanted.has(entry.size)) traits.set(entry.size, new Map());
  const files = [...traits.keys()].flatMap((size) => wanted.get(size) ?? []);
  for (const file of files) {
    if (pace.due()) await pace.rest();
    for (const trait of traitsOf(file)) traits.get(file.size)?.set(trait, false);
  }
  for (const there of destination) {
    if (pace.due()) await pace.rest();
    const known = there.type === 'file' ? traits.get(there.size) : undefined;
    if (there.type !== 'file' || known === undefined) continue;
    for (const trait of traitsOf(there)) {
      if (!known.has(trait)) continue;
      known.set(trait, true);
      doubtful.destination.add(there);
    }
  }
  for (const file of files) {
    if (pace.due()) await pace.rest();
    if (traitsOf(file).some((trait) => traits.get(file.size)?.get(trait))) doubtful.source.add(file);
  }
}

function traitsOf({ path, mtime }: ReplicaFile): [string, number] {
  return [nameOf(path), mtime];
}

function push(files: Map<number, ReplicaFile[]>, file: ReplicaFile): void {
  const same = files.get(file.size);
  if (same === undefined) files.set(file.size, [file]);
  else same.push(file);
}
