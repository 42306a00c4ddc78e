import { resolve } from 'node:path';
import { jobSettings } from '../../config/job-settings.ts';
import { stateDir } from '../../config.ts';
import { GypsumError } from '../../errors.ts';
import { addJob, type Job } from '../../ops/add-job.ts';
import { type JobList, listJobs } from '../../ops/list-jobs.ts';
import { type RemovedJob, removeJob } from '../../ops/remove-job.ts';
import { argument, type Command } from '../command.ts';
import { parseInterval } from '../durations.ts';
import { commandText, jobEventText, jobText, scheduleText } from '../job-text.ts';
import { checkSchedulable } from '../schedulable.ts';

interface AddOptions {
  every?: number;
  cron?: string;
  timeZone?: string;
}

export const scheduleAdd: Command<Job, AddOptions> = {
  usage: 'add <name> <command...>',
  summary:
    'Have a command run again and again, by "gypsum schedule run"; it stands behind "--", and relative paths in it are from this folder',
  example: "gypsum schedule add tidy --cron '0 3 * * *' -- cache prune --older-than 90d",
  local: true,
  flags: [
    { flags: '--every <interval>', description: 'how often, such as 15m, or 0.5 for minutes', parse: parseInterval },
    { flags: '--cron <expression>', description: 'when: minute, hour, day of the month, month, day of the week' },
    { flags: '--time-zone <zone>', description: 'whose time that is, such as Europe/Berlin (default: this machine’s)' },
  ],
  async run({ args, options, signal, checkLine }) {
    const [, ...command] = args;
    const schedule = scheduleOf(options);
    checkSchedulable(await checkLine(command));
    const job = { name: argument(args, 0), schedule, command, directory: resolve('.'), settings: jobSettings() };
    return addJob(stateDir(), job, { signal });
  },
  human: ({ name, schedule, command }) =>
    [
      `Added ${name}, ${scheduleText(schedule)}: ${commandText(command)}`,
      'It is run while "gypsum schedule run" is; "gypsum schedule export" gives what starts that at boot.',
    ].join('\n'),
};

export const scheduleList: Command<JobList> = {
  usage: 'list',
  summary: 'List the jobs, when each was run last and how that ended, and when it is due',
  example: 'gypsum schedule list',
  local: true,
  run: ({ signal }) => listJobs(stateDir(), { signal }),
  human({ jobs, damaged }) {
    if (jobs.length + damaged.length === 0) return 'There is no job. Add one with "gypsum schedule add".';
    return [...jobs.map(jobText), ...damaged.map((file) => jobEventText({ type: 'job-damaged', ...file }))].join('\n');
  },
};

export const scheduleRemove: Command<RemovedJob> = {
  usage: 'remove <job>',
  summary: 'Forget a job',
  example: 'gypsum schedule remove tidy',
  local: true,
  run: ({ args, signal }) => removeJob(stateDir(), argument(args, 0), { signal }),
  human: ({ name, isRunning }) =>
    isRunning ? `Removed ${name}. It is being run, and comes to its end.` : `Removed ${name}.`,
};

function scheduleOf({ every, cron, timeZone }: AddOptions) {
  if (every !== undefined && cron === undefined && timeZone === undefined) return { every };
  if (every === undefined && cron !== undefined) return { cron, ...(timeZone !== undefined && { timeZone }) };
  throw new GypsumError('invalid-argument', 'A job has either an interval or times.', {
    hint: 'Give one of --every 15m and --cron "0 3 * * *", before the "--"; a --time-zone is for the latter.',
  });
}
