import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodePath } from '../../src/model/local-path.ts';
import type { syncFolders as sync } from '../../src/ops/sync-folders.ts';
import type { inodeOfRoot as inodeOf, listFolder as list } from '../../src/tree/list-folder.ts';
import { packFolders, unpackFolders } from '../../src/tree/packed-folders.ts';
import type { createReadAhead as create, ReadAhead } from '../../src/tree/read-ahead.ts';
import type { ReplicaEntry } from '../../src/tree/replica-entry.ts';
import { layOut } from '../helpers/files.ts';
import { leftoverName } from '../helpers/leftover-name.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Threads are started from what is built. */
const built = (name: string) => import(pathToFileURL(join(import.meta.dirname, `../../dist/src/tree/${name}.js`)).href);
const { createReadAhead } = (await built('read-ahead')) as { createReadAhead: typeof create };
const { listFolder, inodeOfRoot } = (await built('list-folder')) as {
  listFolder: typeof list;
  inodeOfRoot: typeof inodeOf;
};

const HUGE = 3 * 2 ** 30;

it('entries are the same once they were packed', () => {
  const file = { type: 'file', path: 'd/file', size: 3, mode: 0o644, mtime: 1_700_000_000_123_456 } as const;
  const folders: (readonly ReplicaEntry[] | undefined)[] = [
    [file, { ...file, path: 'd/huge', size: HUGE }, { ...file, path: 'd/linked', inode: '1 2' }],
    undefined,
    [],
    [
      { type: 'directory', path: 'e/\udcff', mode: 0o1777, mtime: -5, inode: '1 3' },
      { ...file, path: 'e/é\udc80' },
      { type: 'file', path: 'e/no mode', size: 1, mtime: 0 },
      { type: 'special', path: 'e/pipe' },
      { type: 'symlink', path: 'e/symlink', target: '\udc80', mtime: 7 },
    ],
  ];
  expect(unpackFolders(structuredClone(packFolders(folders)))).toEqual(folders);
});

describe.skipIf(availableParallelism() === 1 || process.platform !== 'linux')('a second thread', () => {
  /** Has these folders be read, and what is in the root. */
  async function read(root: string, folders: readonly string[]): Promise<ReadAhead> {
    mkdirSync(join(root, 'last'), { recursive: true });
    for (let wait = 100; ; wait *= 2) {
      const ahead = createReadAhead(root, inodeOfRoot(root));
      onTestFinished(() => ahead.close());
      // Each is taken for so large that it is a task of its own: once the last one is read, all are.
      for (const path of ['', ...folders, 'last']) ahead.expect(path, 5_000);
      await setTimeout(wait);
      if ((await ahead.take('last')) !== undefined) return ahead;
    }
  }

  async function makeFolder() {
    const root = await tempFolder();
    const deep = Array(9).fill('x'.repeat(200)).join('/');
    layOut(root, {
      'd/e/file': '1',
      'd/skipped/in it': '2',
      last: 'folder/',
      top: '3',
      'f/huge': '',
      [`${deep}/file`]: '4',
    });
    layOut(root, { [`d/${leftoverName()}`]: 'left' });
    truncateSync(join(root, 'f/huge'), HUGE);
    linkSync(join(root, 'top'), join(root, 'f/linked'));
    symlinkSync('nowhere', join(root, 'f/symlink'));
    execFileSync('mkfifo', [join(root, 'f/pipe')]);
    writeFileSync(encodePath(join(root, 'd/\udcff\udc80')), 'odd');
    mkdirSync(encodePath(join(root, 'd/\udcfe')));
    chmodSync(join(root, 'd/e'), 0o700);
    utimesSync(join(root, 'top'), 1.5, 1.25);
    const folders = deep.split('/').map((_, n, names) => names.slice(0, n + 1).join('/'));
    return { root, folders: ['d', 'd/e', 'd/skipped', 'd/\udcfe', 'f', 'not there', ...folders] };
  }

  it('reads what one reads', async () => {
    const { root, folders } = await makeFolder();
    const skip = (path: string) => path === 'd/skipped';
    const wanted = await listFolder(root, { skip });
    const ahead = await read(root, folders);
    expect(await listFolder(root, { skip, ahead })).toEqual(wanted);
    expect(wanted.left).toEqual(['d/skipped']);
    expect(wanted.leftovers).toHaveLength(1);
  });

  it('has read, and gives it once', async () => {
    const { root, folders } = await makeFolder();
    const ahead = await read(root, folders);
    expect((await ahead.take('d/e'))?.map(({ path }) => path)).toEqual(['d/e/file']);
    expect(await ahead.take('d/e')).toBeUndefined();
    expect(await ahead.take('not there')).toBeUndefined();
    expect(await ahead.take(folders.at(-1) ?? '')).toBeUndefined();
  });

  it('reads nothing through a symlink', async () => {
    const [root, outside] = [await tempFolder(), await tempFolder()];
    layOut(outside, { 'below/file': '1' });
    symlinkSync(outside, join(root, 'link'));
    const ahead = await read(root, ['link', 'link/below']);
    expect(await ahead.take('link')).toBeUndefined();
    expect(await ahead.take('link/below')).toBeUndefined();
    expect((await ahead.take(''))?.map(({ type }) => type)).toEqual(['directory', 'symlink']);
  });

  it('is of no use for another folder that has taken the place', async () => {
    const { root, folders } = await makeFolder();
    const ahead = await read(root, folders);
    renameSync(root, `${root}-away`);
    onTestFinished(() => renameSync(`${root}-away`, `${root}/was`));
    mkdirSync(root);
    await expect(listFolder(root, { ahead })).rejects.toMatchObject({ code: 'file-changed' });
  });

  it('reads a replica while its source is read', async () => {
    const { syncFolders } = (await built('../ops/sync-folders')) as { syncFolders: typeof sync };
    const [source, destination] = [await tempFolder(), await tempFolder()];
    const paths = Array.from({ length: 6_000 }, (_, n) => `d${n % 60}/file-${n}`);
    layOut(source, Object.fromEntries(paths.map((path) => [path, path])));
    let threads = 0;
    const count = () => void threads++;
    process.on('worker', count);
    onTestFinished(() => void process.off('worker', count));
    await syncFolders(source, destination);
    layOut(source, { 'd7/new': 'new' });
    writeFileSync(join(source, 'd9/file-9'), 'changed');
    rmSync(join(source, 'd59'), { recursive: true });
    writeFileSync(join(destination, 'd3/extra'), 'extra');
    const changed = await syncFolders(source, destination);
    const kinds = changed.operations.map(({ op }) => op);
    expect(kinds.filter((op) => op === 'delete')).toHaveLength(101);
    expect(kinds.filter((op) => op !== 'delete').sort()).toEqual(['create', 'modify', 'rmdir', 'touch', 'touch']);
    const { operations, unchanged } = await syncFolders(source, destination);
    expect({ operations, unchanged }).toEqual({ operations: [], unchanged: 6_000 - 100 + 1 + 59 });
    expect(threads).toBe(3);
  });

  it('does not keep the process from ending, whatever it does', async () => {
    const { root } = await makeFolder();
    const script = `
      const { createReadAhead } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../dist/src/tree/read-ahead.js')).href)});
      const ahead = createReadAhead(process.argv[1], '');
      const runs = new Promise((resolve) => process.once('worker', (worker) => worker.once('message', resolve)));
      for (let n = 0; n < 20; n++) ahead.expect('', 5_000);
      if (process.argv[2] === 'later') await runs.then(() => new Promise(setImmediate));
      ahead.close();`;
    for (const when of ['at once', 'later']) {
      execFileSync(process.execPath, ['--input-type=module', '-e', script, root, when], { timeout: 20_000 });
    }
  });
});
