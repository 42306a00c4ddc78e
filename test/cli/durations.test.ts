import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { formatDuration, parseDuration, parseInterval, parseLater } from '../../src/cli/durations.ts';

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

it.each([
  ['5', 300_000, '5m'],
  ['0.5', 30_000, '30s'],
  ['90', 5_400_000, '90m'],
  ['1.5s', 1500, '1.5s'],
  ['36h', 129_600_000, '36h'],
  ['14d', 1_209_600_000, '2w'],
])('"%s" is an interval, and shown as one', (text, milliseconds, shown) => {
  expect(parseInterval(text)).toBe(milliseconds);
  expect(formatDuration(milliseconds)).toBe(shown);
  expect(parseDuration(shown)).toBe(milliseconds);
});

it.each(['', '-1', '1e3', '0', '.5', 'NaN', '5 m'])('"%s" is no interval', (text) => {
  expect(() => parseInterval(text)).toThrow(/Give a duration|longer than 0/);
});
