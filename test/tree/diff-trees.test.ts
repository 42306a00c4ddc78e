import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EntryState, fileState } from '../../src/model/file-change.ts';
import { comparePaths, type DirectoryEntry, type KnownFile, type SymlinkEntry } from '../../src/model/tree.ts';
import { diffTrees } from '../../src/tree/diff-trees.ts';

const hex = (text: string) => createHash('md5').update(text).digest('hex');

const md5Of = (state: EntryState) => fileState(state)?.md5sum ?? '';

function tree(files: Readonly<Record<string, string>>): KnownFile[] {
  return Object.entries(files)
    .map(([path, text]) => ({
      type: 'file' as const,
      path,
      size: Buffer.byteLength(text),
      digest: { algorithm: 'md5' as const, hex: hex(text) },
    }))
    .sort((a, b) => comparePaths(a.path, b.path));
}

/** Tells changes shortly: `+ a`, `- b`, `~ c`, `d -> e`. */
async function told(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>) {
  const { changes } = await diffTrees(tree(before), tree(after));
  const signs = { added: '+ ', removed: '- ', modified: '~ ', moved: '' };
  return changes.map((one) => (one.type === 'moved' ? `${one.from} -> ${one.path}` : signs[one.type] + one.path));
}

describe('two trees differ by', () => {
  it.each<[string, Record<string, string>, Record<string, string>, string[]]>([
    ['nothing', { a: '1' }, { a: '1' }, []],
    ['what was added, removed and modified', { a: '1', b: '2' }, { b: '3', c: '4' }, ['- a', '~ b', '+ c']],
    ['a move', { 'x/a': '1' }, { 'y/a': '1' }, ['x/a -> y/a']],
    ['a file that became a folder', { a: '1' }, { 'a/b': '2' }, ['- a', '+ a/b']],
    ['a file that moved into a folder of its own name', { a: '1' }, { 'a/b': '1' }, ['a -> a/b']],
    [
      'moves of equal files, those of the same name first',
      { 'x/b': '1', 'x/a': '1' },
      { 'y/a': '1', z: '1' },
      ['x/a -> y/a', 'x/b -> z'],
    ],
    ['what is left of equal files', { a: '1', b: '1' }, { c: '1' }, ['- b', 'a -> c']],
    ['a copy, which is new', { a: '1' }, { a: '1', b: '1' }, ['+ b']],
    ['a swap, which is two changes', { a: '1', b: '2' }, { a: '2', b: '1' }, ['~ a', '~ b']],
    ['empty files, which tell nothing of each other', { a: '' }, { b: '' }, ['- a', '+ b']],
  ])('%s', async (_what, before, after, changes) => {
    expect(await told(before, after)).toEqual(changes);
  });
});

it('changes carry sizes and digests, and are counted by the size after them, or before they were gone', async () => {
  const before = tree({ same: '1', gone: '22', edited: '333', 'old/moved': '55555' });
  const after = tree({ same: '1', edited: '4444', 'new/moved': '55555', fresh: '666666' });
  const { changes, counts } = await diffTrees(before, after);
  expect(changes).toEqual([
    {
      type: 'modified',
      path: 'edited',
      before: { size: 3, md5sum: hex('333') },
      after: { size: 4, md5sum: hex('4444') },
    },
    { type: 'added', path: 'fresh', after: { size: 6, md5sum: hex('666666') } },
    { type: 'removed', path: 'gone', before: { size: 2, md5sum: hex('22') } },
    expect.objectContaining({ type: 'moved', path: 'new/moved', from: 'old/moved' }),
  ]);
  expect(counts).toEqual({
    added: { files: 1, bytes: 6 },
    removed: { files: 1, bytes: 2 },
    modified: { files: 1, bytes: 4 },
    moved: { files: 1, bytes: 5 },
    unchanged: { files: 1, bytes: 1 },
  });
});

it('any two trees: what changed turns the one into the other, and back', async () => {
  const files = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd/a', 'd/b', 'e'), fc.constantFrom('', '1', '2', '3'));
  await fc.assert(
    fc.asyncProperty(files, files, async (before, after) => {
      const { changes, counts } = await diffTrees(tree(before), tree(after));
      const state = new Map(tree(before).map(({ path, digest }) => [path, digest.hex]));
      const put: [string, string][] = [];
      for (const change of changes) {
        if ('before' in change) {
          const from = change.type === 'moved' ? change.from : change.path;
          expect(state.get(from)).toBe(md5Of(change.before));
          state.delete(from);
        }
        if ('after' in change) put.push([change.path, md5Of(change.after)]);
      }
      for (const [path, md5sum] of put) {
        expect(state.has(path)).toBe(false);
        state.set(path, md5sum);
      }
      expect(Object.fromEntries(state)).toEqual(
        Object.fromEntries(tree(after).map(({ path, digest }) => [path, digest.hex])),
      );
      const touched = counts.added.files + counts.modified.files + counts.moved.files;
      expect(touched + counts.unchanged.files).toBe(Object.keys(after).length);
    }),
  );
});

it('100,000 equal files that moved are paired at once', async () => {
  const many = (folder: string) =>
    tree(Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`${folder}/${n}`, '1'])));
  expect((await diffTrees(many('x'), many('y'))).counts.moved.files).toBe(100_000);
});

describe('symlinks, folders and permissions', () => {
  const file = (path: string, text: string, mode?: number): KnownFile => ({
    ...(tree({ [path]: text })[0] as KnownFile),
    ...(mode !== undefined && { mode }),
  });
  const link = (path: string, target: string): SymlinkEntry => ({ type: 'symlink', path, target });
  const dir = (path: string, mode?: number): DirectoryEntry => ({
    type: 'directory',
    path,
    ...(mode !== undefined && { mode }),
  });
  type All = (KnownFile | SymlinkEntry | DirectoryEntry)[];
  const a1 = { size: 1, md5sum: hex('1') };
  const to = (target: string) => ({ type: 'symlink', target });
  const folder = { type: 'directory' };
  const modified = (path: string, before: object, after: object) => ({ type: 'modified', path, before, after });
  const added = (path: string, after: object) => ({ type: 'added', path, after });
  const removed = (path: string, before: object) => ({ type: 'removed', path, before });

  it.each<[string, All, All, object[]]>([
    ['nothing', [link('l', 'x'), dir('e')], [link('l', 'x'), dir('e')], []],
    ['a new symlink and folder', [], [dir('e'), link('l', 'x')], [added('e', folder), added('l', to('x'))]],
    ['a symlink that is gone', [link('l', 'x')], [], [removed('l', to('x'))]],
    ['another target', [link('l', 'x')], [link('l', 'y')], [modified('l', to('x'), to('y'))]],
    ['a file that is a symlink', [file('l', '1')], [link('l', 'y')], [modified('l', a1, to('y'))]],
    ['a symlink that is a file', [link('l', 'x')], [file('l', '1')], [modified('l', to('x'), a1)]],
    ['a symlink that is an empty folder', [link('l', 'x')], [dir('l')], [modified('l', to('x'), folder)]],
    [
      'a symlink that is a folder with a file',
      [link('l', 'x')],
      [dir('l'), file('l/f', '1')],
      [modified('l', to('x'), folder), added('l/f', a1)],
    ],
    [
      'a folder with a file that is a symlink',
      [dir('l'), file('l/f', '1')],
      [link('l', 'x')],
      [modified('l', folder, to('x')), removed('l/f', a1)],
    ],
    ['an empty folder that is a file', [dir('e')], [file('e', '1')], [modified('e', folder, a1)]],
    ['a folder that is filled', [dir('e')], [dir('e'), file('e/f', '1')], [added('e/f', a1)]],
    ['a folder that is empty now', [dir('e'), file('e/f', '1')], [dir('e')], [removed('e/f', a1)]],
    [
      'a file that moves into a folder of its name',
      [file('a', '1')],
      [dir('a'), file('a/b', '1')],
      [{ type: 'moved', path: 'a/b', from: 'a', before: a1, after: a1 }],
    ],
    [
      'a program',
      [file('f', '1')],
      [file('f', '1', 0o755)],
      [modified('f', { ...a1, mode: 0o644 }, { ...a1, mode: 0o755 })],
    ],
    [
      'a program of other content, which needs no mode',
      [file('f', '1', 0o755)],
      [file('f', '2', 0o755)],
      [modified('f', a1, { size: 1, md5sum: hex('2') })],
    ],
    ['a new program', [], [file('f', '1', 0o755)], [added('f', { ...a1, mode: 0o755 })]],
    ['modes that only a umask makes', [file('f', '1'), dir('d')], [file('f', '1', 0o664), dir('d', 0o775)], []],
    ['modes that somebody makes', [file('f', '1')], [file('f', '1', 0o600)], [expect.objectContaining({ path: 'f' })]],
    [
      'the mode of a folder with a file',
      [dir('d', 0o755), file('d/f', '1')],
      [dir('d', 0o700), file('d/f', '1')],
      [modified('d', { ...folder, mode: 0o755 }, { ...folder, mode: 0o700 })],
    ],
  ])('differ by %s', async (_what, before, after, changes) => {
    expect((await diffTrees(before, after)).changes).toEqual(changes);
  });

  it('are counted each for themselves', async () => {
    const before = [dir('d'), file('d/f', '1'), link('d/l', 'x'), link('gone', 'x')];
    const after = [dir('d'), file('d/f', '1'), link('d/l', 'x'), dir('e'), file('n', '22'), link('o', 'x')];
    const none = { files: 0, bytes: 0 };
    expect((await diffTrees(before, after)).counts).toEqual({
      added: { files: 1, bytes: 2, symlinks: 1, folders: 1 },
      removed: { ...none, symlinks: 1 },
      modified: none,
      moved: none,
      unchanged: { files: 1, bytes: 1, symlinks: 1 },
    });
  });
});
