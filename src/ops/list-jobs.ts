import type { CallOptions } from '../events.ts';
import type { RunOutcome } from '../model/job-due.ts';
import type { RunRecord } from '../state/job-record.ts';
import type { DamagedJob } from '../state/job-store.ts';
import type { Job } from './add-job.ts';
import { dueOf, goesOn, jobsIn } from './stored-jobs.ts';

/** The last run of a job. */
export interface JobRun {
  readonly start: Date;
  /** Missing while it goes on, and where nobody was there when it ended. */
  readonly end?: Date;
  readonly outcome: RunOutcome;
  /** Missing while it goes on, and where a signal ended it or it could not be started. */
  readonly exitCode?: number;
  /** The last that it said, or of its errors if it failed. */
  readonly message?: string;
}

export interface ListedJob extends Job {
  /** Missing where it has never been run. */
  readonly last?: JobRun;
  readonly isRunning: boolean;
  /** How many runs have failed since one did not. */
  readonly failures: number;
  /** When it is due, which may be in the past. */
  readonly next?: Date;
}

export interface JobList {
  /** By their names. */
  readonly jobs: readonly ListedJob[];
  /** Files that should say something of a job, and do not. */
  readonly damaged: readonly DamagedJob[];
}

/** Gives the jobs of a user's state folder. Throws `invalid-argument`. */
export async function listJobs(stateDir: string, { signal }: Pick<CallOptions, 'signal'> = {}): Promise<JobList> {
  signal?.throwIfAborted();
  const { jobs, damaged } = jobsIn(stateDir).list();
  const now = Date.now();
  return {
    jobs: jobs.map((stored) => {
      const { id: _id, ...job } = stored.job;
      const next = dueOf(stored, now);
      return {
        ...job,
        ...(stored.run !== undefined && { last: lastOf(stored.run) }),
        isRunning: goesOn(stored.run),
        failures: stored.run?.failures ?? 0,
        ...(next !== undefined && { next: new Date(next) }),
      };
    }),
    damaged,
  };
}

function lastOf({ id: _id, process: _process, failures: _failures, ...run }: RunRecord): JobRun {
  return run;
}
