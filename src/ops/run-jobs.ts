import { checkConcurrency, each } from '../each.ts';
import { GypsumError } from '../errors.ts';
import { pause } from '../give-way.ts';
import { takeLock } from '../owned-lock.ts';
import { describeOwner, type LockOwner } from '../process-owner.ts';
import type { JobStore } from '../state/job-store.ts';
import type { FinishedRun, OnJobEvent } from './job-events.ts';
import { createJobRunner, type JobRunner, type JobRunnerOptions } from './job-runner.ts';
import { jobsIn, noJob } from './stored-jobs.ts';

export interface RunJobsOptions extends JobRunnerOptions {
  /** How many jobs are run at once. @default 4 */
  readonly concurrency?: number | undefined;
}

const DEFAULT_CONCURRENCY = 4;

/**
 * Units: milliseconds. Jobs are added and removed, and clocks set, at any time; a machine that was asleep does not know for
 * how long; and no timer of Node's waits for longer than 24.8 days.
 */
const LOOK_AGAIN = 1000;

/**
 * Runs the jobs of a user's state folder when they are due, each in a process of its own, until the signal is aborted; then
 * it asks those that are running to stop, and returns when they have.
 *
 * Throws `in-use` if another process does the same. Jobs that are added and removed meanwhile are heeded.
 */
export async function runJobs(stateDir: string, options: RunJobsOptions): Promise<void> {
  const { concurrency = DEFAULT_CONCURRENCY, onEvent = () => {} } = options;
  checkConcurrency(concurrency);
  await alone(stateDir, options, async ({ dueJobs, attempt, stop, fail }) => {
    onEvent({ type: 'jobs-begin', stateDir });
    const running = new Map<string, Promise<void>>();
    while (!stop.aborted) {
      const now = Date.now();
      let wake = now + LOOK_AGAIN;
      for (const { name, due } of dueJobs()) {
        if (due > now) wake = Math.min(wake, due);
        else if (!running.has(name) && running.size < concurrency) {
          const work = attempt(name).then(() => void running.delete(name), fail);
          running.set(name, work);
        }
      }
      await pause(wake - now, stop);
    }
    await Promise.all(running.values());
  });
}

/**
 * Runs the jobs that are due now, once, and gives how they ended: for whoever starts it again and again. Throws `in-use` if
 * another process runs the jobs. When the signal is aborted it returns as soon as those that are running have ended.
 */
export async function runDueJobs(stateDir: string, options: RunJobsOptions): Promise<FinishedRun[]> {
  const { concurrency = DEFAULT_CONCURRENCY } = options;
  checkConcurrency(concurrency);
  const runs: FinishedRun[] = [];
  await alone(stateDir, options, async ({ dueJobs, attempt, stop }) => {
    const now = Date.now();
    const due = dueJobs().filter((job) => job.due <= now);
    await each(due, { concurrency }, async ({ name }) => {
      const run = stop.aborted ? undefined : await attempt(name);
      if (run !== undefined) runs.push(run);
    });
  });
  return runs;
}

/**
 * Runs one job now, whether it is due or not, and gives how it ended. Throws `not-found` if there is none, and `in-use` if
 * it is being run.
 */
export async function runJob(stateDir: string, name: string, options: JobRunnerOptions): Promise<FinishedRun> {
  const { signal = new AbortController().signal } = options;
  signal.throwIfAborted();
  const store = jobsIn(stateDir);
  const isThere = store.list().jobs.some(({ job }) => job.name === name);
  if (!isThere) throw noJob(store, name);
  const runner = createJobRunner(store, options, signal);
  try {
    const tried = await runner.run(name, true);
    if (tried === undefined) throw noJob(store, name);
    if ('run' in tried) return tried.run;
    throw inUse(`Another process runs the job "${name}"`, tried.busy, 'Wait until it has ended.');
  } finally {
    runner.close();
  }
}

/** What there is while no other process runs the jobs. */
interface Turn {
  /** Gives jobs and when they are due, the first one first; tells of what is damaged. */
  dueJobs(): { name: string; due: number }[];
  /** Runs a job if it is due, and gives how it ended; tells who is at it if that is another process. */
  attempt(name: string): Promise<FinishedRun | undefined>;
  /** Aborted when no more is to be begun. */
  readonly stop: AbortSignal;
  /** Ends the turn, which then throws the error. */
  readonly fail: (error: unknown) => void;
}

async function alone(stateDir: string, options: JobRunnerOptions, work: (turn: Turn) => Promise<void>): Promise<void> {
  const { signal, onEvent = () => {} } = options;
  signal?.throwIfAborted();
  const store = jobsIn(stateDir);
  const lock = await takeLock(store.lockOf(), signal);
  if (!lock.isOurs) {
    throw inUse(
      'Another process runs the jobs already',
      lock.owner,
      'It runs those that are added meanwhile, too; "gypsum schedule run --job NAME" runs one now.',
    );
  }
  const broken = new AbortController();
  const stop = AbortSignal.any([...(signal === undefined ? [] : [signal]), lock.lost, broken.signal]);
  const runner = createJobRunner(store, options, stop);
  try {
    store.sweep();
    await work({
      dueJobs: createDueJobs(store, runner, onEvent),
      attempt: createAttempt(runner, onEvent, stop),
      stop,
      fail: (error) => broken.abort(error),
    });
  } finally {
    runner.close();
    await lock.release();
  }
  broken.signal.throwIfAborted();
  if (lock.lost.aborted) {
    throw inUse('The lock of whoever runs the jobs was taken away', undefined, 'Leave it to one process to run them.');
  }
}

function createDueJobs(store: JobStore, runner: JobRunner, onEvent: OnJobEvent): Turn['dueJobs'] {
  const told = new Set<string>();
  return () => {
    const { jobs, damaged } = store.list();
    for (const file of damaged) {
      if (!told.has(file.path)) onEvent({ type: 'job-damaged', ...file });
      told.add(file.path);
    }
    return jobs
      .map((stored) => ({ name: stored.job.name, due: runner.dueAt(stored) ?? Number.POSITIVE_INFINITY }))
      .sort((a, b) => a.due - b.due);
  };
}

function createAttempt(runner: JobRunner, onEvent: OnJobEvent, stop: AbortSignal): Turn['attempt'] {
  const told = new Set<string>();
  return async (name) => {
    try {
      const tried = await runner.run(name, false);
      if (tried === undefined) return undefined;
      if ('run' in tried) {
        told.delete(name);
        return tried.run;
      }
      if (!told.has(name)) onEvent({ type: 'job-busy', name, owner: tried.busy });
      told.add(name);
    } catch (error) {
      // It was waiting for its lock.
      if (!stop.aborted || error !== stop.reason) throw error;
    }
    return undefined;
  };
}

function inUse(what: string, owner: LockOwner | undefined, hint: string): GypsumError {
  return new GypsumError('in-use', `${what}${describeOwner(owner)}.`, { hint, details: { owner } });
}
