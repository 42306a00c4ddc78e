import { InvalidArgumentError } from 'commander';
import { z } from 'zod';

/** Units: milliseconds */
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Reads a duration such as `30d`, `12h` or `90s`, in milliseconds. */
export function parseDuration(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  const duration = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (Number.isSafeInteger(Math.round(duration)) && duration > 0) return Math.round(duration);
  throw new InvalidArgumentError('It is a duration such as 90s, 30m, 12h or 7d.');
}

/** Reads a time to come: a date such as `2030-01-31`, a date with its time, or how long from now, such as `30d`. */
export function parseLater(text: string): Date {
  const [, day, rest] = /^(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.exec(text) ?? [];
  // `Date` takes the 30th of February for one of March.
  if (day !== undefined && !z.iso.date().safeParse(day).success) throw new InvalidArgumentError('It is no date.');
  const time = day === undefined ? Date.now() + parseDuration(text) : Date.parse(day + (rest ?? ''));
  if (Number.isNaN(time)) throw new InvalidArgumentError('It is no date.');
  // Later years have more than four digits, and no place in a date.
  if (time >= Date.UTC(10_000, 0)) throw new InvalidArgumentError('It is too far away.');
  if (time > Date.now()) return new Date(time);
  throw new InvalidArgumentError('It is in the past.');
}
