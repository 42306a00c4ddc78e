import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/model/manifest.ts';
import type { RecordEntry } from '../../src/model/tree-record.ts';
import { versionTree } from '../../src/model/version-tree.ts';

const MD5 = 'd41d8cd98f00b204e9800998ecf8427e';
const digest = { algorithm: 'md5', hex: MD5 };
const manifestOf = (...paths: string[]): Manifest =>
  Object.fromEntries(paths.map((path) => [path, { size: 1, md5sum: MD5 }]));
const file = (path: string) => ({ type: 'file', path, size: 1, digest });
const folder = (path: string) => ({ type: 'directory', path });
const symlink = (path: string, target = 'x') => ({ type: 'symlink', path, target, targetType: 'unknown' }) as const;

describe('the tree of a version', () => {
  it('is its files and their folders where it has no record', () => {
    expect(versionTree(manifestOf('b/c/d', 'a', 'b.x'))).toEqual({
      entries: [file('a'), folder('b'), folder('b/c'), file('b/c/d'), file('b.x')],
      stale: [],
    });
  });

  it('has what the record adds, and not the record', () => {
    const manifest = manifestOf('a', 'b/c', '.gypsum-tree.json', 'b/.gypsum-tree.json');
    const mtime = '2026-01-02T03:04:05.123456789Z';
    const entries: RecordEntry[] = [
      { type: 'file', path: 'a', mode: 0o755, mtime },
      { type: 'directory', path: 'b', mode: 0o700 },
      symlink('b/l', '..'),
      { type: 'directory', path: 'e' },
      symlink('n/l'),
    ];
    expect(versionTree(manifest, { entries })).toEqual({
      entries: [
        { ...file('a'), mode: 0o755, mtime },
        { ...folder('b'), mode: 0o700 },
        file('b/.gypsum-tree.json'),
        file('b/c'),
        symlink('b/l', '..'),
        folder('e'),
        folder('n'),
        symlink('n/l'),
      ],
      stale: [],
    });
  });

  it.each<[string, RecordEntry, string]>([
    ['a symlink where the version has a file', symlink('a'), 'is a symlink in the tree record, and a file of the'],
    [
      'a folder where the version has a file',
      { type: 'directory', path: 'a' },
      'is a folder in the tree record, and a',
    ],
    ['a symlink where the version has files below', symlink('b'), 'and the version has files below it'],
    ['a symlink further up', symlink('b/c'), 'and the version has files below it'],
    ['a file that the version has not', { type: 'file', path: 'x', mode: 0o755 }, 'and none of the version'],
    ['a file where the version has files below', { type: 'file', path: 'b' }, 'and none of the version'],
    ['a symlink below a file of the version', symlink('a/l'), 'below what is a file of the version'],
    ['a folder far below a file', { type: 'directory', path: 'b/c/d/e/f' }, 'below what is a file of the version'],
  ])('leaves out of the record %s, and says so', (_what, entry, why) => {
    const manifest = manifestOf('a', 'b/c/d');
    expect(versionTree(manifest, { entries: [entry] })).toEqual({
      entries: versionTree(manifest).entries,
      stale: [{ path: entry.path, why: expect.stringContaining(why) }],
    });
  });

  it('holds names of object prototypes', () => {
    const manifest = JSON.parse(`{"__proto__":{"size":1,"md5sum":"${MD5}"}}`) as Manifest;
    const entries = [symlink('constructor'), symlink('toString/x')];
    expect(versionTree(manifest, { entries })).toEqual({
      entries: [file('__proto__'), symlink('constructor'), folder('toString'), symlink('toString/x')],
      stale: [],
    });
  });
});
