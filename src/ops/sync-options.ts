import type { CallOptions } from '../events.ts';
import type { Operation } from '../tree/replica-plan.ts';
import type { SyncFailure } from './sync-result.ts';

export interface SyncOptions extends CallOptions {
  /** Compare the contents of all files, whatever their times. @default false */
  checksum?: boolean;
  /** Remove what the source does not have. @default true */
  remove?: boolean;
  /** What is neither copied nor removed: lines as `.gypsumignore` has them. @default none */
  exclude?: readonly string[];
  /** Take symlinks of the source for what they lead to. @default false */
  followLinks?: boolean;
  /** Also remove more than half of what the destination has. @default false */
  force?: boolean;
  /** Only say what would be done. @default false */
  dryRun?: boolean;
  /** Have each file's bytes on the disk before it takes its place. @default false */
  durable?: boolean;
  /** Give `onOperation` the digest of every file that is written. @default false */
  digests?: boolean;
  /** The user's own folder where it is written down that this process writes to the destination; nothing is without it. */
  stateDir?: string | undefined;
  /** Files that are written meanwhile, such as a log: they must lie outside of both folders. */
  written?: readonly string[];
  /** Ends the work behind the file in hand, and without an error; `signal` stops at once. */
  until?: AbortSignal | undefined;
  /** Hears of each operation that was carried out, and is waited for; the digest is that of a file's content where it is known: SHA-256, from an asset MD5. */
  onOperation?: ((operation: Operation, digest?: string) => unknown) | undefined;
  /** Hears in the end of each thing that could not be done. */
  onFailure?: ((failure: SyncFailure) => void) | undefined;
}
