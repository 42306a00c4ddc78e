import { randomUUID } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { JobSettings } from '../model/job-settings.ts';
import { checkSchedule, type Schedule } from '../model/schedule.ts';
import { showText } from '../model/text.ts';
import { JOB_NAME } from '../state/job-record.ts';
import { jobsIn } from './stored-jobs.ts';

/** A command line that is run again and again. */
export interface NewJob {
  /** Up to 64 lower-case letters, digits, `-` and `_`. */
  readonly name: string;
  readonly schedule: Schedule;
  /** The words of the command line behind `gypsum`. They are passed on as they are: whether they mean anything is not checked. */
  readonly command: readonly string[];
  /** Where it is run, an absolute path: relative ones in the command begin there. */
  readonly directory: string;
  /** Settings that it has whatever those of its scheduler are. What is not among them is not set for it. */
  readonly settings?: JobSettings | undefined;
}

export interface Job extends NewJob {
  readonly settings: JobSettings;
  readonly added: Date;
}

/**
 * Writes a job down in a user's state folder, for `runJobs`. Throws `invalid-argument` for what cannot be one, and for the name of
 * another job.
 */
export async function addJob(
  stateDir: string,
  { name, schedule, command, directory, settings = {} }: NewJob,
  { signal }: Pick<CallOptions, 'signal'> = {},
): Promise<Job> {
  signal?.throwIfAborted();
  const store = jobsIn(stateDir);
  if (!JOB_NAME.test(name)) {
    throw new GypsumError('invalid-argument', `"${showText(name)}" cannot be the name of a job.`, {
      hint: 'Give up to 64 lower-case letters, digits, "-" and "_", a letter or a digit first.',
      details: { name },
    });
  }
  if (command.length === 0 || !isAbsolute(directory)) {
    throw new GypsumError(
      'invalid-argument',
      'A job is a command, and the absolute path of the folder where it is run.',
      {
        hint: 'Give at least one word for the command, and an absolute path as the directory.',
        details: { command, directory },
      },
    );
  }
  for (const text of [...command, directory, ...Object.values(settings)]) checkPassable(text);
  const added = new Date();
  const job = { name, schedule: checkSchedule(schedule, added.getTime()), command, directory, settings, added };
  if (store.add({ ...job, id: randomUUID() })) return job;
  throw new GypsumError('invalid-argument', `There is a job "${name}" already.`, {
    hint: `Give another name, or remove it first: gypsum schedule remove ${name}`,
    details: { name },
  });
}

/** Node cannot hand a program what is not UTF-8. */
function checkPassable(text: string): void {
  if (text.isWellFormed() && !text.includes('\0')) return;
  throw new GypsumError('invalid-argument', `"${showText(text)}" is not UTF-8, and cannot be passed on to a job.`, {
    hint: 'Name it by a symlink whose path is UTF-8.',
    details: { text },
  });
}
