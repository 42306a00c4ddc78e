import type { ChildProcess } from 'node:child_process';
import { isFromSystem } from '../errors.ts';
import { JOB_SETTINGS } from '../model/job-settings.ts';
import { takeLock } from '../owned-lock.ts';
import { type LockOwner, processOf } from '../process-owner.ts';
import type { RunRecord } from '../state/job-record.ts';
import type { JobStore, StoredJob } from '../state/job-store.ts';
import type { FinishedRun, OnJobEvent } from './job-events.ts';
import { askToStop, type JobProcess, startJobProcess } from './job-process.ts';
import { dueOf, goesOn } from './stored-jobs.ts';

/** What runs jobs need to know of where they are run. */
export interface JobRunnerOptions {
  /** The words that a job's own are put behind: a program and its first arguments. */
  readonly command: readonly string[];
  /** What the processes of jobs have in their environment, beside the settings of each. @default nothing */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** When it is aborted, jobs that are running are asked to stop, and waited for. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnJobEvent | undefined;
}

/** What became of the wish to run a job: it was run, it is run elsewhere, or nobody wants it to be any more. */
export type Attempt = { readonly run: FinishedRun } | { readonly busy: LockOwner | undefined } | undefined;

/** Runs jobs, each in a process of its own, and never one twice at once. */
export interface JobRunner {
  /** Gives when a job is due, by its last run. Units: milliseconds since 1970 */
  dueAt(stored: StoredJob): number | undefined;
  /** Runs a job, unless it is not due any more once it is ours. */
  run(name: string, isForced: boolean): Promise<Attempt>;
  close(): void;
}

export function createJobRunner(
  store: JobStore,
  { command, environment = {}, onEvent = () => {} }: JobRunnerOptions,
  stop: AbortSignal,
): JobRunner {
  const children = new Set<ChildProcess>();
  /** Runs as we know them: that one could not be written down must not make its job due again at once. */
  const known = new Map<string, RunRecord>();

  // Whoever ends us before all have ended wants them to end, too: the second time, they do so at once.
  const askAll = () => children.forEach(askToStop);
  stop.addEventListener('abort', askAll);
  process.on('exit', askAll);

  function latest({ job, run }: StoredJob): StoredJob {
    const ours = known.get(job.id);
    return ours !== undefined && (run === undefined || run.start < ours.start) ? { job, run: ours } : { job, run };
  }

  const dueAt = (stored: StoredJob) => dueOf(latest(stored), Date.now());

  function record(name: string, run: RunRecord): void {
    known.set(run.id, run);
    try {
      // One that was removed leaves nothing.
      if (store.read(name)?.job.id === run.id) store.writeRun(name, run);
    } catch (error) {
      // Whatever the system refuses: a run that goes on is not left alone for that.
      if (!isFromSystem(error)) throw error;
      onEvent({ type: 'job-unrecorded', name, error });
    }
  }

  function start({ job }: StoredJob): JobProcess {
    const unset = Object.fromEntries(JOB_SETTINGS.map((setting) => [setting, undefined]));
    const { child, ended } = startJobProcess({
      command: [...command, ...job.command],
      directory: job.directory,
      environment: { ...environment, ...unset, ...job.settings },
      onLine: (stream, line) => onEvent({ type: 'job-output', name: job.name, stream, line }),
    });
    if (child === undefined) return { ended };
    children.add(child);
    return { child, ended: ended.finally(() => children.delete(child)) };
  }

  async function runToEnd(stored: StoredJob): Promise<FinishedRun> {
    const { job, run: before } = latest(stored);
    const { name, id } = job;
    const failures = before?.failures ?? 0;
    const begin = new Date();
    onEvent({ type: 'job-start', name, start: begin, command: job.command });
    const { child, ended } = start(stored);
    record(name, {
      id,
      start: begin,
      ...(child?.pid !== undefined && { process: processOf(child.pid) }),
      outcome: 'interrupted',
      failures,
    });
    const how = await ended;
    const outcome = stop.aborted ? 'interrupted' : how.exitCode === 0 ? 'done' : 'failed';
    const end = new Date();
    const run: RunRecord = {
      id,
      start: begin,
      end,
      outcome,
      ...how,
      failures: outcome === 'done' ? 0 : outcome === 'failed' ? failures + 1 : failures,
    };
    record(name, run);
    const finished = { name, start: begin, end, outcome, ...how } as const;
    const next = dueAt({ job, run });
    onEvent({
      type: 'job-end',
      ...finished,
      failures: run.failures,
      ...(next !== undefined && { next: new Date(next) }),
    });
    return finished;
  }

  return {
    dueAt,

    async run(name, isForced) {
      const lock = await takeLock(store.lockOf(name), stop);
      if (!lock.isOurs) return { busy: lock.owner };
      try {
        // Nothing is waited for from here to the process that is told to stop.
        stop.throwIfAborted();
        const stored = store.read(name);
        if (stored === undefined) return undefined;
        if (goesOn(stored.run)) return { busy: stored.run?.process };
        if (!isForced && (dueAt(stored) ?? Number.POSITIVE_INFINITY) > Date.now()) return undefined;
        return { run: await runToEnd(stored) };
      } finally {
        await lock.release();
      }
    },

    close() {
      stop.removeEventListener('abort', askAll);
      process.off('exit', askAll);
    },
  };
}
