import { describe, expect, it } from 'vitest';
import { type MergeOptions, mergeTrees } from '../../src/model/merge-trees.ts';
import { nextVersion } from '../../src/model/next-version.ts';
import { recordFor } from '../../src/model/record-for.ts';
import type { VersionEntry } from '../../src/model/version-tree.ts';

const file = (path: string, hex = 'a', mode?: number): VersionEntry => ({
  type: 'file',
  path,
  size: 1,
  digest: { algorithm: 'md5', hex },
  ...(mode !== undefined && { mode }),
});
const folder = (path: string): VersionEntry => ({ type: 'directory', path });
const link = (path: string, target: string): VersionEntry => ({ type: 'symlink', path, target, targetType: 'file' });

const base = [folder('d'), file('d/x'), file('d/y'), folder('e'), file('f'), link('l', 'f')];

function merged(entries: VersionEntry[], options?: MergeOptions) {
  const tree = mergeTrees(base, entries, options);
  return {
    paths: tree.entries.map(({ path }) => path),
    signs: tree.changes.map(({ sign, path }) => `${sign} ${path}`),
  };
}

const ALL = base.map(({ path }) => path);

describe('a tree that is put into another', () => {
  it.each<[string, VersionEntry[], string[]]>([
    ['something new', [file('n')], ['+ n']],
    ['other content', [file('f', 'b')], ['* f']],
    ['the same, at another time', [{ ...file('f'), mtime: '2001-02-03T04:05:06.123456789Z' } as VersionEntry], []],
    ['another mode', [file('f', 'a', 0o755)], ['* f']],
    ['the mode that is nothing special', [file('f', 'a', 0o644)], []],
    ['another target', [link('l', 'd')], ['* l']],
    ['the same symlink', [link('l', 'f')], []],
    ['a symlink for a file', [link('f', 'l')], ['* f']],
    ['a file for a symlink', [file('l')], ['* l']],
    ['a folder for a file', [folder('f'), file('f/x')], ['* f', '+ f/x']],
    ['a file for an empty folder', [file('e')], ['* e']],
    ['a file for a folder with something in it', [file('d')], ['E d']],
  ])('changes it by %s', (_what, entries, signs) => {
    expect(merged(entries)).toEqual({
      signs,
      paths: [...new Set([...ALL, ...entries.map(({ path }) => path)])].sort(),
    });
  });

  it('takes nothing away, unless what is not in it is to go', () => {
    expect(merged([folder('d'), file('d/x')])).toEqual({ signs: [], paths: ALL });
    expect(merged([folder('d'), file('d/x')], { removeBelow: 'd' }).signs).toEqual(['- d/y']);
    expect(merged([], { removeBelow: '' })).toEqual({ signs: ALL.map((path) => `- ${path}`), paths: [] });
    expect(merged([file('d')], { removeBelow: '' }).signs).toEqual(['* d', '- d/x', '- d/y', '- e', '- f', '- l']);
  });

  it('leaves what is to stay, with the folders above', () => {
    const isKept = (path: string) => path === 'd/y';
    expect(merged([], { removeBelow: '', isKept })).toEqual({
      signs: ['- d/x', '- e', '- f', '- l'],
      paths: ['d', 'd/y'],
    });
    expect(merged([file('d')], { removeBelow: '', isKept }).signs[0]).toBe('E d');
  });

  it('keeps what is not known of it as it was', () => {
    const { entries } = mergeTrees([file('f', 'a', 0o755)], [file('f', 'b')]);
    expect(entries).toEqual([file('f', 'b', 0o755)]);
  });

  it('takes a mode that a umask may have made for what somebody has said, if it is to be exact', () => {
    const [before, now] = [[file('f', 'a', 0o744)], [file('f', 'a', 0o755)]];
    expect(mergeTrees(before, now)).toEqual({ entries: before, changes: [] });
    const exact = mergeTrees(before, now, { exact: true });
    expect(exact).toMatchObject({ entries: now, changes: [{ sign: '*', path: 'f' }] });
  });

  it('has no time of what stood there before', () => {
    const mtime = '2001-02-03T04:05:06.123456789Z';
    const timed = (entry: VersionEntry) => ({ ...entry, mtime }) as VersionEntry;
    const before = [timed(file('f')), timed(link('l', 'f'))];
    expect(mergeTrees(before, [file('f'), link('l', 'f')]).entries).toEqual(before);
    expect(mergeTrees(before, [file('f', 'b'), link('l', 'd')]).entries).toEqual([file('f', 'b'), link('l', 'd')]);
  });
});

describe('a record', () => {
  it.each<[string, VersionEntry[], boolean]>([
    ['files in folders', [folder('d'), { ...file('d/x', 'a', 0o644), mtime: 'x' } as VersionEntry], false],
    ['an empty folder', [folder('d')], true],
    ['a symlink', [link('l', 'x')], true],
    ['a program', [file('f', 'a', 0o755)], true],
    ['nothing', [], false],
  ])('is needed, or not, for %s', (_what, entries, isNeeded) => {
    expect(recordFor(entries, false) !== undefined).toBe(isNeeded);
    expect(recordFor(entries, true)).toBeDefined();
  });

  it('has no line for a file of which nothing is to be said', () => {
    expect(recordFor([file('f'), link('l', 'f')], false)).toEqual({ entries: [link('l', 'f')] });
  });
});

it.each([
  [[], '1'],
  [['v1', 'x', '0x7', '1.5'], '1'],
  [['0'], '1'],
  [['9', '10', '2', '007'], '11'],
  [['9007199254740993'], '9007199254740994'],
])('the version after %j is %s', (names, next) => {
  expect(nextVersion(names)).toBe(next);
});
