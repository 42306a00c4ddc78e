import { expect, it } from 'vitest';
import { showChangePlan } from '../../src/cli/change-text.ts';

it('a dry run of what is forced tells of edits that would be taken back, and of others that stay', () => {
  const ref = { project: 'p', asset: 'a', version: 'v' };
  const plan = { ...ref, verb: 'restore', directory: '/clone', mode: 'symlink', steps: [], fetch: [] } as const;
  const left = [
    { path: 'back', state: 'edited' },
    { path: 'stays', state: 'edited' },
  ] as const;
  expect(showChangePlan({ ...plan, left, edits: ['back'], unchanged: 2 }).split('\n')).toEqual([
    'take back back (its edit is kept in the trash; "--plan" leaves it)',
    expect.stringMatching(/^left {6}stays \(/),
    'p/a/v: 1 change to make, 2 files unchanged.',
  ]);
});
