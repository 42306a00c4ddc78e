import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueTime, type JobTimes, type RunOutcome } from '../../src/model/job-due.ts';
import { checkSchedule, nextTime, type Schedule } from '../../src/model/schedule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const at = (text: string) => Date.parse(text);
const NOW = at('2026-06-01T12:00:00Z');

const every = fc.integer({ min: 1000, max: 400 * DAY });
const crons = fc.constantFrom('0 3 * * *', '*/15 * * * *', '30 2 * * SUN', '0 0 29 2 *', '@hourly', '*/10 * * * * *');
const zones = fc.constantFrom(undefined, 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'UTC');
const schedules = fc.oneof(
  every.map((every): Schedule => ({ every })),
  fc.record({ cron: crons, timeZone: zones }),
);

describe('when a job is to be run', () => {
  it.each<[string, Schedule, string]>([
    ['a fraction of a second', { every: 999 }, 'every 0.999 seconds'],
    ['no time at all', { every: 0 }, 'every 0 seconds'],
    ['no number', { every: Number.NaN }, 'every NaN seconds'],
    ['too long', { every: 36_526 * DAY }, 'cannot be run every'],
    ['no fields', { cron: '' }, '"" is no time'],
    ['too few fields', { cron: '0 3 *' }, 'is no time'],
    ['years', { cron: '0 0 3 * * * 2030' }, 'is no time'],
    ['a date', { cron: '2030-01-01T00:00:00' }, 'is no time'],
    ['a number that is none', { cron: '61 3 * * *' }, 'is no time'],
    ['the start of the machine', { cron: '@reboot' }, 'is no time'],
    ['what a terminal obeys', { cron: '\u001b[2J' }, '"\\x1b[2J" is no time'],
    ['a day that never comes', { cron: '0 0 30 2 *' }, 'never comes'],
    ['no zone', { cron: '0 3 * * *', timeZone: 'Mars/Base' }, 'in the time zone "Mars/Base"'],
    ['an empty zone', { cron: '0 3 * * *', timeZone: '' }, 'in the time zone ""'],
  ])('is refused for %s', (_what, schedule, message) => {
    let error: unknown;
    try {
      checkSchedule(schedule, NOW);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'invalid-argument', message: expect.stringContaining(message) });
    expect(error).toMatchObject({ hint: expect.stringMatching(/./) });
  });

  it('is taken as it is otherwise', () => {
    fc.assert(
      fc.property(schedules, (schedule) => {
        expect(checkSchedule(schedule, NOW)).toEqual(schedule);
      }),
    );
  });

  it('is the first time behind another, and the same from anywhere before it', () => {
    fc.assert(
      fc.property(schedules, fc.integer({ min: -900 * DAY, max: 900 * DAY }), fc.nat(), (schedule, away, part) => {
        const after = NOW + away;
        const next = nextTime(schedule, NOW, after) ?? 0;
        expect(next).toBeGreaterThan(after);
        // From any time between the two, too.
        expect(nextTime(schedule, NOW, after + (part % (next - after)))).toBe(next);
      }),
    );
  });

  it('is exactly as often as it says, whatever time has gone', () => {
    fc.assert(
      fc.property(every, fc.nat({ max: 1000 }), (every, times) => {
        const time = NOW + every * times;
        expect(nextTime({ every }, NOW, time - 1)).toBe(time);
        expect(nextTime({ every }, NOW, time)).toBe(time + every);
      }),
    );
  });

  it.each<[string, string, string, string[]]>([
    ['clocks go forward', '30 2 * * *', '2026-03-28T12:00:00Z', ['2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z']],
    ['clocks go back', '30 2 * * *', '2026-10-24T12:00:00Z', ['2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z']],
    ['there are two times', '30 2,14 * * *', '2026-03-29T00:00:00Z', ['2026-03-29T01:00:00Z', '2026-03-29T12:30:00Z']],
    ['it is every hour', '30 * * * *', '2026-10-25T00:00:00Z', ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z']],
    ['hours are left out', '30 * * * *', '2026-03-29T00:00:00Z', ['2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z']],
  ])('comes once where %s', (_what, cron, from, times) => {
    let time = at(from);
    for (const expected of times) {
      time = nextTime({ cron, timeZone: 'Europe/Berlin' }, NOW, time) ?? 0;
      expect(time).toBe(at(expected));
    }
  });
});

describe('a job', () => {
  const job: JobTimes = { schedule: { every: HOUR }, added: NOW, failures: 0 };
  const run = (start: number, outcome: RunOutcome, end?: number) => ({ start, outcome, end });

  it('is due at once where it is run again and again, else when its time comes', () => {
    expect(dueTime(job, NOW)).toBe(NOW);
    expect(dueTime({ ...job, schedule: { cron: '0 13 * * *', timeZone: 'UTC' } }, NOW)).toBe(NOW + HOUR);
    expect(dueTime({ ...job, schedule: { cron: '0 12 * * *', timeZone: 'UTC' } }, NOW)).toBe(NOW);
  });

  it('makes up once for all it has missed, and is then due when it would have been', () => {
    const last = run(NOW, 'done', NOW + 1);
    const later = NOW + 40.5 * HOUR;
    expect(dueTime({ ...job, last }, later)).toBe(NOW + HOUR);
    expect(dueTime({ ...job, last: run(later, 'done', later + 1) }, later + 1)).toBe(NOW + 41 * HOUR);
  });

  it('that failed is tried again later and later, and no later than it is due', () => {
    const end = NOW + 5 * MINUTE;
    const last = run(NOW, 'failed', end);
    const again = [1, 2, 3, 4, 5, 6, 7, 1000, 1e9].map((failures) => dueTime({ ...job, last, failures }, end));
    expect(again.map((time) => ((time ?? 0) - end) / MINUTE)).toEqual([1, 2, 4, 8, 16, 32, 55, 55, 55]);
    expect(dueTime({ ...job, last: run(NOW, 'interrupted'), failures: 0 }, end)).toBe(NOW + MINUTE);
    expect(dueTime({ ...job, schedule: { every: 1000 }, last, failures: 9 }, end)).toBe(NOW + 1000);
  });

  it('is due where the clock was set back behind its last run, or behind when it was added', () => {
    const before = NOW - 400 * DAY;
    expect(dueTime({ ...job, last: run(NOW, 'done') }, before)).toBe(before);
    expect(dueTime(job, before)).toBe(before);
    const next = dueTime({ ...job, last: run(before, 'done') }, before + 1) ?? 0;
    expect(next - before).toBeGreaterThan(0);
    expect(next - before).toBeLessThanOrEqual(HOUR);
    // By no more than clocks are corrected by.
    expect(dueTime({ ...job, last: run(NOW, 'done') }, NOW - 30_000)).toBe(NOW + HOUR);
  });

  it('neither stalls nor storms, whatever clock and runs do', () => {
    const step = fc.record({
      passes: fc.oneof(fc.integer({ min: 0, max: 3 * HOUR }), fc.integer({ min: 0, max: 90 * DAY })),
      // Mostly it goes on as it should.
      jump: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: -90 * DAY, max: 90 * DAY })),
      takes: fc.oneof(fc.integer({ min: 0, max: MINUTE }), fc.integer({ min: 0, max: 30 * HOUR })),
      outcome: fc.constantFrom<RunOutcome>('done', 'failed', 'interrupted'),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 2 * DAY }), fc.array(step, { maxLength: 60 }), (every, steps) => {
        let now = NOW;
        let times: JobTimes = { schedule: { every }, added: now, failures: 0 };
        for (const { passes, jump, takes, outcome } of steps) {
          now += passes + jump;
          const due = dueTime(times, now) ?? Number.POSITIVE_INFINITY;
          // What is to be waited for is never more than an interval, and a correction of the clock.
          expect(due).toBeLessThanOrEqual(now + every + MINUTE);
          if (due > now) continue;
          const start = now;
          now += takes;
          const failures = outcome === 'failed' ? times.failures + 1 : 0;
          times = { ...times, last: { start, end: now, outcome }, failures };
          const next = dueTime(times, now) ?? 0;
          // At once again only if its time came while it ran.
          expect(next).toBeGreaterThan(start);
          if (outcome === 'done') expect(Math.abs(next - NOW) % every).toBe(0);
        }
      }),
    );
  });
});
