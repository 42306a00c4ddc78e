import type { CallOptions } from '../events.ts';
import { JOB_NAME } from '../state/job-record.ts';
import { goesOn, jobsIn, noJob } from './stored-jobs.ts';

export interface RemovedJob {
  readonly name: string;
  /** A run of it goes on, and comes to its end. */
  readonly isRunning: boolean;
}

/** Forgets a job of a user's state folder. Throws `invalid-argument`, and `not-found` if there is none of that name. */
export async function removeJob(
  stateDir: string,
  name: string,
  { signal }: Pick<CallOptions, 'signal'> = {},
): Promise<RemovedJob> {
  signal?.throwIfAborted();
  const store = jobsIn(stateDir);
  const isRunning = JOB_NAME.test(name) && goesOn(store.read(name)?.run);
  if (!JOB_NAME.test(name) || !store.remove(name)) throw noJob(store, name);
  return { name, isRunning };
}
