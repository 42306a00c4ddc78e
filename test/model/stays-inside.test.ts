import { expect, it } from 'vitest';
import { createPathResolver } from '../../src/model/realpath.ts';
import { staysInside } from '../../src/model/stays-inside.ts';
import type { Entry } from '../../src/model/tree.ts';

it.each([
  ['d/l', '../f', true],
  ['d/l', 'none', true],
  ['d/l', '..', true],
  ['d/l', 'none/../../f', true],
  ['d/l', '../..', false],
  ['d/l', 'none/../../../x', false],
  ['d/l', '../f/../../x', false],
  ['d/l', '/f', false],
  ['d/l', 'l', false],
])('a symlink at %s to %s stays inside: %s', (path, target, expected) => {
  const tree: Entry[] = [
    { type: 'directory', path: 'd' },
    { type: 'symlink', path, target },
    { type: 'file', path: 'f', size: 0 },
  ];
  expect(staysInside(createPathResolver(tree), { path, target })).toBe(expected);
});
