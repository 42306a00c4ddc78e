/**
 * A time of change as a tree carries it: UTC, always with nanoseconds.
 *
 * Shape:  2026-01-02T03:04:05.123456789Z
 */

const SHAPE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z$/;

const SECOND = 1_000_000_000n;

/** Gives the nanoseconds since 1970 that a time stands for; nothing if it is none. */
export function parseMtime(text: string): bigint | undefined {
  const [, seconds = '', fraction = ''] = SHAPE.exec(text) ?? [];
  const since = Date.parse(`${seconds}Z`);
  // A day that no month has is read as one of the next month.
  if (Number.isNaN(since) || secondsText(since) !== seconds) return undefined;
  return BigInt(since / 1000) * SECOND + BigInt(fraction);
}

/** Writes nanoseconds since 1970 as `parseMtime` reads them; nothing for a time whose year has not four digits. */
export function formatMtime(since: bigint): string | undefined {
  const fraction = ((since % SECOND) + SECOND) % SECOND;
  const date = Number((since - fraction) / SECOND) * 1000;
  if (!(date >= FIRST && date <= LAST)) return undefined;
  return `${secondsText(date)}.${fraction.toString().padStart(9, '0')}Z`;
}

const FIRST = Date.parse('0000-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59Z');

function secondsText(since: number): string {
  return new Date(since).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
}
