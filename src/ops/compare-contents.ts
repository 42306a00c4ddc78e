import { each } from '../each.ts';
import { isFromSystem, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { countFiles } from '../model/count.ts';
import { digestContent } from '../tree/copy-content.ts';
import { findDoubtful } from '../tree/find-doubtful.ts';
import type { ReplicaEntry, ReplicaFile } from '../tree/replica-entry.ts';
import type { Repository } from '../tree/repository.ts';

export interface CompareContentsOptions extends CallOptions {
  checksum: boolean;
  moves: boolean;
  /** Hears of a file of the source that cannot be read. */
  onFailure: (path: string, error: Error) => void;
  /** Has digests of files that it has seen before, by their stamps. */
  memory?: ContentMemory | undefined;
}

/** What is known of contents without reading them. */
export interface ContentMemory {
  digestOf(stamp: string): string | undefined;
  /** Takes a digest down, unless the file may yet change with its stamp staying the same. */
  learn(stamp: string, digest: string): void;
}

/** A tree, and where the contents of its files are. */
type Side = readonly [tree: readonly ReplicaEntry[], repository: Repository];

/** How many files are read at once. */
const AT_ONCE = 4;

/**
 * Finds out the digests of files where nothing but their contents tells what they are to each other, and gives both trees with
 * them.
 */
export async function compareContents(
  [source, from]: Side,
  [destination, to]: Side,
  { checksum, moves, onFailure, memory, signal, onEvent }: CompareContentsOptions,
): Promise<{ readonly source: readonly ReplicaEntry[]; readonly destination: readonly ReplicaEntry[] }> {
  const doubtful = await findDoubtful(source, destination, { checksum, moves, signal });
  const unread = (files: readonly ReplicaFile[]) => files.filter((file) => file.digest === undefined);
  const [here, there] = [unread(doubtful.source), unread(doubtful.destination)];
  const all = [...here, ...there];
  if (all.length === 0) return { source, destination };
  const pace = createPace(signal);
  const { algorithm = 'sha256' } = from;
  const read = async (repository: Repository, entry: ReplicaFile): Promise<ReplicaFile> => {
    const file = await repository.read(entry.path);
    try {
      const digest = await digestContent(file, algorithm, pace);
      const { stamp, entry: opened } = file.opened;
      const isStill = file.look().stamp === stamp;
      if (entry.stamp === undefined || !isStill) return { ...entry, digest };
      memory?.learn(stamp, digest);
      // It has changed since it was listed: its stamp, too, is that of the content.
      return stamp === entry.stamp ? { ...entry, digest } : { ...opened, path: entry.path, stamp, digest };
    } finally {
      file.close();
    }
  };
  const known = new Map<ReplicaEntry, ReplicaFile>();
  const find = async (file: ReplicaFile, repository: Repository): Promise<void> => {
    try {
      known.set(file, await read(repository, file));
    } catch (error) {
      signal?.throwIfAborted();
      if (!isUnreadable(error)) throw error;
      if (repository === from) onFailure(file.path, error);
      // It is made anew.
      else known.set(file, { ...file, digest: UNREADABLE });
    }
  };
  onEvent?.({ type: 'start', task: 'digest', ...countFiles(all) });
  await each(all.entries(), { concurrency: AT_ONCE, signal }, async ([at, file]) => {
    await find(file, at < here.length ? from : to);
    onEvent?.({ type: 'progress', task: 'digest', files: 1, bytes: file.size });
  });
  onEvent?.({ type: 'end', task: 'digest' });
  const withDigest = (entry: ReplicaEntry) => known.get(entry) ?? entry;
  return { source: source.map(withDigest), destination: destination.map(withDigest) };
}

/** Whether the system does not let a file be read, for whatever reason, or it is none any more. */
export function isUnreadable(error: unknown): error is Error {
  return isFromSystem(error) || isGypsumError(error, 'file-changed');
}

/** No content has this digest. */
const UNREADABLE = 'unreadable';
