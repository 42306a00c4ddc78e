import { retryDelay } from './retry-delay.ts';
import { nextTime, type Schedule } from './schedule.ts';

/** What became of a run: one that was interrupted was stopped with the scheduler, or outlived it. */
export type RunOutcome = 'done' | 'failed' | 'interrupted';

/** What must be known of a job to say when it is due. Units: milliseconds since 1970 */
export interface JobTimes {
  readonly schedule: Schedule;
  readonly added: number;
  /** The last run, if there was any. */
  readonly last?:
    | { readonly start: number; readonly end?: number | undefined; readonly outcome: RunOutcome }
    | undefined;
  /** How many runs have failed since one did not. */
  readonly failures: number;
}

/** Units: milliseconds. How long after the first failure a job is tried again; it doubles with every other. */
const FIRST_RETRY = 60_000;

/** Units: milliseconds. How far a clock may be set back without anybody asking which runs were before and which after. */
const SET_BACK = 60_000;

/**
 * Gives when a job is due, which may be in the past; nothing if it never is again.
 *
 * However many times were missed, the one run that makes up for them ends that. What failed, or was interrupted, is tried again
 * later and later, and no later than it would be due anyway. Where it was run last, or added, in the future, the clock
 * was set back, and nobody knows what has been missed: it is run.
 *
 * Units: milliseconds since 1970
 */
export function dueTime({ schedule, added, last, failures }: JobTimes, now: number): number | undefined {
  if ((last?.start ?? added) > now + SET_BACK) return now;
  if (last === undefined) return nextTime(schedule, added, added - 1);
  const next = nextTime(schedule, added, last.start);
  if (last.outcome === 'done') return next;
  const again = (last.end ?? last.start) + retryDelay(FIRST_RETRY, failures);
  return next === undefined ? again : Math.min(next, again);
}
