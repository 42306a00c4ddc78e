import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parseLater } from '../../src/cli/durations.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2028-02-28T12:00:00Z') }));
afterEach(() => void vi.useRealTimers());

it.each([
  ['12h', '2028-02-29T00:00:00.000Z'],
  ['30d', '2028-03-29T12:00:00.000Z'],
  ['2w', '2028-03-13T12:00:00.000Z'],
  ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ['2030-01-31T10:00:00+02:00', '2030-01-31T08:00:00.000Z'],
  ['2030-01-31 10:00Z', '2030-01-31T10:00:00.000Z'],
  ['9999-12-31', '9999-12-31T00:00:00.000Z'],
])('"%s" is the time %s', (text, time) => {
  expect(parseLater(text).toISOString()).toBe(time);
});

it.each([
  ['', 'It is a duration'],
  ['tomorrow', 'It is a duration'],
  ['-1d', 'It is a duration'],
  ['0h', 'It is a duration'],
  ['2030-02-30', 'It is no date'],
  ['2030-02-30T10:00Z', 'It is no date'],
  ['2030-01-31T25:00Z', 'It is no date'],
  ['3000000d', 'It is too far away'],
  ['90000000d', 'It is too far away'],
  ['2028-02-28', 'It is in the past'],
  ['2028-02-28T12:00:00Z', 'It is in the past'],
])('"%s" is no time to come', (text, message) => {
  expect(() => parseLater(text)).toThrow(message);
});
