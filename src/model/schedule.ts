import { Cron } from 'croner';
import { GypsumError } from '../errors.ts';
import { showText } from './text.ts';

/** Again and again, from when the job was added. Units: milliseconds */
export interface IntervalSchedule {
  readonly every: number;
}

/** When a cron expression says, such as `0 3 * * *`; by the machine's own clock where no time zone is named. */
export interface CronSchedule {
  readonly cron: string;
  readonly timeZone?: string | undefined;
}

/** When a job is run. */
export type Schedule = IntervalSchedule | CronSchedule;

/** Units: milliseconds. A job is a process, which needs some time itself; and what comes later than that never comes. */
const SHORTEST = 1000;
const LONGEST = 36_525 * 86_400_000;

/** Returns when a job is to be run, or throws `invalid-argument` for what never comes and what cannot be understood. */
export function checkSchedule(schedule: Schedule, now: number): Schedule {
  if ('every' in schedule) {
    const { every } = schedule;
    if (Number.isSafeInteger(every) && every >= SHORTEST && every <= LONGEST) return { every };
    throw new GypsumError('invalid-argument', `A job cannot be run every ${every / 1000} seconds.`, {
      hint: 'Give a second or more, and no more than a hundred years.',
      details: { every },
    });
  }
  const { cron, timeZone } = schedule;
  if (nextOf(schedule, now) === undefined) {
    throw new GypsumError('invalid-argument', `The time "${showText(cron)}" never comes.`, {
      hint: 'Give one that does, such as "0 3 * * *" for three at night.',
      details: { cron },
    });
  }
  return { cron, ...(timeZone !== undefined && { timeZone }) };
}

/**
 * Gives the first time after `after` at which a job that was added at `added` is to be run; nothing if none comes.
 *
 * What is due again and again is due when it is added, and then at the same times, however long its runs take.
 * Where clocks go forward, a time of the night that is left out counts as come when they do; where they go back, one that
 * comes twice counts once. Times with a wildcard or a step go on through both.
 *
 * Units: milliseconds since 1970
 */
export function nextTime(schedule: Schedule, added: number, after: number): number | undefined {
  if (!('every' in schedule)) return nextOf(schedule, after);
  const { every } = schedule;
  return added + (Math.floor((after - added) / every) + 1) * every;
}

function nextOf({ cron, timeZone }: CronSchedule, after: number): number | undefined {
  try {
    const times = new Cron(cron, {
      // No date, of which there is one alone, and no years.
      mode: '5-or-6-parts',
      fixedTimeRule: 'no-wildcard',
      ...(timeZone !== undefined && { timezone: timeZone }),
    });
    if (times.getOnce() !== null || timeZone === '') throw new TypeError('It is a date, or in no zone.');
    return times.nextRun(new Date(after))?.getTime();
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    const zone = timeZone === undefined ? '' : ` in the time zone "${showText(timeZone)}"`;
    throw new GypsumError('invalid-argument', `"${showText(cron)}"${zone} is no time for a job.`, {
      hint: 'Give five fields: minute, hour, day of the month, month and day of the week, such as "0 3 * * *", and a time zone such as Europe/Berlin.',
      details: { cron, timeZone },
      cause,
    });
  }
}
