import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseBucketText } from '../../src/cache/bucket-text.ts';
import { createLayout } from '../../src/cache/layout.ts';

const ref = { project: 'p', asset: 'a', version: 'v' };

it.each(['/cache', '/', '/a/bucket/b', '/bucket'])('what a cache in %s gives is read backwards', (root) => {
  const layout = createLayout(root);
  expect(parseBucketText(layout.file({ ...ref, path: 'sub/x' }))).toContainEqual({
    root,
    parts: ['p', 'a', 'v', 'sub', 'x'],
  });
  expect(parseBucketText(layout.versionFolder(ref))).toContainEqual({ root, parts: ['p', 'a', 'v'] });
});

it.each([
  'bucket/p/a/v/x',
  '../bucket/p/a/v/x',
  '/cache/buckets/p/a/v/x',
  '/cache/bucket/p/a',
  '/cache/bucket/p/a/../x',
  '/cache/bucket/p//v/x',
  '',
])('%j is none', (text) => {
  expect(parseBucketText(text)).toEqual([]);
});

it('names may be those of folders of the cache', () => {
  expect(parseBucketText(join('/c', 'bucket/bucket/bucket/v/bucket'))).toHaveLength(2);
});
