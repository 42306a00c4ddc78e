import { InvalidArgumentError } from 'commander';
import { z } from 'zod';

/** Units: milliseconds */
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Reads a duration such as `30d`, `12h` or `90s`, in milliseconds. */
export function parseDuration(text: string): number {
  const duration = readDuration(text);
  if (duration !== undefined) return duration;
  throw new InvalidArgumentError('Give a duration such as 90s, 30m, 12h or 7d.');
}

/** Reads how often something is done: a duration, or a number of minutes, which may have a fraction; in milliseconds. */
export function parseInterval(text: string): number {
  return parseDuration(/^\d+(?:\.\d+)?$/.test(text) ? `${text}m` : text);
}

/** Gives a duration as it can be read again, in the largest unit of which it is a whole number. */
export function formatDuration(milliseconds: number): string {
  const [unit, length] = Object.entries(UNITS).findLast(([, one]) => milliseconds % one === 0) ?? ['s', 1000];
  return `${milliseconds / length}${unit}`;
}

/** Gives nothing for what is no duration; throws for one that cannot be meant. */
function readDuration(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|[smhdw]?)$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  if (unit === '') throw new InvalidArgumentError(`It lacks a unit: ${number}s, ${number}m, ${number}h or ${number}d.`);
  const duration = Math.round(Number(number) * (unit === 'ms' ? 1 : (UNITS[unit] ?? Number.NaN)));
  if (duration <= 0) throw new InvalidArgumentError('It must be longer than 0.');
  if (!Number.isSafeInteger(duration)) throw new InvalidArgumentError('It is too long.');
  return duration;
}

/** Reads a time to come: a date such as `2030-01-31`, a date with its time, or how long from now, such as `30d`. */
export function parseLater(text: string): Date {
  const [, day, rest] = /^(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.exec(text) ?? [];
  // `Date` takes the 30th of February for one of March.
  if (day !== undefined && !z.iso.date().safeParse(day).success) throw new InvalidArgumentError('It is no date.');
  const duration = day === undefined ? readDuration(text) : undefined;
  if (day === undefined && duration === undefined) {
    throw new InvalidArgumentError('Give a date such as 2030-01-31, or how long from now, such as 12h or 30d.');
  }
  const time = duration === undefined ? Date.parse(`${day}${rest ?? ''}`) : Date.now() + duration;
  if (Number.isNaN(time)) throw new InvalidArgumentError('It is no date.');
  // Later years have more than four digits, and no place in a date.
  if (time >= Date.UTC(10_000, 0)) throw new InvalidArgumentError('It is too far away.');
  if (time > Date.now()) return new Date(time);
  throw new InvalidArgumentError('It is in the past.');
}
