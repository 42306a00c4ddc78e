import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { isOwnerAlive } from '../owned-name.ts';
import { NotOurs } from '../small-file.ts';
import { createJobFile, ownerOfFresh, readJobFile, replaceJobFile } from './job-files.ts';
import { formatJob, formatRun, JOB_NAME, type JobRecord, parseJob, parseRun, type RunRecord } from './job-record.ts';

/** A file that should say something of a job, and does not; `reason` is the end of a sentence that begins with "it". */
export interface DamagedJob {
  readonly path: string;
  readonly reason: string;
}

/** A job, with its last run if it has been run. */
export interface StoredJob {
  readonly job: JobRecord;
  readonly run: RunRecord | undefined;
}

/**
 * What is written down of jobs. A job's file is never changed, and that of its runs is written by whoever has the job's lock:
 * so processes that add, remove and run jobs at once lose nothing of each other's.
 *
 * Shape:  <folder>/schedule/job.<name>.json    mode 0600, like the others; see `parseJob`
 *         <folder>/schedule/run.<name>.json    its last run; see `parseRun`
 *         <folder>/schedule/lock.<name>/       there while the job is run; see `takeLock`
 *         <folder>/schedule/lock/              there while jobs are run when they are due
 */
export interface JobStore {
  /** Writes a job down, unless there is one of that name; says whether it did. */
  add(job: JobRecord): boolean;
  /** Forgets a job and its runs; says whether it was there. */
  remove(name: string): boolean;
  /** Gives a job; nothing if there is none, or its file is damaged. */
  read(name: string): StoredJob | undefined;
  /** Gives all jobs by their names, whatever is damaged. */
  list(): { jobs: StoredJob[]; damaged: DamagedJob[] };
  /** Writes down the last run of a job; for whoever has its lock. */
  writeRun(name: string, run: RunRecord): void;
  /** Removes what killed processes were writing, and runs of jobs that were removed meanwhile. */
  sweep(): void;
  /** Where the lock of a job is, or of all. */
  lockOf(name?: string): string;
}

/** Keeps what is written down of jobs in a folder of the user's own, which is made when it is needed. */
export function createJobStore(folder: string): JobStore {
  const root = join(folder, 'schedule');
  const jobFile = (name: string) => join(root, `job.${name}.json`);
  const runFile = (name: string) => join(root, `run.${name}.json`);

  function load(name: string): { stored?: StoredJob; damaged: DamagedJob[] } {
    const job = readOne(jobFile(name), (text) => parseJob(name, text));
    if (job.value === undefined) return { damaged: job.damaged };
    const run = readOne(runFile(name), parseRun);
    // One of the same name may have been removed while it ran.
    const last = run.value?.id === job.value.id ? run.value : undefined;
    return { stored: { job: job.value, run: last }, damaged: run.damaged };
  }

  return {
    read: (name) => load(name).stored,

    add(job) {
      makeFolder(root, 0o700);
      return createJobFile(jobFile(job.name), formatJob(job));
    },

    remove(name) {
      const wasThere = removeIfThere(jobFile(name));
      removeIfThere(runFile(name));
      return wasThere;
    },

    list() {
      const jobs: StoredJob[] = [];
      const damaged: DamagedJob[] = [];
      for (const name of jobNames(readdirIfAny(root))) {
        const { stored, damaged: more } = load(name);
        if (stored !== undefined) jobs.push(stored);
        damaged.push(...more);
      }
      return { jobs, damaged };
    },

    writeRun(name, run) {
      replaceJobFile(runFile(name), formatRun(run));
    },

    sweep() {
      const names = readdirIfAny(root);
      const jobs = jobNames(names);
      for (const name of names) {
        const owner = ownerOfFresh(name);
        const ofRun = /^run\.(.+)\.json$/.exec(name)?.[1];
        const isLeft =
          owner === undefined ? ofRun !== undefined && !jobs.includes(ofRun) : isOwnerAlive(owner) === false;
        if (isLeft) removeIfThere(join(root, name));
      }
    },

    lockOf: (name) => join(root, name === undefined ? 'lock' : `lock.${name}`),
  };
}

function jobNames(files: readonly string[]): string[] {
  return files
    .map((file) => /^job\.(.+)\.json$/.exec(file)?.[1] ?? '')
    .filter((name) => JOB_NAME.test(name))
    .sort();
}

function removeIfThere(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}

function readdirIfAny(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Reads a file; without a value it is not there, or damaged. */
function readOne<T>(path: string, parse: (text: string) => T | undefined): { value?: T; damaged: DamagedJob[] } {
  try {
    const text = readJobFile(path);
    if (text === undefined) return { damaged: [] };
    const value = parse(text);
    if (value !== undefined) return { value, damaged: [] };
  } catch (error) {
    if (error instanceof NotOurs) return { damaged: [{ path, reason: error.message }] };
    throw error;
  }
  return { damaged: [{ path, reason: 'is not what this version writes there' }] };
}
