import { expect, it } from 'vitest';
import { createLayout } from '../../src/cache/layout.ts';

const ref = { project: 'p', asset: 'a', version: 'v' };
const layout = createLayout('/cache');

it.each([
  [layout.tag, 'CACHEDIR.TAG'],
  [layout.versionFolder(ref), 'bucket/p/a/v'],
  [layout.file({ ...ref, path: 'x/y' }), 'bucket/p/a/v/x/y'],
  [layout.document(ref, 'manifest'), 'bucket/p/a/v/..manifest'],
  [layout.complete(ref), 'status/p/a/v/COMPLETE'],
])('%s is where the R and Python clients have it', (path, expected) => {
  expect(path).toBe(`/cache/${expected}`);
});

it.each([
  [layout.registry, 'registry.json'],
  [
    layout.blob('p', { algorithm: 'md5', hex: 'd41d8cd98f00b204e9800998ecf8427e' }),
    'blobs/p/md5/d4/1d8cd98f00b204e9800998ecf8427e',
  ],
  [layout.verified('p', 'd4'), 'verified/p/d4'],
  [layout.record(ref, 'summary'), 'versions/p/a/v/..summary'],
  [layout.keptTree(ref), 'versions/p/a/v/..tree'],
  [layout.incoming('x'), 'incoming/x'],
  [layout.lock(ref), 'locks/p/a/v'],
  [layout.receipt('x'), 'clones/x.json'],
  [layout.damaged('id', 'x'), 'damaged/id/x'],
])('%s is in our own part, under its format', (path, expected) => {
  expect(path).toBe(`/cache/.gypsum-client/1/${expected}`);
});
