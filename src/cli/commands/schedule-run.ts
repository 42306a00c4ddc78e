import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { jobEnvironment } from '../../config/job-settings.ts';
import { stateDir } from '../../config.ts';
import { GypsumError, isSystemError } from '../../errors.ts';
import { makeFolder } from '../../make-folder.ts';
import type { FinishedRun, JobEvent } from '../../ops/job-events.ts';
import { runDueJobs, runJob, runJobs } from '../../ops/run-jobs.ts';
import type { Call, Command } from '../command.ts';
import { jobEventText } from '../job-text.ts';
import { ownCommand } from '../own-command.ts';
import { parseCount } from '../parse-count.ts';
import { describeSystemError } from '../system-errors.ts';
import { count } from '../text.ts';

interface Options {
  once?: boolean;
  job?: string;
  log?: string;
  concurrency?: number;
}

export const scheduleRun: Command<readonly FinishedRun[] | undefined, Options> = {
  usage: 'run',
  summary: 'Run the jobs when they are due, until Ctrl-C; jobs that are running then end well',
  example: 'gypsum schedule run --once',
  local: true,
  flags: [
    { flags: '--once', description: 'run what is due now, and end: for timers of cron or systemd' },
    { flags: '--job <job>', description: 'run this one now, whether it is due or not, and end' },
    {
      flags: '--log <file>',
      description: 'write to the end of a file, a line with its time, in place of the terminal',
    },
    { flags: '--concurrency <number>', description: 'how many jobs may run at once (default: 4)', parse: parseCount },
  ],
  async run(call) {
    const { once = false, job, log, concurrency } = call.options;
    if (once && job !== undefined) {
      throw new GypsumError('invalid-argument', '--once runs all that is due, --job one that may not be.', {
        hint: 'Leave out one of them.',
      });
    }
    const isEndless = !once && job === undefined;
    const folder = stateDir();
    // The log may be there.
    makeFolder(folder, 0o700);
    const say = sayer(call, log === undefined ? undefined : resolve(log));
    const options = {
      command: ownCommand(),
      environment: jobEnvironment(folder),
      signal: call.signal,
      onEvent: teller(call, say, isEndless),
      concurrency,
    };
    if (job !== undefined) return [await runJob(folder, job, options)];
    if (once) return runDueJobs(folder, options);
    await runJobs(folder, options);
    return undefined;
  },
  human: () => '',
  check(runs) {
    const failed = runs?.filter(({ outcome }) => outcome === 'failed').length ?? 0;
    // It has the exit code of failures that have none of their own.
    if (failed > 0) throw new Error(`${count(failed, 'job')} failed.`);
  },
};

type Say = (stream: 'stdout' | 'stderr', line: string) => void;

function sayer({ print, warn }: Call<Options>, log: string | undefined): Say {
  if (log === undefined) return (stream, line) => (stream === 'stdout' ? print : warn)(line);
  // Opened for each line: others may move it away when it has grown.
  const write = (text: string) => appendFileSync(log, text, { mode: 0o600 });
  write('');
  return (_stream, line) => {
    try {
      write(`${new Date().toISOString()} ${line}\n`);
    } catch (error) {
      if (describeSystemError(error) === undefined && !isSystemError(error, 'ENOENT', 'EIO')) throw error;
      // Jobs go on where nothing can be written down of them.
      warn(line);
    }
  };
}

/** Says what happens, for people; or as a JSON document a line, where no result comes at the end. */
function teller({ quiet, json }: Call<Options>, say: Say, isEndless: boolean) {
  return (event: JobEvent) => {
    if (json) {
      if (isEndless) say('stdout', JSON.stringify({ time: new Date(), ...event }));
    } else if (event.type === 'job-output') say(event.stream, `${event.name}: ${event.line}`);
    else if (!quiet || isTrouble(event)) say('stderr', jobEventText(event));
  };
}

function isTrouble(event: JobEvent): boolean {
  if (event.type === 'job-end') return event.outcome === 'failed';
  return event.type !== 'job-start' && event.type !== 'jobs-begin';
}
