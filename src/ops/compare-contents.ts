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
}

/** Finds out the digests of files where nothing but their contents tells what they are to each other. */
export async function compareContents(
  [source, from]: readonly [readonly ReplicaEntry[], Repository],
  [destination, to]: readonly [readonly ReplicaEntry[], Repository],
  { checksum, moves, onFailure, signal, onEvent }: CompareContentsOptions,
): Promise<void> {
  const doubtful = await findDoubtful(source, destination, { checksum, moves, signal });
  const pace = createPace(signal);
  const digest = async (repository: Repository, entry: ReplicaFile): Promise<string> => {
    const file = await repository.read(entry.path);
    try {
      return await digestContent(file, pace);
    } finally {
      file.close();
    }
  };
  const all = [...doubtful.source, ...doubtful.destination];
  if (all.length === 0) return;
  onEvent?.({ type: 'start', task: 'digest', ...countFiles(all) });
  const count = ({ size }: ReplicaFile) => onEvent?.({ type: 'progress', task: 'digest', files: 1, bytes: size });
  for (const file of doubtful.source) {
    try {
      file.digest = await digest(from, file);
    } catch (error) {
      signal?.throwIfAborted();
      onFailure(file.path, error as Error);
    }
    count(file);
  }
  for (const file of doubtful.destination) {
    try {
      file.digest = await digest(to, file);
    } catch {
      signal?.throwIfAborted();
      // What cannot be read, whatever the reason, is made anew.
      file.digest = UNREADABLE;
    }
    count(file);
  }
  onEvent?.({ type: 'end', task: 'digest' });
}

/** No content has this digest. */
const UNREADABLE = 'unreadable';
