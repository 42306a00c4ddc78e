import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parseDuration, parseLater } from '../../src/cli/durations.ts';

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
  ['', 'Give a date'],
  ['tomorrow', 'Give a date such as 2030-01-31, or how long from now'],
  ['-1d', 'Give a date'],
  ['0h', 'It must be longer than 0'],
  ['30', 'It lacks a unit: 30s, 30m, 30h or 30d'],
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

it.each([
  ['soon', 'Give a duration such as'],
  ['2030-01-31', 'Give a duration such as'],
  ['5', 'It lacks a unit: 5s'],
  ['0s', 'It must be longer than 0'],
  ['0.0001s', 'It must be longer than 0'],
  ['9999999999999999d', 'It is too long'],
])('"%s" is no duration', (text, message) => {
  expect(() => parseDuration(text)).toThrow(message);
});
