import type { RunOutcome } from '../model/job-due.ts';
import type { LockOwner } from '../process-owner.ts';
import type { DamagedJob } from '../state/job-store.ts';

/** A run of a job that has come to its end. */
export interface FinishedRun {
  readonly name: string;
  readonly start: Date;
  readonly end: Date;
  /** `interrupted` is one that was told to stop with the scheduler, however it ended. */
  readonly outcome: RunOutcome;
  /** Missing where a signal ended it, or it could not be started. */
  readonly exitCode?: number;
  /** The last that it said, or of its errors if it failed. */
  readonly message?: string;
}

/** All that happens while jobs are run, as data. */
export type JobEvent =
  /** No other process runs the jobs: from now on this one does, until it is told to stop. */
  | { readonly type: 'jobs-begin'; readonly stateDir: string }
  | { readonly type: 'job-start'; readonly name: string; readonly start: Date; readonly command: readonly string[] }
  | {
      readonly type: 'job-output';
      readonly name: string;
      readonly stream: 'stdout' | 'stderr';
      readonly line: string;
    }
  /** `failures` is how many runs have failed since one did not. */
  | ({ readonly type: 'job-end'; readonly failures: number; readonly next?: Date } & FinishedRun)
  /** It is due, and another process is at it. */
  | { readonly type: 'job-busy'; readonly name: string; readonly owner: LockOwner | undefined }
  | ({ readonly type: 'job-damaged' } & DamagedJob)
  /** What became of a run could not be written down. */
  | { readonly type: 'job-unrecorded'; readonly name: string; readonly error: Error };

export type OnJobEvent = (event: JobEvent) => void;
