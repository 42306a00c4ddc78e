import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packTree, unpackTree } from '../../src/model/packed-tree.ts';
import { comparePaths, isBelow, parentPath, withDirectories } from '../../src/model/tree.ts';
import type { VersionEntry } from '../../src/model/version-tree.ts';

const HEX = 'd41d8cd98f00b204e9800998ecf8427e';
const MTIME = '2026-01-02T03:04:05.123456789Z';

const name = fc.constantFrom(
  'a',
  'b',
  'a.b',
  'a!',
  'é',
  'new\nline',
  '.h',
  '__proto__',
  '💾',
  'ﬁ',
  'x'.repeat(250),
  '10',
  '9',
);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const facts = {
  mode: fc.option(fc.nat({ max: 0o777 }), { nil: undefined }),
  mtime: fc.option(fc.constantFrom(MTIME, '1999-12-31T23:59:59.000000000Z'), { nil: undefined }),
};
const entry = fc.oneof(
  fc.record({ type: fc.constant('file'), path, size: fc.nat(), hex: fc.constantFrom(HEX, '0'.repeat(32)), ...facts }),
  fc.record({ type: fc.constant('directory'), path, ...facts }),
  fc.record({
    type: fc.constant('symlink'),
    path,
    target: fc.constantFrom('a', '..', '/', 'back\\slash', 'a\tb', '💾'),
    targetType: fc.constantFrom('dir', 'file', 'unknown'),
    mtime: facts.mtime,
  }),
);

/** Trees as versions have them: nothing lies below what is no folder, and all folders are there. */
const tree = fc.array(entry, { maxLength: 30 }).map((found) => {
  const kept: VersionEntry[] = [];
  for (const one of found.sort((a, b) => comparePaths(a.path, b.path))) {
    const last = kept.at(-1);
    if (last?.path === one.path || (last && last.type !== 'directory' && isBelow(one.path, last.path))) continue;
    const known = 'hex' in one ? { ...one, hex: undefined, digest: { algorithm: 'md5', hex: one.hex } } : one;
    kept.push(Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as never);
  }
  return withDirectories(kept);
});

const few: readonly VersionEntry[] = [
  { type: 'file', path: 'a', size: 7, digest: { algorithm: 'md5', hex: HEX }, mode: 0o644, mtime: MTIME },
  { type: 'directory', path: 'b', mode: 0o755 },
  { type: 'file', path: 'b/c', size: 0, digest: { algorithm: 'md5', hex: HEX } },
  { type: 'symlink', path: 'b/l', target: '../a', targetType: 'file', mtime: MTIME },
  { type: 'directory', path: 'e' },
];

const pack = (entries: readonly VersionEntry[], isLink = (_: string) => false) =>
  packTree({ entries, isLink }, 'x') ?? '';

describe('a packed tree', () => {
  it('is the same when it is read', () => {
    fc.assert(
      fc.property(tree, fc.func(fc.boolean()), (entries, isLink) => {
        const read = unpackTree(pack(entries, isLink), 'x');
        expect(read?.entries).toEqual(entries);
        for (const { path, type } of entries) {
          if (type === 'file') expect(read?.isLink(path)).toBe(isLink(path));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is none of what has changed since', () => {
    const text = packTree({ entries: few, isLink: () => false }, { size: 1 }) ?? '';
    expect(unpackTree(text, { size: 1 })?.entries).toEqual(few);
    expect(unpackTree(text, { size: 2 })).toBeUndefined();
  });

  it('is not written of names that no text holds', () => {
    const target = `a${String.fromCharCode(0xdc80)}`;
    expect(
      packTree({ entries: [{ type: 'symlink', path: 'l', target, targetType: 'unknown' }], isLink: () => false }, 'x'),
    ).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['the end is missing', pack(few).slice(0, -1)],
    ['there is more behind it', `${pack(few)}\0\0`],
    ['it was made by a newer version', pack(few).replace('"packed-tree":1', '"packed-tree":2')],
    ['its head is a list', pack(few).replace(/^\{.*\}/, '[]')],
    ['a size is no whole number', pack(few).replace('[7,', '[0.5,')],
    ['a size is larger than any file', pack(few).replace('[7,', '[1e300,')],
    ['a size is missing', pack(few).replace('[7,', '[')],
    ['a mode is none', pack(few).replace('[420,', '[4200,')],
    ['a mode is missing', pack(few).replace('[420,', '[')],
    ['a letter stands for nothing', pack(few).replace('\0fdfs', '\0xdfs')],
    ['a folder ends that has not begun', pack(few).replace('\0fdfs', '\0.fdfs')],
    ['an entry is missing', pack(few).replace('\0fdfs', '\0fdf')],
    ['a name leads up', pack(few).replace('\0b\0c', '\0..\0c')],
    ['a name is the folder itself', pack(few).replace('\0a\0b', '\0.\0b')],
    ['a name has a slash', pack(few).replace('\0a\0b', '\0a/a\0b')],
    ['a name has a backslash', pack(few).replace('\0a\0b', '\0a\\\0b')],
    ['names are not in their order', pack(few).replace('\0a\0b', '\0c\0b')],
    ['a name comes twice', pack(few).replace('\0a\0b', '\0b\0b')],
    ['a path is longer than any', pack(few).replace('\0e\0', `\0e${'x'.repeat(1024)}\0`)],
    ['a digest is none', pack(few).replace(HEX, HEX.toUpperCase())],
    ['a digest is missing', pack(few).replace(HEX, '')],
    ['a time is none', pack(few).replace(MTIME, MTIME.replace('2026-01', '2026-13'))],
    ['a time is missing', pack(few).replace(MTIME, '')],
    ['a symlink has no text', pack(few).replace('../a', '')],
    ['a symlink has a text that is too long', pack(few).replace('../a', 'x'.repeat(5000))],
    ['a symlink leads to what is nothing', pack(few).replace('\0f\0\0../a', '\0x\0\0../a')],
    ['a symlink has a mode', pack(few).replace('null,null]', '420,null]')],
  ])('is none where %s', (_what, text) => {
    expect(text).not.toBe(pack(few));
    expect(unpackTree(text, 'x')).toBeUndefined();
  });

  it('is none, or a tree, whatever stands there', () => {
    const text = pack(few);
    const start = text.indexOf('\0\0');
    fc.assert(
      fc.property(
        fc.nat({ max: text.length }),
        fc.nat({ max: 3 }),
        fc.constantFrom('', '\0', '.', 'd', 'f', '/', 'zz'),
        (at, cut, put) => {
          const from = start + (at % (text.length - start));
          const read = unpackTree(text.slice(0, from) + put + text.slice(from + cut), 'x');
          if (read === undefined) return;
          const paths = read.entries.map((one) => one.path);
          expect(paths).toEqual([...new Set(paths)].sort(comparePaths));
          const folders = new Set([
            '',
            ...read.entries.filter(({ type }) => type === 'directory').map((one) => one.path),
          ]);
          for (const one of paths) expect(folders).toContain(parentPath(one));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
