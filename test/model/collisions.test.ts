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
});
