import type { Operation } from '../tree/replica-plan.ts';

/** What was done, or would be, to have a folder be a replica of another one. */
export interface SyncResult {
  /** The folders, by their real paths. */
  readonly source: string;
  readonly destination: string;
  /** Nothing was done. */
  readonly dryRun: boolean;
  /** In the order in which they were carried out, or would be. */
  readonly operations: readonly Operation[];
  /** What could not be done, and why. */
  readonly failures: readonly SyncFailure[];
  /** What no replica has, or is not followed, and why: the end of a sentence that begins with the path. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[];
  /** How many entries are as they are to be. */
  readonly unchanged: number;
  /** It was stopped before all was tried. */
  readonly stopped: boolean;
}

export interface SyncFailure {
  /** Seen from the two folders. */
  readonly path: string;
  readonly message: string;
  /** That of the error, for programs: of a `GypsumError`, or of the system, such as `EACCES`. */
  readonly code?: string;
  /** What can be done about it. */
  readonly hint?: string;
  /** What could not be carried out; absent of what could not be read. */
  readonly op?: Operation['op'];
}

/** What was done at one of the times at which a replica that is kept is looked at. */
export interface ReplicateResult extends SyncResult {
  /** What could not be done the time before, and is in order now. */
  readonly recovered: readonly SyncFailure[];
  /** The time before ended with an error. */
  readonly isAfterError: boolean;
}
