import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparePaths,
  type Entry,
  entriesBelow,
  entryAt,
  isBelow,
  joinPath,
  nameOf,
  parentPath,
  sortPaths,
  withDirectories,
} from '../../src/model/tree.ts';

// Few characters, so that paths lie below, beside and before each other; all that sort around "/" are among them.
const path = fc
  .array(
    fc.string({ unit: fc.constantFrom('a', 'b', '.', '-', ' ', '0', '\u0001', '😀'), minLength: 1, maxLength: 3 }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => parts.join('/'));

describe('the order of paths', () => {
  it('is total: one way round, and the same through a third', () => {
    fc.assert(
      fc.property(path, path, path, (a, b, c) => {
        expect(Math.sign(comparePaths(a, b))).toBe(0 - Math.sign(comparePaths(b, a)));
        expect(comparePaths(a, b) === 0).toBe(a === b);
        if (comparePaths(a, b) <= 0 && comparePaths(b, c) <= 0) expect(comparePaths(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is the order of names, folder by folder', () => {
    fc.assert(
      fc.property(path, path, (a, b) => {
        const [x, y] = [a.split('/'), b.split('/')];
        const differing = x.findIndex((name, at) => name !== y[at]);
        const expected = differing === -1 ? x.length - y.length : (x[differing] ?? '') < (y[differing] ?? '') ? -1 : 1;
        expect(Math.sign(comparePaths(a, b))).toBe(Math.sign(expected));
      }),
      { numRuns: 3_000 },
    );
  });

  it('puts all that lies below a folder directly behind it', () => {
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 20 }), (paths) => {
        const sorted = sortPaths(paths);
        for (const [at, folder] of sorted.entries()) {
          const below = sorted.filter((other) => isBelow(other, folder));
          expect(sorted.slice(at + 1, at + 1 + below.length)).toEqual(below);
        }
      }),
    );
  });

  it('has what lies below a folder found by it alone', () => {
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 20 }), path, (paths, folder) => {
        const sorted = sortPaths(paths).map((path) => ({ path }));
        const below = (at: string) => entriesBelow(sorted, at);
        expect(below(folder)).toEqual(sorted.filter((entry) => isBelow(entry.path, folder)));
        expect(entryAt(sorted, folder)).toBe(sorted.find((entry) => entry.path === folder));
        for (const entry of sorted) expect(entryAt(sorted, entry.path)).toBe(entry);
        for (const at of ['', ...paths]) expect(below(at)).toEqual(sorted.filter((entry) => isBelow(entry.path, at)));
      }),
    );
  });

  it('puts "/" before every character that names may have', () => {
    expect(sortPaths(['a.txt', 'a b', 'a-1', 'a/z', 'a', 'a/.b', 'A', 'a\u0001'])).toEqual([
      'A',
      'a',
      'a/.b',
      'a/z',
      'a\u0001',
      'a b',
      'a-1',
      'a.txt',
    ]);
  });
});

describe('paths in a tree', () => {
  it.each([
    ['a/b', 'a', true],
    ['a/b/c', 'a', true],
    ['a', 'a', false],
    ['ab', 'a', false],
    ['a', 'a/b', false],
    ['a', '', true],
    ['', '', false],
  ])('%j lies below %j: %s', (below, folder, expected) => {
    expect(isBelow(below, folder)).toBe(expected);
  });

  it('are taken apart and joined again', () => {
    fc.assert(
      fc.property(path, (whole) => {
        const parent = parentPath(whole);
        expect(joinPath(parent, whole.slice(parent === '' ? 0 : parent.length + 1))).toBe(whole);
        expect(isBelow(whole, parent)).toBe(true);
      }),
    );
    expect(joinPath('a', '')).toBe('a');
    expect(joinPath('', '')).toBe('');
  });
});

describe('the folders in between', () => {
  const file = (at: string): Entry => ({ type: 'file', path: at, size: 1 });
  const folder = (at: string): Entry => ({ type: 'directory', path: at });

  it('stand once each, before what is in them', () => {
    expect(withDirectories([file('a/b/c'), file('a/b/d'), file('a/e'), file('f')])).toEqual([
      folder('a'),
      folder('a/b'),
      file('a/b/c'),
      file('a/b/d'),
      file('a/e'),
      file('f'),
    ]);
  });

  it('are not doubled where the tree has them', () => {
    const tree = [folder('a'), file('a/b'), folder('a/c'), file('a/c/d'), folder('e')];
    expect(withDirectories(tree)).toEqual(tree);
  });

  it('are exactly the parents, in the order of paths', () => {
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 15 }), (paths) => {
        const files = sortPaths(paths).filter((one) => !paths.some((other) => isBelow(other, one)));
        const parents = new Set<string>();
        for (const one of files) for (let at = parentPath(one); at !== ''; at = parentPath(at)) parents.add(at);
        const tree = withDirectories(files.map(file));
        expect(tree.map((entry) => entry.path)).toEqual(sortPaths([...files, ...parents]));
        expect(tree.filter((entry) => entry.type === 'directory').map((entry) => entry.path)).toEqual(
          sortPaths([...parents]),
        );
      }),
    );
  });
});

it.each([
  ['a', 'a'],
  ['a/b', 'b'],
  ['a/b.c/d', 'd'],
])('the name of %s is %s', (path, name) => expect(nameOf(path)).toBe(name));
