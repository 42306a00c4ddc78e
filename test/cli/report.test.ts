import { expect, it } from 'vitest';
import { eventLine } from '../../src/cli/report.ts';
import type { LockOwner } from '../../src/process-owner.ts';

const ref = { project: 'p', asset: 'a', version: 'v' };

it.each<[LockOwner | undefined, string]>([
  [undefined, 'Another process is fetching p/a/v; waiting for it.'],
  [{ host: 'node3', pid: 7 }, 'Another process (7 on node3) is fetching p/a/v; waiting for it.'],
  [
    { host: 'node3', pid: 7, user: 'ann\u001b[2J', since: '2026-11-25T20:00:00.000Z' },
    'Another process (7 of ann\\x1b[2J on node3, since 2026-11-25T20:00:00.000Z) is fetching p/a/v; waiting for it.',
  ],
])('who waits is told for whom: %j', (owner, line) => {
  expect(eventLine({ type: 'wait', for: 'version-lock', ref, owner })).toBe(line);
});

it('where an edit was moved to is told, unless it is a file of the folder already', () => {
  const damaged = { type: 'damaged', file: { ...ref, path: 'x' }, path: '/c/x', movedTo: '/c/damaged/x' } as const;
  expect(eventLine(damaged)).toContain('/c/damaged/x. If that was an edit of yours, take it from there.');
  expect(eventLine({ ...damaged, equal: [{ ...ref, path: 'y' }] })).toContain(
    'The cached p/a/v:/x, p/a/v:/y had been changed; it was moved to /c/damaged/x.',
  );
  expect(eventLine({ ...damaged, isRescued: true })).toBeUndefined();
});
