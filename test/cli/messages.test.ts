import { expect, it } from 'vitest';
import { createMessages } from '../../src/cli/messages.ts';

const retry = (what: string, attempt = 1) => ({
  type: 'retry' as const,
  what,
  attempt,
  error: new Error(`${what} failed.`),
});

it('of requests that are tried again, and again, one is told, and later how many there were', () => {
  const messageOf = createMessages();
  const told = [1, 2, 3].flatMap((attempt) =>
    ['a', 'b', 'c'].map((what, n) => messageOf(retry(what, attempt), 5_000 + 3_000 * attempt + n)),
  );
  expect(told).toEqual(['a failed. Trying again (attempt 2).', ...Array(8).fill(undefined)]);
  expect(messageOf(retry('e', 4), 18_001)).toBe(
    'e failed. Trying again (attempt 5). (8 more since the last such line)',
  );
  expect(messageOf(retry('f'), 28_002)).toBe('f failed. Trying again (attempt 2).');
});

it('a wait that is longer than what was told is told at once', () => {
  const messageOf = createMessages();
  const waits = [0, 2_000, 1_000, 2_000, 60_000];
  expect(waits.map((delay, at) => messageOf({ ...retry('a'), delay }, at))).toEqual([
    expect.stringContaining('Trying again'),
    expect.stringContaining('in 2 s, as asked'),
    undefined,
    undefined,
    expect.stringContaining('in 60 s, as asked (attempt 2). (2 more since the last such line)'),
  ]);
});

it('what else happens is told each time', () => {
  const messageOf = createMessages();
  messageOf(retry('a'), 0);
  const rescued = { type: 'rescued', path: 'x', file: { project: 'p', asset: 'a', version: 'v', path: 'x' } } as const;
  expect(messageOf(rescued, 1)).toMatch(/^x had been edited through its link/);
  expect(messageOf(rescued, 1)).toMatch(/^x had been edited through its link/);
  expect(messageOf({ type: 'end', task: 'fetch' }, 1)).toBeUndefined();
});

it('what of a version is left out is told in one line', () => {
  const ref = { project: 'p', asset: 'a', version: 'v' };
  const entries = ['l', 'm', 'n'].map((path) => ({
    path,
    why: 'is a symlink in the tree record, and a file of the version',
  }));
  const messageOf = createMessages();
  expect(messageOf({ type: 'left-out', ref, entries }, 0)).toBe(
    'Of p/a/v, "l" is left out, which is a symlink in the tree record, and a file of the version, and 2 others too.',
  );
  expect(messageOf({ type: 'left-out', ref, entries: entries.slice(0, 1) }, 0)).toMatch(/a file of the version\.$/);
});
