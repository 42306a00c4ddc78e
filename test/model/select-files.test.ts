import { describe, expect, it } from 'vitest';
import { checkManifest } from '../../src/model/manifest.ts';
import { createMatcher, selectFiles } from '../../src/model/select-files.ts';

const REF = { project: 'p', asset: 'a', version: 'v1' };

const manifestOf = (...paths: string[]) =>
  checkManifest(Object.fromEntries(paths.map((path) => [path, { size: 1, md5sum: 'a'.repeat(32) }])), REF);

describe('a pattern', () => {
  it.each([
    ['a.csv', 'a.csv'],
    ['./a.csv', 'a.csv'],
    ['sub', 'sub/deep/b.csv'],
    ['sub/', 'sub/deep/b.csv'],
    ['*.csv', 'a.csv'],
    ['*.csv', '.hidden.csv'],
    ['**/*.csv', 'a.csv'],
    ['**/*.csv', '.sub/deep/b.csv'],
    ['sub/**', 'sub/deep/b.csv'],
    ['**', '.x/.y'],
    ['?.csv', 'a.csv'],
    ['[ab].csv', 'b.csv'],
    ['*.{csv,tsv}', 'a.tsv'],
    ['{sub,other}/**', 'other/x'],
    // Names that would mean something else to a shell.
    ['*(1).csv', 'table(1).csv'],
    ['!a', '!a'],
    ['a[1].csv', 'a[1].csv'],
    ['a{b', 'a{b'],
    ['$*', '$x'],
    ['**/x', 'line\nend/x'],
    ['\\*', '*'],
    ['__proto__', '__proto__'],
  ])('%j matches %j', (pattern, path) => {
    expect(createMatcher(pattern)(path)).toBe(true);
  });

  it.each([
    ['*.csv', 'sub/a.csv'],
    ['sub', 'subway'],
    ['a.csv', 'sub/a.csv'],
    ['A.csv', 'a.csv'],
    ['!a', 'b'],
    ['a.csv', 'aXcsv'],
    ['\\*', 'a'],
  ])('%j does not match %j', (pattern, path) => {
    expect(createMatcher(pattern)(path)).toBe(false);
  });

  it.each(['', './', '/', 'a'.repeat(70_000)])('cannot be %j', (pattern) => {
    expect(() => createMatcher(pattern)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('a selection', () => {
  const manifest = manifestOf('a.csv', 'b.txt', 'raw/x.csv', 'raw/y.txt', '__proto__');

  it.each([
    [{}, ['__proto__', 'a.csv', 'b.txt', 'raw/x.csv', 'raw/y.txt']],
    [{ include: [], exclude: [] }, ['__proto__', 'a.csv', 'b.txt', 'raw/x.csv', 'raw/y.txt']],
    [{ include: ['**/*.csv'] }, ['a.csv', 'raw/x.csv']],
    [{ exclude: ['raw'] }, ['__proto__', 'a.csv', 'b.txt']],
    [{ include: ['raw', 'a.csv'], exclude: ['**/*.txt'] }, ['a.csv', 'raw/x.csv']],
    [{ include: ['__proto__'] }, ['__proto__']],
  ])('of %j is the included, but for the excluded', (selection, paths) => {
    expect(Object.keys(selectFiles(manifest, REF, selection)).sort()).toEqual(paths);
  });

  it('of everything is the manifest itself', () => {
    expect(selectFiles(manifest, REF, {})).toBe(manifest);
  });

  it.each([
    [{ include: ['*.csv', 'raw/*.md'] }, 'raw/*.md'],
    [{ exclude: ['nowhere'] }, 'nowhere'],
    [{ include: ['toString'] }, 'toString'],
  ])('of %j names the pattern that nothing matches', (selection, pattern) => {
    expect(() => selectFiles(manifest, REF, selection)).toThrow(
      expect.objectContaining({ code: 'not-found', message: `No file of p/a/v1 matches "${pattern}".` }),
    );
  });

  it.each([
    ['/raw/', 'Paths in a version begin with no slash: write "raw".'],
    ['/raw/*.md', 'Paths in a version begin with no slash: write "raw/*.md".'],
    ['no/such/', 'In all folders, it is "**/such".'],
    ['*.md', 'In all folders, it is "**/*.md".'],
  ])('that %j matches nothing comes with what to write', (pattern, hint) => {
    expect(() => selectFiles(manifest, REF, { include: [pattern] })).toThrow(
      expect.objectContaining({ hint: `See its files with "gypsum files p/a/v1". ${hint}` }),
    );
  });

  it('of nothing is refused', () => {
    expect(() => selectFiles(manifest, REF, { include: ['raw'], exclude: ['**/x.csv', 'raw/y.txt'] })).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });
});
