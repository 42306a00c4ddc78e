import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GetOptions } from '../../src/index.ts';
import { formatTreeRecord, type RecordEntry, TREE_RECORD } from '../../src/model/tree-record.ts';
import { getBy } from '../../src/ops/get-tree.ts';
import { freshName, putFile } from '../../src/tree/put-file.ts';
import { layOut } from '../helpers/files.ts';
import { readFixture, shapeOf, versionFiles } from '../helpers/fixture-tree.ts';
import { leftoverName } from '../helpers/leftover-name.ts';
import { createRig } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

const REF = { project: 'p', asset: 'a', version: 'v' };
const testdata = readFixture('testdata');
const symlinks = readFixture('test_symlinks');
/** As published without a slash behind the folder: the folder itself is in the version. */
const inFolder = { ...REF, version: 'f' };
const seed = {
  versions: {
    'p/a/v': versionFiles(testdata),
    'p/a/f': versionFiles(testdata.map((entry) => ({ ...entry, path: `testdata/${entry.path}` }))),
    'p/a/s': versionFiles(symlinks),
  },
};
const SYMLINKS = { ...REF, version: 's' };

const link = (path: string, target: string): RecordEntry => ({ type: 'symlink', path, target, targetType: 'file' });

async function createWith(files: Record<string, string>, ...entries: RecordEntry[]) {
  const rig = await createRig({ versions: { 'p/a/v': { ...files, [TREE_RECORD]: formatTreeRecord({ entries }) } } });
  const dest = join(rig.folder, 'dest');
  const get = (options: GetOptions = {}) => rig.client.getTree(REF, dest, options);
  return { ...rig, dest, get };
}

describe('a version that is got', () => {
  it('goes into a folder that is there', async () => {
    const { client, folder } = await createRig(seed);
    const dest = join(folder, 'dest');
    mkdirSync(dest);
    const got = await client.getTree(REF, dest);
    expect(treeShape(dest)).toEqual(shapeOf(testdata));
    expect(got).toMatchObject({ ...REF, destination: dest, files: 8, folders: 3, symlinks: 0, skipped: [], stale: [] });
  });

  it('becomes what is not there, the latest if none is named', async () => {
    const { client, folder } = await createRig({ versions: { 'p/a/v': versionFiles(testdata) } });
    const dest = join(folder, 'new');
    expect(await client.getTree({ project: 'p', asset: 'a' }, `${dest}/`)).toMatchObject({ ...REF, folders: 4 });
    expect(treeShape(dest)).toEqual(shapeOf(testdata));
  });

  it('has its symlinks as they were: broken ones, ones that lead out of it, and into a circle', async () => {
    const { client, folder } = await createRig(seed);
    const dest = join(folder, 'dest');
    expect(await client.getTree(SYMLINKS, dest)).toMatchObject({ files: 5, symlinks: 15, folders: 4 });
    expect(treeShape(dest)).toEqual(shapeOf(symlinks));
  });

  it('has absolute symlinks, and one that was added later and leads to nothing', async () => {
    const own = [link('to-file', '/somewhere/file.txt'), link('newlink', '/somewhere/newlink_target')];
    const { get, dest } = await createWith({ 'file.txt': 'Some data' }, ...own, { type: 'directory', path: 'subdir' });
    await get();
    expect(treeShape(dest)).toEqual({
      'file.txt': 'Some data',
      newlink: '-> /somewhere/newlink_target',
      subdir: '/',
      'to-file': '-> /somewhere/file.txt',
    });
  });

  it('may have symlinks only, or empty folders only', async () => {
    const { get, dest } = await createWith({}, link('l', 'x'), { type: 'directory', path: 'd' });
    await get();
    expect(treeShape(dest)).toEqual({ l: '-> x', d: '/' });
  });

  it('is there already when it is got again, but for its files', async () => {
    const { client, folder } = await createRig(seed);
    const dest = join(folder, 'dest');
    mkdirSync(dest);
    await client.getTree(SYMLINKS, dest);
    const again = await client.getTree(SYMLINKS, dest, { exists: 'preserve' });
    expect(again).toMatchObject({ files: 0, symlinks: 0, folders: 0, preserved: 5, overwritten: 0, skipped: [] });
  });
});

describe('where a folder or file of a version goes', () => {
  const names = { same: 'testdata', other: 'other' };

  it.each(Object.entries(names))('a folder goes into a folder of the %s name', async (_, name) => {
    const { client, folder } = await createRig(seed);
    mkdirSync(join(folder, name));
    await client.getTree(inFolder, join(folder, name), { path: '/testdata' });
    expect(treeShape(join(folder, name, 'testdata'))).toEqual(shapeOf(testdata));
  });

  it.each(Object.entries(names))('a folder does not go onto a file of the %s name', async (_, name) => {
    const { client, folder } = await createRig(seed);
    writeFileSync(join(folder, name), 'mine');
    const refused = client.getTree(inFolder, join(folder, name), { path: '/testdata', exists: 'overwrite' });
    await expect(refused).rejects.toMatchObject({ code: 'destination-refused' });
    expect(readFileSync(join(folder, name), 'utf8')).toBe('mine');
  });

  it.each(Object.entries(names))('a folder becomes what is not there, with the %s name', async (_, name) => {
    const { client, folder } = await createRig(seed);
    await client.getTree(inFolder, join(folder, name), { path: '/testdata/' });
    expect(treeShape(join(folder, name))).toEqual(shapeOf(testdata));
  });

  it.each(['noextension', 'other'])(
    'a file goes into a folder, onto a file, and to what is not there: %s',
    async (name) => {
      const { client, folder } = await createRig(seed);
      const get = (dest: string) => client.getTree(REF, dest, { path: '/test.md', exists: 'overwrite' });
      mkdirSync(join(folder, name));
      expect(await get(join(folder, name))).toMatchObject({ destination: join(folder, name, 'test.md'), files: 1 });
      writeFileSync(join(folder, 'f'), 'mine');
      expect(await get(join(folder, 'f'))).toMatchObject({ destination: join(folder, 'f'), overwritten: 1 });
      await get(join(folder, 'n'));
      const texts = [`${name}/test.md`, 'f', 'n'].map((path) => readFileSync(join(folder, path), 'utf8'));
      expect(new Set(texts)).toEqual(new Set(['hello tests!']));
    },
  );

  it('it has the name that was given, not the one of what it is a symlink to', async () => {
    const { client, folder } = await createRig(seed);
    const dest = join(folder, 'dest');
    mkdirSync(dest);
    await client.getTree(SYMLINKS, dest, { path: '/file_link_link' });
    await client.getTree(SYMLINKS, dest, { path: '/dir_link_link/sibling_dir' });
    await client.getTree(SYMLINKS, dest, { path: '/sub/deep/..' });
    expect(treeShape(dest)).toMatchObject({
      file_link_link: 'This is a real file.\n',
      'sibling_dir/sub2': '-> ../sub2',
    });
    expect(Object.keys(treeShape(dest))).toContain('sub/readme.md');
  });

  it.each([
    ['the folder above is not there', 'none/dest', '/'],
    ['a file is to become a folder that is not there', 'none/', '/test.md'],
    ['a file is to be written below a file', 'file/dest', '/test.md'],
    ['it lies in the cache', 'cache/mine', '/'],
  ])('nothing is written where %s', async (_what, dest, path) => {
    const { client, folder } = await createRig(seed);
    writeFileSync(join(folder, 'file'), 'mine');
    await client.saveVersion(REF);
    const before = readdirSync(join(folder, 'cache'));
    await expect(client.getTree(REF, `${folder}/${dest}`, { path })).rejects.toMatchObject({
      code: 'destination-refused',
    });
    expect(readdirSync(join(folder, 'cache'))).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual(['cache', 'file']);
  });

  it.each([
    ['leads to nothing', '/path/is/invalid'],
    ['is a broken symlink', '/broken_rel_link.txt'],
    ['leaves the version', '/dir_outside/x'],
    ['is a circle', '/sub/infinite_loop'],
  ])('there is nothing to get where the path %s', async (_what, path) => {
    const { client, folder } = await createRig(seed);
    const failed = client.getTree(SYMLINKS, join(folder, 'dest'), { path });
    await expect(failed).rejects.toMatchObject({ code: 'not-found' });
    expect(readdirSync(folder)).not.toContain('dest');
  });
});

describe('what is in the way', () => {
  const mine = { 'test.md': '', other: 'mine' };

  it('is an error that says how to go on, and nothing is written', async () => {
    const { client, folder } = await createRig(seed);
    const dest = join(folder, 'dest');
    layOut(dest, mine);
    await expect(client.getTree(REF, dest)).rejects.toMatchObject({
      code: 'destination-refused',
      hint: expect.stringContaining('--exists'),
    });
    expect(treeShape(dest)).toEqual(mine);
  });

  it('is taken away if a killed process has left it', async () => {
    const { client, folder } = await createRig(seed);
    const dest = join(folder, 'dest');
    const living = freshName('subfolder');
    layOut(dest, { [leftoverName()]: 'half', [`subfolder/${leftoverName()}`]: { link: 'x' }, [living]: 'now' });
    await client.getTree(REF, dest);
    expect(Object.keys(treeShape(dest)).filter((path) => path.includes('..gypsum-'))).toEqual([living]);
  });

  it.each([
    ['preserve', '', { files: 7, preserved: 1, overwritten: 0 }],
    ['overwrite', 'hello tests!', { files: 8, preserved: 0, overwritten: 1 }],
  ] as const)('is treated as said: %s', async (exists, text, counts) => {
    const { client, folder } = await createRig(seed);
    const dest = join(folder, 'dest');
    layOut(dest, mine);
    expect(await client.getTree(REF, dest, { exists })).toMatchObject(counts);
    expect(treeShape(dest)).toEqual({ ...shapeOf(testdata), other: 'mine', 'test.md': text });
  });

  it('is asked about, one by one, before anything is fetched', async () => {
    const { client, folder, registry } = await createRig(seed);
    const dest = join(folder, 'dest');
    layOut(dest, { 'test.md': 'mine', 'another.md': 'mine' });
    const asked: string[] = [];
    await client.getTree(REF, dest, {
      async exists(path) {
        asked.push(path);
        expect(registry.calls.some(({ key }) => key === 'p/a/v/test.md')).toBe(false);
        return path.endsWith('another.md') ? 'preserve' : 'overwrite';
      },
    });
    expect(asked).toEqual([join(dest, 'another.md'), join(dest, 'test.md')]);
    expect(treeShape(dest)).toMatchObject({ 'another.md': 'mine', 'test.md': 'hello tests!' });
  });

  it('is left alone where it is of another kind, and the rest is written', async () => {
    const { client, folder } = await createRig(seed);
    const dest = join(folder, 'dest');
    layOut(dest, { subfolder: 'mine', 'test.md': 'folder/' });
    const { skipped } = await client.getTree(REF, dest, { exists: 'overwrite' });
    expect(skipped.map(({ path }) => path)).toEqual(['subfolder', 'test.md']);
    expect(treeShape(dest)).toMatchObject({ subfolder: 'mine', 'test.md': '/', 'another.md': 'exists' });
  });

  it('is a symlink that is replaced, in either direction', async () => {
    const { get, dest } = await createWith({ file: 'new' }, link('link', 'file'), link('moved', 'file'));
    layOut(dest, { link: 'mine', moved: { link: 'elsewhere' } });
    expect(await get({ exists: 'overwrite' })).toMatchObject({ overwritten: 2 });
    expect(treeShape(dest)).toEqual({ file: 'new', link: '-> file', moved: '-> file' });
  });
});

describe('nothing is written through a symlink', () => {
  it('that stands in the place of a file', async () => {
    const { get, dest, folder } = await createWith({ file: 'new' });
    writeFileSync(join(folder, 'outside'), 'mine');
    layOut(dest, { file: { link: '../outside' } });
    await get({ exists: 'overwrite' });
    expect(treeShape(dest)).toEqual({ file: 'new' });
    expect(readFileSync(join(folder, 'outside'), 'utf8')).toBe('mine');
  });

  it('that stands in the place of a folder', async () => {
    const { get, dest, folder } = await createWith({ 'd/file': 'new', other: 'x' });
    mkdirSync(join(folder, 'outside'));
    layOut(dest, { d: { link: '../outside' } });
    const { skipped } = await get({ exists: 'overwrite', preserve: true });
    expect(skipped).toEqual([{ path: 'd', why: expect.stringContaining('symlink') }]);
    expect(treeShape(dest)).toEqual({ d: '-> ../outside', other: 'x' });
    expect(readdirSync(join(folder, 'outside'))).toEqual([]);
  });

  it('that the version has itself, above files of it', async () => {
    const { get, dest, folder } = await createWith({ 'a/x': 'new' }, link('a', '../outside'));
    mkdirSync(join(folder, 'outside'));
    const { stale } = await get();
    expect(stale).toMatchObject([{ path: 'a' }]);
    expect(treeShape(dest)).toEqual({ a: '/', 'a/x': 'new' });
    expect(readdirSync(join(folder, 'outside'))).toEqual([]);
  });

  it('that is put there while files are fetched', async () => {
    const { client, dest, folder } = await createWith({ 'd/file': 'new' });
    mkdirSync(join(folder, 'outside'));
    layOut(dest, { d: 'folder/' });
    const swap = client.getTree(REF, dest, {
      onEvent(event) {
        if (event.type !== 'end' || event.task !== 'fetch' || lstatSync(join(dest, 'd')).isSymbolicLink()) return;
        if (readdirSync(join(folder, 'cache/bucket/p/a/v')).includes('d') === false) return;
        rmdirSync(join(dest, 'd'));
        symlinkSync('../outside', join(dest, 'd'));
      },
    });
    await expect(swap).rejects.toMatchObject({ code: 'file-changed' });
    expect(readdirSync(join(folder, 'outside'))).toEqual([]);
  });

  it.each([
    ['leaves it', { path: '../x', type: 'symlink', symlink_target: 'y', symlink_target_type: 'file' }],
    ['is absolute', { path: '/tmp/x', type: 'dir' }],
    ['lies below a symlink', { path: 'file/x', type: 'dir' }, { path: 'file', type: 'file' }],
  ])('and a version of which an entry %s is refused', async (_what, ...entries) => {
    const record = JSON.stringify({ 'gypsum-tree': 1, entries });
    const { client, folder } = await createRig({ versions: { 'p/a/v': { file: 'x', [TREE_RECORD]: record } } });
    const dest = join(folder, 'dest');
    await expect(client.getTree(REF, dest)).rejects.toMatchObject({ code: 'invalid-manifest' });
    expect(readdirSync(folder)).not.toContain('dest');
  });
});

describe('symlinks of a version', () => {
  const all = [link('in', 'file'), link('out', '../x'), link('abs', '/x'), link('sub/up', '..'), link('gone', 'x/y')];

  it('can be left out', async () => {
    const { get, dest } = await createWith({ file: 'x' }, ...all);
    const { skipped } = await get({ symlinks: 'skip' });
    expect(skipped).toHaveLength(5);
    expect(treeShape(dest)).toEqual({ file: 'x', sub: '/' });
  });

  it('can be made where they lead into what is written', async () => {
    const { get, client, folder, dest } = await createWith({ file: 'x' }, ...all);
    const { skipped } = await get({ symlinks: 'safe' });
    expect(skipped.map(({ path }) => path)).toEqual(['dest/abs', 'dest/out']);
    expect(treeShape(dest)).toEqual({ file: 'x', gone: '-> x/y', in: '-> file', sub: '/', 'sub/up': '-> ..' });
    const sub = await client.getTree(REF, join(folder, 'sub'), { path: '/sub', symlinks: 'safe' });
    expect(sub.skipped).toHaveLength(1);
  });

  it('can be followed, each to what it leads to in the version', async () => {
    const { client, folder } = await createRig(seed);
    const dest = join(folder, 'dest');
    const { skipped } = await client.getTree(SYMLINKS, dest, { symlinks: 'follow' });
    const shape = treeShape(dest);
    expect(Object.values(shape).filter((text) => text.startsWith('->'))).toEqual([]);
    expect(shape).toMatchObject({
      file_link_link: 'This is a real file.\n',
      'dir_link/sibling_dir_file.md': '= Hello =\n',
    });
    const top = skipped.filter(({ path }) => !path.includes('/', 5)).map(({ path }) => path.slice(5));
    expect(top).toEqual(['broken_rel_link.txt', 'dir_outside', 'file_outside']);
    expect(skipped.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['dest/sub/infinite_loop', 'dest/sub/parent_dir']),
    );
  });
});

describe('modes and times', () => {
  const mtime = '2001-02-03T04:05:06.123456789Z';
  const entries: RecordEntry[] = [
    { type: 'directory', path: 'd', mode: 0o500, mtime },
    { type: 'file', path: 'd/run.sh', mode: 0o751, mtime },
    { type: 'symlink', path: 'l', target: 'd', targetType: 'dir', mtime },
  ];
  const facts = (path: string) => {
    const { mode, mtimeNs } = lstatSync(path, { bigint: true });
    return {
      mode: Number(mode & 0o777n),
      at: new Date(Number(mtimeNs / 1_000_000n)).toISOString(),
      micro: (mtimeNs / 1000n) % 1000n,
    };
  };

  it('come back if asked for, of folders last, and of symlinks themselves', async () => {
    const { get, dest } = await createWith({ 'd/run.sh': 'x' }, ...entries);
    await get({ preserve: true });
    const at = '2001-02-03T04:05:06.123Z';
    expect(facts(join(dest, 'd'))).toEqual({ mode: 0o500, at, micro: 456n });
    expect(facts(join(dest, 'd/run.sh'))).toEqual({ mode: 0o751, at, micro: 456n });
    expect(facts(join(dest, 'l'))).toMatchObject({ at, micro: 456n });
    chmodSync(join(dest, 'd'), 0o755);
  });

  it('are those of new files else, which are executable where they were', async () => {
    const { get, dest } = await createWith({ 'd/run.sh': 'x', plain: 'x' }, ...entries);
    await get();
    expect(facts(join(dest, 'd/run.sh')).mode & 0o111).not.toBe(0);
    expect(facts(join(dest, 'plain')).mode & 0o111).toBe(0);
    expect(facts(join(dest, 'd/run.sh')).at).not.toContain('2001');
  });
});

it.each(['put', 'uploaded'])(
  'a symlink that cannot be made is skipped, and stays one when the folder is %s',
  async (how) => {
    const { client, folder } = await createRig({
      versions: { 'p/a/1': versionFiles(symlinks), 'p/a/2': { other: 'x' } },
    });
    const dest = join(folder, 'dest');
    const refuse = () => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    };
    const version = { ...REF, version: '1' };
    const got = await getBy({ ...putFile, symlink: refuse }, client.context, version, dest);
    expect(got).toMatchObject({ files: 5, symlinks: 0, folders: 4 });
    expect(got.skipped).toHaveLength(15);
    unlinkSync(join(dest, 'sub/readme.md'));
    const publish = () =>
      how === 'put'
        ? client.putTree({ project: 'p', asset: 'a' }, `${dest}/`, { delete: true })
        : client.uploadDirectory({ project: 'p', asset: 'a', version: '3' }, dest);
    expect(await publish()).toMatchObject({ version: '3' });
    await client.getTree({ project: 'p', asset: 'a' }, join(folder, 'back'));
    const { 'sub/readme.md': _, ...left } = shapeOf(symlinks);
    expect(treeShape(join(folder, 'back'))).toEqual(left);
  },
);

it('a get that is given up leaves nothing half-made', async () => {
  const { client, folder } = await createRig(seed);
  const dest = join(folder, 'dest');
  const controller = new AbortController();
  const reason = { nobody: 'wants it' };
  const onEvent = ({ type }: { type: string }) => type === 'end' && controller.abort(reason);
  await expect(client.getTree(REF, dest, { signal: controller.signal, onEvent })).rejects.toBe(reason);
  expect(readdirSync(folder)).toEqual(['cache']);
});
