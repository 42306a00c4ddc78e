import type { Schedule } from '../model/schedule.ts';
import { showText } from '../model/text.ts';
import type { FinishedRun, JobEvent } from '../ops/job-events.ts';
import type { JobRun, ListedJob } from '../ops/list-jobs.ts';
import { describeOwner } from '../process-owner.ts';
import { formatDuration } from './durations.ts';
import { quote } from './quote.ts';
import { errorLines } from './report.ts';

/** Gives when a job is run: `every 15m`, or `0 3 * * * (Europe/Berlin)`. */
export function scheduleText(schedule: Schedule): string {
  if ('every' in schedule) return `every ${formatDuration(schedule.every)}`;
  const { cron, timeZone } = schedule;
  return timeZone === undefined ? cron : `${cron} (${timeZone})`;
}

/** Gives a job's command as it is typed. */
export function commandText(command: readonly string[]): string {
  return showText(['gypsum', ...command.map(quote)].join(' '));
}

/** Gives a job with its last and next run, a few lines. */
export function jobText({ name, schedule, command, directory, last, isRunning, failures, next }: ListedJob): string {
  const again = last?.outcome === 'failed' && !isRunning ? `, tried again after ${inARow(failures)}` : '';
  return [
    `${name}  ${scheduleText(schedule)}`,
    `  ${commandText(command)}  (in ${showText(directory)})`,
    `  last run: ${last === undefined ? 'none yet' : lastText(last, isRunning)}`,
    ...(isRunning ? [] : [`  next run: ${next === undefined ? 'none' : `${next.toISOString()}${again}`}`]),
  ].join('\n');
}

function lastText(run: JobRun, isRunning: boolean): string {
  const start = run.start.toISOString();
  if (isRunning) return `since ${start}, going on`;
  if (run.end === undefined) return `${start}, nobody saw it end`;
  return `${start}, ${endText({ ...run, end: run.end })}`;
}

/** Gives the line that tells of something that happened while jobs are run, without what they say themselves. */
export function jobEventText(event: Exclude<JobEvent, { type: 'job-output' }>): string {
  switch (event.type) {
    case 'jobs-begin':
      return `Running the jobs in ${showText(event.stateDir)} when they are due; Ctrl-C stops.`;
    case 'job-start':
      return `${event.name} begins: ${commandText(event.command)}`;
    case 'job-end': {
      const next = event.next === undefined ? '' : `; next run ${event.next.toISOString()}`;
      const row = event.failures > 1 ? `; ${inARow(event.failures)}` : '';
      return `${event.name} ends: ${endText(event)}${row}${next}`;
    }
    case 'job-busy':
      return `${event.name} is due, and another process${describeOwner(event.owner)} runs it already.`;
    case 'job-damaged':
      return `${showText(event.path)} says nothing of a job: it ${event.reason}. Remove it.`;
    case 'job-unrecorded':
      return `What became of ${event.name} could not be written down: ${errorLines(event.error)}`;
  }
}

function endText({ start, end, outcome, exitCode, message }: Omit<FinishedRun, 'name'>): string {
  const seconds = Math.max(0, (end.getTime() - start.getTime()) / 1000).toFixed(1);
  const code = outcome === 'failed' && exitCode !== undefined ? ` with exit code ${exitCode}` : '';
  return `${outcome}${code} after ${seconds} s${message === undefined ? '' : `: ${showText(message)}`}`;
}

function inARow(failures: number): string {
  return failures === 1 ? 'a failure' : `${failures} failures in a row`;
}
