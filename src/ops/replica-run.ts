import type { Operation } from '../tree/replica-plan.ts';
import type { Repository, Written } from '../tree/repository.ts';
import type { ContentMemory } from './compare-contents.ts';
import type { BothTrees, TreeMemory } from './list-both.ts';
import type { SyncOptions } from './sync-options.ts';

/** Follows what is done to a replica from one time to the next. */
export interface ReplicaMemory extends ContentMemory, TreeMemory {
  /** Hears of what both folders hold, as far as it is known, before anything is done. */
  see(trees: BothTrees): void;
  /** Hears of an operation that was carried out. */
  note(operation: Operation, written: Written, replica: Repository): void;
}

/** What one run of a replica needs. */
export interface ReplicaRun extends SyncOptions {
  memory?: ReplicaMemory | undefined;
  /** Stops what has nothing in hand. */
  readonly stop: AbortSignal | undefined;
}
