import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { comparePaths, isBelow, parentPath, sortPaths } from '../../src/model/tree.ts';
import { scanFolder } from '../../src/tree/scan.ts';
import { layOut } from '../helpers/files.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

describe('a scanned folder', () => {
  it('has every entry, dot-files and empty folders too, and never what a symlink leads to', async () => {
    const root = await tempFolder();
    layOut(root, {
      '.dot': '1',
      '.dots/.more': '22',
      a: 'folder/',
      'b/file': '333',
      'b.txt': '',
      'b-link': { link: 'b' },
      dangling: { link: 'no/where' },
      loop: { link: 'loop' },
    });

    expect(await scanFolder(root)).toEqual([
      { type: 'file', path: '.dot', size: 1 },
      { type: 'directory', path: '.dots' },
      { type: 'file', path: '.dots/.more', size: 2 },
      { type: 'directory', path: 'a' },
      { type: 'directory', path: 'b' },
      { type: 'file', path: 'b/file', size: 3 },
      { type: 'symlink', path: 'b-link', target: 'b' },
      { type: 'file', path: 'b.txt', size: 0 },
      { type: 'symlink', path: 'dangling', target: 'no/where' },
      { type: 'symlink', path: 'loop', target: 'loop' },
    ]);
  });

  it('is empty where nothing is', async () => {
    expect(await scanFolder(await tempFolder())).toEqual([]);
  });

  it('keeps the text of a symlink as it is', async () => {
    const root = await tempFolder();
    const texts = ['./a//b/../c/', '/abs/olute', 'ünï \ufffd😀', `${'x/'.repeat(1000)}y`, '\n'];
    for (const [at, text] of texts.entries()) symlinkSync(text, join(root, `link${at}`));
    expect((await scanFolder(root)).map((entry) => entry.type === 'symlink' && entry.target)).toEqual(texts);
  });

  it('looks up no sizes if none are wanted', async () => {
    const root = await tempFolder();
    layOut(root, { a: 'text' });
    expect(await scanFolder(root, { sizes: false })).toEqual([{ type: 'file', path: 'a', size: 0 }]);
  });

  it('reports FIFOs and sockets as what they are, without opening them', async ({ skip }) => {
    if (process.platform === 'win32') return skip('folders of Windows hold no FIFOs and sockets');
    const root = await tempFolder();
    execFileSync('mkfifo', [join(root, 'fifo')]);
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(root, 'socket'), done));
    onTestFinished(() => void server.close());
    expect(await scanFolder(root)).toEqual([
      { type: 'special', path: 'fifo' },
      { type: 'special', path: 'socket' },
    ]);
  });

  it('must be readable, all of it', async ({ skip }) => {
    if (process.getuid?.() === 0) return skip('root reads every folder');
    const root = await tempFolder();
    layOut(root, { 'a/b': 'text' });
    chmodSync(join(root, 'a'), 0o000);
    onTestFinished(() => chmodSync(join(root, 'a'), 0o700));
    await expect(scanFolder(root)).rejects.toMatchObject({ code: 'EACCES' });
  });

  it.each([
    ['nothing', 'missing', 'ENOENT'],
    ['a file', 'file', 'ENOTDIR'],
  ])('cannot be %s', async (_what, path, code) => {
    const root = await tempFolder();
    layOut(root, { file: 'text' });
    await expect(scanFolder(join(root, path))).rejects.toMatchObject({ code });
  });

  it('may be hundreds of folders deep', async () => {
    const root = await tempFolder();
    const deep = Array.from({ length: 900 }, () => 'd').join('/');
    mkdirSync(join(root, deep), { recursive: true });
    layOut(root, { [`${deep}/file`]: 'x' });
    const tree = await scanFolder(root);
    expect(tree).toHaveLength(901);
    expect(tree.at(-1)).toEqual({ type: 'file', path: `${deep}/file`, size: 1 });
  });

  it('stops with the reason of its signal', async () => {
    const reason = new Error('enough');
    await expect(scanFolder(await tempFolder(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('is in the order of paths, whatever the names', async () => {
    const root = await tempFolder();
    const name = fc.string({
      unit: fc.constantFrom('a', 'b', '.', '-', ' ', 'é', '😀', '\ufb01'),
      minLength: 1,
      maxLength: 3,
    });
    const path = fc
      .array(
        name.filter((text) => text !== '.' && text !== '..'),
        { minLength: 1, maxLength: 4 },
      )
      .map((parts) => parts.join('/'));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(path, { maxLength: 12 }), async (paths) => {
        const folder = join(root, String(run++));
        mkdirSync(folder);
        const files = paths.filter((one) => !paths.some((other) => isBelow(other, one)));
        layOut(folder, Object.fromEntries(files.map((file) => [file, 'x'])));

        const tree = await scanFolder(folder);

        const parents = new Set<string>();
        for (const file of files) for (let at = parentPath(file); at !== ''; at = parentPath(at)) parents.add(at);
        expect(tree.map((entry) => entry.path)).toEqual(sortPaths([...files, ...parents]));
        expect(tree).toEqual(tree.toSorted((a, b) => comparePaths(a.path, b.path)));
        await rm(folder, { recursive: true });
      }),
    );
  });
});
