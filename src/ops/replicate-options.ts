import type { Operation } from '../tree/replica-plan.ts';
import type { GuardName } from './replica-memory.ts';
import type { SyncOptions } from './sync-options.ts';
import type { ReplicateResult } from './sync-result.ts';

export interface ReplicateOptions extends Omit<SyncOptions, 'dryRun' | 'onOperation'> {
  /** How often changes are looked for. Units: milliseconds, 1 or more */
  every: number;
  /** Ends it behind the file in hand, and without an error; `signal` stops at once. */
  until: AbortSignal;
  /** How often both folders are read though the system tells of no change. Units: milliseconds. @default 60,000 */
  scanEvery?: number;
  /** Have the system tell of changes, where it can, so that folders in which nothing happens are not read. @default true */
  watch?: boolean;
  /** Refuse a destination that holds anything when it begins. @default false */
  requireEmpty?: boolean;
  /** Hears of each operation that was carried out, and is waited for; of one that undoes what others did to the replica, what that is called. */
  onOperation?: ((operation: Operation, digest?: string, guard?: GuardName) => unknown) | undefined;
  /** Hears of each time in which something was done, went wrong that did not before, or does not any more. */
  onResult?: ((result: ReplicateResult) => void) | undefined;
  /** Hears of an error that has ended one time; there will be another one. */
  onError?: ((error: unknown) => void) | undefined;
  /** Hears that the system tells of no changes, and why: folders are read each time, then. */
  onUnwatched?: ((error: Error) => void) | undefined;
  /** Hears where what was remembered of the folders is, if it could not be used. */
  onSetAside?: ((path: string) => void) | undefined;
}
