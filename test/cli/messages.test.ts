import { expect, it } from 'vitest';
import { createMessages } from '../../src/cli/messages.ts';
import type { GypsumEvent } from '../../src/events.ts';

const retry = (what: string, attempt = 1): GypsumEvent => ({
  type: 'retry',
  what,
  attempt,
  error: new Error(`${what} failed.`),
});

it('of many requests that are tried again at once, one is told, and how many there were', () => {
  const messageOf = createMessages();
  const told = ['a', 'b', 'c', 'd'].map((what, index) => messageOf(retry(what), 5_000 + index));
  expect(told).toEqual(['a failed. Trying again (attempt 2).', undefined, undefined, undefined]);
  expect(messageOf(retry('e'), 6_001)).toBe('e failed. Trying again (attempt 2). (3 more since the last such line)');
  expect(messageOf(retry('f'), 7_002)).toBe('f failed. Trying again (attempt 2).');
});

it('each time that one is tried again is told', () => {
  const messageOf = createMessages();
  const told = [1, 2, 3].map((attempt) => messageOf(retry('a', attempt), attempt));
  expect(told).toEqual([2, 3, 4].map((next) => `a failed. Trying again (attempt ${next}).`));
});

it('what else happens is told each time', () => {
  const messageOf = createMessages();
  messageOf(retry('a'), 0);
  const rescued = { type: 'rescued', path: 'x', file: { project: 'p', asset: 'a', version: 'v', path: 'x' } } as const;
  expect(messageOf(rescued, 1)).toMatch(/^x had been edited through its link/);
  expect(messageOf(rescued, 1)).toMatch(/^x had been edited through its link/);
  expect(messageOf({ type: 'end', task: 'fetch' }, 1)).toBeUndefined();
});
