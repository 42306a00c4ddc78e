import { expect, it } from 'vitest';
import { isContents, mapPut } from '../../src/model/put-mapping.ts';

it.each([
  ['td', undefined, 'td'],
  ['td', '', 'td'],
  ['td', '/', 'td'],
  ['td/', undefined, ''],
  ['td/', '', ''],
  ['td/', '/', ''],
  ['td', '/my', 'my'],
  ['td', '/my/', 'my/td'],
  ['td/', '/my', 'my'],
  ['td/', '/my/', 'my'],
  ['td/test.md', undefined, 'test.md'],
  ['td/test.md', '/x', 'x'],
  ['td/test.md', '/x/', 'x/test.md'],
  ['.', undefined, ''],
  ['./', undefined, ''],
  ['td/..', '/my/', 'my'],
  ['/', undefined, ''],
  ['a/a/a', '/b/', 'b/a'],
  ['a/', '/a/a', 'a/a'],
  ['..td', '/my', 'my'],
  ['td.', undefined, 'td.'],
])('%s to %s is put as "%s"', (location, destination, path) => {
  expect(mapPut(location, destination)).toBe(path);
});

it('a slash at the end, "." and ".." mean what is in a folder', () => {
  expect(['a/', '.', './', '..', 'a/.', 'a/..', '/'].filter((location) => !isContents(location))).toEqual([]);
  expect(['a', '.a', 'a.', '..a', 'a/...', 'a/b'].filter(isContents)).toEqual([]);
});

it.each([
  ['td/f', '/../x'],
  ['td', '/a/../b'],
  ['td', '/a//b'],
  ['..td', '/'],
  ['.gypsum-tree.json', '/'],
  ['td', '/.gypsum-tree.json'],
])('%s cannot be put to %s', (location, destination) => {
  expect(() => mapPut(location, destination)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});
