import { join } from 'node:path';
import { expect, it } from 'vitest';
import { overlaps, realPath } from '../../src/tree/real-path.ts';
import { layOut } from '../helpers/files.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it('is the one without symlinks, also where its last parts do not exist', async () => {
  const root = await tempFolder();
  layOut(root, {
    'real/folder/file': 'x',
    link: { link: 'real' },
    'real/up': { link: '..' },
    dangling: { link: 'no' },
  });
  expect(realPath(join(root, 'link/folder/file'))).toBe(join(root, 'real/folder/file'));
  expect(realPath(join(root, 'link/new/newer'))).toBe(join(root, 'real/new/newer'));
  expect(realPath(join(root, 'link/up/link'))).toBe(join(root, 'real'));
  expect(realPath(join(root, 'dangling'))).toBe(join(root, 'dangling'));
  expect(realPath('/')).toBe('/');
});

it.each([
  ['/a', '/a', true],
  ['/a', '/a/b', true],
  ['/a/b', '/a', true],
  ['/', '/a', true],
  ['/a', '/ab', false],
  ['/a/b', '/a/c', false],
])('%s and %s overlap: %s', (a, b, expected) => {
  expect(overlaps(a, b)).toBe(expected);
});
