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

/** Finds out the digests of files where nothing but their contents tells what they are to each other. */
export async function compareContents(
  [source, from]: readonly [readonly ReplicaEntry[], Repository],
  [destination, to]: readonly [readonly ReplicaEntry[], Repository],
  { checksum, moves, onFailure, memory, signal, onEvent }: CompareContentsOptions,
): Promise<void> {
  if (memory !== undefined) for (const entry of [...source, ...destination]) recall(entry, memory);
  const doubtful = await findDoubtful(source, destination, { checksum, moves, signal });
  const pace = createPace(signal);
  const { algorithm = 'sha256' } = from;
  const digest = async (repository: Repository, entry: ReplicaFile): Promise<string> => {
    const file = await repository.read(entry.path);
    try {
      const found = await digestContent(file, algorithm, pace);
      if (entry.stamp !== undefined && file.look().stamp === entry.stamp) memory?.learn(entry.stamp, found);
      return found;
    } finally {
      file.close();
    }
  };
  const unread = (files: readonly ReplicaFile[]) => files.filter((file) => file.digest === undefined);
  const [here, there] = [unread(doubtful.source), unread(doubtful.destination)];
  const all = [...here, ...there];
  if (all.length === 0) return;
  onEvent?.({ type: 'start', task: 'digest', ...countFiles(all) });
  const count = ({ size }: ReplicaFile) => onEvent?.({ type: 'progress', task: 'digest', files: 1, bytes: size });
  for (const file of here) {
    try {
      file.digest = await digest(from, file);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isUnreadable(error)) throw error;
      onFailure(file.path, error);
    }
    count(file);
  }
  for (const file of there) {
    try {
      file.digest = await digest(to, file);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isUnreadable(error)) throw error;
      // It is made anew.
      file.digest = UNREADABLE;
    }
    count(file);
  }
  onEvent?.({ type: 'end', task: 'digest' });
}

function recall(entry: ReplicaEntry, memory: ContentMemory): void {
  const digest = entry.type === 'file' && entry.stamp !== undefined ? memory.digestOf(entry.stamp) : undefined;
  if (entry.type === 'file' && digest !== undefined) entry.digest = digest;
}

/** Whether the system does not let a file be read, for whatever reason, or it is none any more. */
export function isUnreadable(error: unknown): error is Error {
  return isFromSystem(error) || isGypsumError(error, 'file-changed');
}

/** No content has this digest. */
const UNREADABLE = 'unreadable';
