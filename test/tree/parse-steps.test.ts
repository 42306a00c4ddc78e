import { describe, expect, it } from 'vitest';
import { stepSchema } from '../../src/tree/parse-steps.ts';
import type { Step } from '../../src/tree/step.ts';

const digest = { algorithm: 'md5', hex: '0'.repeat(32) };
const file = { type: 'file', mode: 'copy', source: '/cache/x', size: 1, digest };
const link = { type: 'symlink', target: '../x' };

describe('a step', () => {
  it.each<Step>([
    { path: 'a', after: { type: 'directory' } },
    { path: 'a/b.txt', before: { type: 'symlink', target: '../x' }, after: file as NonNullable<Step['after']> },
    {
      path: 'not-\udcff-utf8',
      before: { type: 'file', seen: [1, 2, 3, 4, 5] },
      after: { type: 'symlink', target: '/x', seen: [1, 2, 3, 4, 5] },
    },
    { path: '..a', before: { type: 'directory' } },
  ])('comes back from JSON as it was: %j', (step) => {
    expect(stepSchema.parse(JSON.parse(JSON.stringify(step)))).toEqual(step);
  });

  it.each<[string, unknown]>([
    ['an absolute path', { path: '/etc/passwd', after: link }],
    ['a way out', { path: 'a/../../b', after: link }],
    ['a path that is "."', { path: '.', after: link }],
    ['an empty path', { path: '', after: link }],
    ['an empty part', { path: 'a//b', after: link }],
    ['a NUL', { path: 'a\0b', after: link }],
    ['a relative source', { path: 'a', after: { ...file, source: 'x' } }],
    ['a negative size', { path: 'a', after: { ...file, size: -1 } }],
    ['a huge size', { path: 'a', after: { ...file, size: 2 ** 60 } }],
    ['permissions beyond those of files', { path: 'a', after: { ...file, permissions: 0o4755 } }],
    ['another digest', { path: 'a', after: { ...file, digest: { algorithm: 'sha1', hex: '0' } } }],
    ['an empty link', { path: 'a', after: { type: 'symlink', target: '' } }],
    ['nothing to do', { path: 'a' }],
    ['a folder that is to be a file', { path: 'a', before: { type: 'directory' }, after: file }],
    ['a word that is not known', { path: 'a', after: link, run: 'rm' }],
  ])('is refused with %s', (_what, step) => {
    expect(stepSchema.safeParse(step).success).toBe(false);
  });
});
