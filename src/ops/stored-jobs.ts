import { isAbsolute } from 'node:path';
import { GypsumError } from '../errors.ts';
import { dueTime } from '../model/job-due.ts';
import { showText } from '../model/text.ts';
import { isAlive } from '../process-owner.ts';
import type { RunRecord } from '../state/job-record.ts';
import { createJobStore, type JobStore, type StoredJob } from '../state/job-store.ts';

/** Gives where jobs are written down, or throws `invalid-argument`. */
export function jobsIn(stateDir: string): JobStore {
  if (isAbsolute(stateDir) && !stateDir.includes('\0') && stateDir.isWellFormed()) return createJobStore(stateDir);
  throw new GypsumError('invalid-argument', `The state folder "${showText(stateDir)}" is not an absolute path.`, {
    hint: 'Give an absolute path.',
    details: { stateDir },
  });
}

/** Gives when a job is due, which may be in the past; nothing if it never is. Units: milliseconds since 1970 */
export function dueOf({ job, run }: StoredJob, now: number): number | undefined {
  const last = run && { start: run.start.getTime(), end: run.end?.getTime(), outcome: run.outcome };
  return dueTime({ schedule: job.schedule, added: job.added.getTime(), last, failures: run?.failures ?? 0 }, now);
}

/** Whether a run goes on, also one that has outlived its scheduler. */
export function goesOn(run: RunRecord | undefined): boolean {
  return run !== undefined && run.end === undefined && run.process !== undefined && isAlive(run.process) === true;
}

/** The error for a job that is not there. */
export function noJob(store: JobStore, name: string): GypsumError {
  const names = store.list().jobs.map(({ job }) => job.name);
  return new GypsumError('not-found', `There is no job "${showText(name)}".`, {
    hint:
      names.length === 0
        ? 'There is none at all: add one with "gypsum schedule add".'
        : `There is ${names.join(', ')}.`,
    details: { name },
  });
}
