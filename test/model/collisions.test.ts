import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCollisions } from '../../src/model/collisions.ts';

describe('names that some file systems take for the same', () => {
  it.each<[string, string[], [string, string][]]>([
    ['none', ['a', 'b', 'a/../b'], []],
    ['files that differ by case', ['README', 'readme'], [['readme', 'README']]],
    ['folders that differ by case', ['Data/x', 'data/y'], [['data', 'Data']]],
    ['a file and a folder', ['Data', 'data/y'], [['data', 'Data']]],
    ['two forms of one letter', ['caf\u00e9', 'cafe\u0301'], [['cafe\u0301', 'caf\u00e9']]],
    ['capitals beyond ASCII', ['\u00c4', 'a\u0308'], [['a\u0308', '\u00c4']]],
  ])('%s', (_name, paths, expected) => {
    expect(findCollisions(paths).map(({ path, other }) => [path, other])).toEqual(expected);
  });

  it('are found once for a folder with many files', () => {
    const paths = Array.from({ length: 100 }, (_, n) => [`Data/${n}`, `data/${n}`]).flat();
    expect(findCollisions(paths).filter(({ path }) => !path.includes('/'))).toHaveLength(1);
  });

  it('are those that a comparison of each with each finds', () => {
    const name = fc.string({
      unit: fc.constantFrom('a', 'A', '\u00e9', 'e\u0301', '\u00c9'),
      minLength: 1,
      maxLength: 2,
    });
    const paths = fc.uniqueArray(fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/')));
    fc.assert(
      fc.property(paths, (files) => {
        const folders = (path: string) => path.split('/').map((_, at, names) => names.slice(0, at + 1).join('/'));
        const all = [...new Set(files.flatMap((file) => folders(file).reverse()))];
        const fold = (path: string) => path.normalize('NFD').toLowerCase();
        const expected = all.flatMap((path, at) => {
          const other = all.slice(0, at).find((one) => fold(one) === fold(path));
          return other === undefined ? [] : [{ path, other }];
        });
        expect(findCollisions(files)).toEqual(expected);
      }),
    );
  });
});
