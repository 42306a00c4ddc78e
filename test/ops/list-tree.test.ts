import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listTree, type ReadTree, readTree, realpath, renderTree } from '../../src/index.ts';
import type { TreeRecord } from '../../src/model/tree-record.ts';
import { versionTree } from '../../src/model/version-tree.ts';
import { layOut } from '../helpers/files.ts';
import { readFixture, versionFiles } from '../helpers/fixture-tree.ts';
import { createRig, md5 } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const REF = { project: 'p', asset: 'a', version: 'v' };

function treeOf(files: Readonly<Record<string, string>>, record?: TreeRecord): ReadTree {
  const manifest = Object.entries(files).map(([path, text]) => [
    path,
    { size: Buffer.byteLength(text), md5sum: md5(text) },
  ]);
  return { ref: REF, ...versionTree(Object.fromEntries(manifest), record) };
}

async function readPublished(name: 'test_symlinks' | 'testdata'): Promise<ReadTree> {
  const { client } = await createRig({ versions: { 'p/a/v': versionFiles(readFixture(name)) } });
  return client.readTree(REF);
}

const rows = (tree: ReadTree, path?: string) =>
  listTree(tree, path).entries.map(({ name, type, size }) => `${name}${type === 'directory' ? '/' : ''} ${size}`);

describe('a list', () => {
  it('has files and folders of one level, and what is in each folder', async () => {
    const tree = await readPublished('testdata');
    expect(listTree(tree)).toMatchObject({
      ref: REF,
      path: '/',
      here: { files: 4, bytes: 41 },
      total: { files: 8, bytes: 80 },
    });
    expect(rows(tree)).toEqual([
      '.hidden.txt 23',
      '.subhidden/ 12',
      'another.md 6',
      'emptyfolder/ 0',
      'noextension 0',
      'subfolder/ 27',
      'test.md 12',
    ]);
    expect(listTree(tree).entries.find(({ name }) => name === 'test.md')?.md5sum).toBe(md5('hello tests!'));
    expect(rows(tree, '/subfolder')).toEqual(['sub2.md 4', 'subexists.md 23']);
    expect(rows(tree, '/subfolder/')).toEqual(['sub2.md 4', 'subexists.md 23']);
    expect(rows(tree, '/subfolder/sub2.md')).toEqual(['sub2.md 4']);
  });

  it('shows symlinks as they are, and counts them as no folders', async () => {
    const tree = await readPublished('test_symlinks');
    const { here, total, entries } = listTree(tree);
    expect([here, total]).toEqual([
      { files: 10, bytes: 412 },
      { files: 20, bytes: 456 },
    ]);
    expect(entries).toHaveLength(12);
    expect(entries).toContainEqual({
      name: 'broken_rel_link.txt',
      type: 'symlink',
      size: 0,
      target: 'non-existing-target',
      targetType: 'unknown',
    });
    expect(entries).toContainEqual({ name: 'sub', type: 'directory', size: 34, files: 8 });
  });

  it('follows symlinks to the folder that is meant', async () => {
    const tree = await readPublished('test_symlinks');
    expect(listTree(tree, '/dir_link_link/parent_dir/sub2/sub2')).toMatchObject({ path: '/sub2' });
    expect(rows(tree, '/sub/sibling_dir_trailing_slash/')).toEqual(['hello.md 10', 'sub2 0']);
    expect(listTree(tree, '/file_link')).toMatchObject({ path: '/realfile.txt', entries: [{ name: 'realfile.txt' }] });
  });

  it('has empty folders, and is one of an empty folder', () => {
    const tree = treeOf({}, { entries: [{ type: 'directory', path: 'empty', mode: 0o700 }] });
    expect(listTree(tree).entries).toEqual([{ name: 'empty', type: 'directory', size: 0, files: 0, mode: 0o700 }]);
    expect(listTree(tree, '/empty')).toMatchObject({ path: '/empty', total: { files: 0, bytes: 0 }, entries: [] });
    expect(listTree(treeOf({}))).toMatchObject({ path: '/', entries: [] });
  });

  it.each([
    ['/subfold', 'missing', 'subfold'],
    ['/test.md/', 'not-directory', 'test.md'],
    ['/../x', 'escape', ''],
  ])('is none of %s, and says why', async (path, kind, at) => {
    const tree = treeOf(versionFiles(readFixture('testdata')));
    expect(() => listTree(tree, path)).toThrow(
      expect.objectContaining({ code: 'not-found', details: { ...REF, path, kind, at } }),
    );
  });

  it('tells apart why a path leads nowhere', async () => {
    const tree = await readPublished('test_symlinks');
    const message = (path: string) => {
      try {
        return listTree(tree, path);
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(message('/sub/infinite_loop')).toBe(
      'p/a/v:/sub/infinite_loop: there are too many levels of symlinks, up to "/sub/infinite_loop".',
    );
    expect(message('/dir_outside')).toBe('p/a/v:/dir_outside: the symlink "/dir_outside" ascends beyond the root.');
    expect(message('/broken_rel_link.txt')).toBe(
      'p/a/v:/broken_rel_link.txt: there is nothing at "/non-existing-target".',
    );
    expect(() => listTree(tree, 'sub')).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(realpath(tree, '/dir_link_link')).toMatchObject({ kind: 'found', path: 'sub' });
  });
});

describe('a drawn tree', () => {
  it('is to the letter what it must be, read from a registry', async () => {
    const tree = await readPublished('test_symlinks');
    const expected = readFileSync(new URL('../fixtures/test_symlinks.tree.txt', import.meta.url), 'utf8');
    expect(`${renderTree(tree, { name: 'REF as typed' })}\n`).toBe(expected);
  });

  it('has dot-files in their order, and its own name', async () => {
    const tree = await readPublished('testdata');
    expect(renderTree(tree).split('\n')).toEqual([
      'p/a/v',
      '├── .hidden.txt',
      '├── .subhidden',
      '│   └── test.md',
      '├── another.md',
      '├── emptyfolder',
      '│   └── .gitkeep',
      '├── noextension',
      '├── subfolder',
      '│   ├── sub2.md',
      '│   └── subexists.md',
      '└── test.md',
      '',
      '3 directories, 8 files',
    ]);
    expect(renderTree(tree, { path: '/subfolder' })).toBe(
      'p/a/v:/subfolder\n├── sub2.md\n└── subexists.md\n\n0 directories, 2 files',
    );
  });

  it('tells one from several, shows empty folders, and what would move a cursor as it is', () => {
    const entries = [{ type: 'directory', path: 'empty' } as const];
    expect(renderTree(treeOf({ 'a\u001b': '' }, { entries }))).toBe(
      'p/a/v\n├── a\\x1b\n└── empty\n\n1 directory, 1 file',
    );
    expect(renderTree(treeOf({}))).toBe('p/a/v\n\n0 directories, 0 files');
  });

  it('has modes, sizes of folders too, and times on request', () => {
    const mtime = '2026-01-02T03:04:05.123456789Z';
    const tree = treeOf(
      { 'run.sh': 'x'.repeat(12), 'sub/a': 'a', 'sub/deep/b': 'bb' },
      { entries: [{ type: 'file', path: 'run.sh', mode: 0o755, mtime }] },
    );
    expect(renderTree(tree, { details: true }).split('\n').slice(1, 5)).toEqual([
      '├── [0755 12 2026-01-02T03:04:05] run.sh',
      '└── [----  3 -------------------] sub',
      '    ├── [----  1 -------------------] a',
      '    └── [----  2 -------------------] deep',
    ]);
  });

  it('is none of a file', async () => {
    expect(() => renderTree(treeOf({ a: 'x' }), { path: '/a' })).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });
});

it('a local folder is drawn as the version of it', async () => {
  const root = join(await tempFolder(), 'test_symlinks');
  mkdirSync(root);
  const entries = readFixture('test_symlinks');
  layOut(
    root,
    Object.fromEntries(
      entries.map(({ path, type, content, size, target = '' }) => [
        path,
        type === 'symlink' ? { link: target } : type === 'dir' ? 'folder/' : (content ?? 'x'.repeat(size ?? 0)),
      ]),
    ),
  );
  const { client } = await createRig();
  const tree = await readTree(client.context, root);
  const expected = readFileSync(new URL('../fixtures/test_symlinks.tree.txt', import.meta.url), 'utf8');
  expect(`${renderTree(tree, { name: 'REF as typed' })}\n`).toBe(expected);
  expect(listTree(tree)).toMatchObject({ root, total: { files: 20, bytes: 456 } });
});
