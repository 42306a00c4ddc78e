import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CloneOptions, PutOptions, TreeChange } from '../../src/index.ts';
import { MAX_TREE_RECORD, TREE_RECORD } from '../../src/model/tree-record.ts';
import { layOut } from '../helpers/files.ts';
import { layOutFixture, readFixture, shapeOf } from '../helpers/fixture-tree.ts';
import { createRig } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

const ASSET = { project: 'p', asset: 'a' };
const signs = (changes: readonly TreeChange[]) => changes.map(({ sign, path }) => `${sign} ${path}`);

/** An empty project, the folder `testdata`, and a put of it. */
async function createPut(fixture: 'testdata' | 'test_symlinks' = 'testdata') {
  const rig = await createRig({ projects: { p: {} } });
  const root = join(rig.folder, fixture);
  layOutFixture(root, fixture);
  const put = (location = `${root}/`, options: PutOptions = {}) => rig.client.putTree(ASSET, location, options);
  let copies = 0;
  const get = async (version?: string) => {
    const dest = join(rig.folder, `copy-${copies++}`);
    await rig.client.getTree({ ...ASSET, ...(version !== undefined && { version }) }, dest);
    return treeShape(dest);
  };
  return { ...rig, root, put, get };
}

describe('a folder that is put', () => {
  it('is version 1, with all that is in it', async () => {
    const { put, get } = await createPut();
    const done = await put();
    expect(done).toMatchObject({ ...ASSET, version: '1', published: true, files: 8 });
    expect(done.changes).toHaveLength(11);
    expect(new Set(done.changes.map(({ sign }) => sign))).toEqual(new Set('+'));
    expect(await get()).toEqual(shapeOf(readFixture('testdata')));
  });

  it('is a folder of the version without a slash behind it', async () => {
    const { put, get, root } = await createPut();
    expect((await put(root)).changes).toHaveLength(12);
    expect(Object.keys(await get())).toContain('testdata/subfolder/sub2.md');
  });

  it.each([
    ['testdata', '/myroot', 'myroot/test.md', 12],
    ['testdata', '/myroot/', 'myroot/testdata/test.md', 12],
    ['testdata/', '/aha', 'aha/subfolder/subexists.md', 12],
    ['testdata/subfolder/', '/', 'subexists.md', 2],
    ['testdata/subfolder', '/', 'subfolder/subexists.md', 3],
    ['testdata/test.md', '/', 'test.md', 1],
    ['testdata/test.md', '/x', 'x', 1],
    ['testdata/test.md', '/x/', 'x/test.md', 1],
  ])('as %s to %s has %s', async (location, path, file, count) => {
    const { put, get, folder } = await createPut();
    expect((await put(join(folder, '/') + location, { path })).changes).toHaveLength(count);
    expect(Object.keys(await get())).toContain(file);
  });

  it('strips its own name once', async () => {
    const { put, get, folder } = await createPut();
    layOut(join(folder, 'a'), { 'a/a/f': 'x' });
    await put(`${folder}/a/`);
    expect(await get()).toEqual({ a: '/', 'a/a': '/', 'a/a/f': 'x' });
  });

  it('is a version of nothing if it is empty, and a folder without the slash', async () => {
    const { put, get, client, folder } = await createPut();
    mkdirSync(join(folder, 'empty'));
    expect(await put(`${folder}/empty/`)).toMatchObject({ version: '1', published: true, files: 0, changes: [] });
    expect(await client.fetchManifest({ ...ASSET, version: '1' })).toEqual({});
    await put(`${folder}/empty`);
    expect(await get()).toEqual({ empty: '/' });
  });

  it('comes back with its symlinks: broken ones, endless ones, and ones that lead out', async () => {
    const { put, get } = await createPut('test_symlinks');
    const { changes } = await put();
    expect(changes).toHaveLength(23);
    expect(await get()).toEqual(shapeOf(readFixture('test_symlinks')));
  });

  it('comes back with absolute symlinks, and one that was added later', async () => {
    const { put, get, folder } = await createPut();
    const root = join(folder, 'abs_symlinks');
    layOut(root, {
      subdir: 'folder/',
      'file.txt': 'Some data',
      absolute_link_to_dir: { link: join(root, 'subdir') },
      'absolute_link_to_file.txt': { link: join(root, 'file.txt') },
    });
    await put(`${root}/`);
    expect(await get()).toEqual(treeShape(root));
    symlinkSync(join(root, 'newlink_target'), join(root, 'newlink'));
    expect(signs((await put(`${root}/`)).changes)).toEqual(['+ newlink']);
    expect(await get()).toEqual(treeShape(root));
  });

  it('comes back with its modes and times', async () => {
    const { put, client, folder, root } = await createPut();
    chmodSync(join(root, 'test.md'), 0o751);
    utimesSync(join(root, 'test.md'), 1, 1);
    await put();
    const { entries } = await client.readTree(ASSET);
    expect(entries.find(({ path }) => path === 'test.md')).toMatchObject({
      mode: 0o751,
      mtime: '1970-01-01T00:00:01.000000000Z',
    });
    const back = join(folder, 'back');
    await client.getTree(ASSET, back, { preserve: true });
    expect((await client.readTree(back)).entries.find(({ path }) => path === 'test.md')).toMatchObject({
      mode: 0o751,
      mtime: '1970-01-01T00:00:01.000000000Z',
    });
  });

  it.each([
    [0o644, 0o755],
    [0o664, 0o775],
  ])('needs no record where its files say all, of modes as a umask makes them: %o and %o', async (file, folder) => {
    const { put, client, root } = await createPut();
    for (const { path, type } of readFixture('testdata')) chmodSync(join(root, path), type === 'dir' ? folder : file);
    await put();
    expect(Object.keys(await client.fetchManifest({ ...ASSET, version: '1' }))).not.toContain(TREE_RECORD);
    chmodSync(join(root, 'test.md'), 0o755);
    expect(signs((await put()).changes)).toEqual(['* test.md']);
    expect(Object.keys(await client.fetchManifest({ ...ASSET, version: '2' }))).toContain(TREE_RECORD);
  });
});

describe('a folder that is put again', () => {
  it('is no new version where nothing has changed but times', async () => {
    const { put, root, client } = await createPut('test_symlinks');
    // The record, which is sent too, is counted nowhere.
    expect(await put()).toMatchObject({ files: 5, sent: { files: 5 }, linked: { files: 0 } });
    utimesSync(join(root, 'realfile.txt'), 1, 1);
    expect(await put()).toMatchObject({ version: '1', published: false, unchanged: true, changes: [] });
    expect(await client.listVersions(ASSET)).toEqual(['1']);
  });

  it('is no new version where another umask has made its modes, but one where somebody has', async () => {
    const { put, root, client } = await createPut('test_symlinks');
    chmodSync(join(root, 'realfile.txt'), 0o640);
    await put();
    for (const { path, type } of readFixture('test_symlinks')) {
      if (type !== 'symlink') chmodSync(join(root, path), type === 'dir' ? 0o775 : 0o664);
    }
    expect(await put()).toMatchObject({ unchanged: true });
    chmodSync(join(root, 'sub/readme.md'), 0o600);
    expect(signs((await put()).changes)).toEqual(['* sub/readme.md']);
    const modes = Object.fromEntries((await client.readTree(ASSET)).entries.map((entry) => [entry.path, entry]));
    expect(modes).toMatchObject({ 'realfile.txt': { mode: 0o640 }, 'sub/readme.md': { mode: 0o600 } });
  });

  it('sends what has changed, and links the rest', async () => {
    const { put, root, get } = await createPut();
    await put();
    writeFileSync(join(root, 'subfolder/subexists.md'), 'more');
    unlinkSync(join(root, 'subfolder/sub2.md'));
    const done = await put();
    expect(signs(done.changes)).toEqual(['* subfolder/subexists.md']);
    expect(done).toMatchObject({ version: '2', linked: { files: 7 } });
    expect(await get()).toMatchObject({ 'subfolder/subexists.md': 'more', 'subfolder/sub2.md': 'sub2' });
  });

  it('shows content of the same size, another target, another type and another mode as changes', async () => {
    const { put, root, get } = await createPut('test_symlinks');
    await put();
    writeFileSync(join(root, 'realfile.txt'), 'THIS is a real file.\n');
    for (const name of ['file_link', 'dir_link', 'broken_rel_link.txt']) unlinkSync(join(root, name));
    symlinkSync('sub2/hello.md', join(root, 'file_link'));
    writeFileSync(join(root, 'dir_link'), 'a file now');
    mkdirSync(join(root, 'broken_rel_link.txt'));
    chmodSync(join(root, 'sub2/hello.md'), 0o700);
    expect(signs((await put()).changes)).toEqual([
      '* broken_rel_link.txt',
      '* dir_link',
      // What it leads to has become a file.
      '* dir_link_link',
      '* file_link',
      '* realfile.txt',
      '* sub2/hello.md',
    ]);
    expect(await get()).toEqual(treeShape(root));
  });

  it('goes into another folder, beside what is there', async () => {
    const { put, folder, get } = await createPut();
    await put();
    const sub = `${folder}/testdata/subfolder`;
    expect((await put(`${sub}/`, { path: '/path/when/sync' })).changes.at(-1)?.path).toBe(
      'path/when/sync/subexists.md',
    );
    await put(sub, { path: '/path/when/sync/' });
    expect(Object.keys(await get())).toEqual(
      expect.arrayContaining(['path/when/sync/sub2.md', 'path/when/sync/subfolder/sub2.md', 'test.md']),
    );
  });

  it('takes away what it has not, if asked for, and never outside of where it goes', async () => {
    const { put, folder, get, client } = await createPut();
    await put();
    await put(undefined, { path: '/sub' });
    mkdirSync(join(folder, 'empty'));
    const foreseen = await put(`${folder}/empty/`, { path: '/sub', delete: true, dryRun: true });
    expect(foreseen).toMatchObject({ version: '3', published: false });
    expect(foreseen.changes.filter(({ sign }) => sign === '-')).toHaveLength(11);
    expect(await client.listVersions(ASSET)).toEqual(['1', '2']);
    await put(`${folder}/empty/`, { path: '/sub', delete: true });
    expect(await get()).toEqual({ ...shapeOf(readFixture('testdata')), sub: '/' });
    const all = await put(`${folder}/empty/`, { delete: true });
    expect(all.changes).toHaveLength(12);
    expect([await get(), Object.keys(await get('1')).length]).toEqual([{}, 11]);
  });

  it('takes nothing away that it leaves out', async () => {
    const { put, get, root } = await createPut();
    await put();
    rmSync(join(root, 'subfolder'), { recursive: true });
    layOut(root, { '.gypsumignore': 'another.md\n', 'new.md': 'new' });
    rmSync(join(root, 'test.md'));
    const { changes } = await put(undefined, { delete: true, exclude: ['subfolder/sub2.md', 'noextension', 'new.md'] });
    expect(signs(changes)).toEqual(['- subfolder/subexists.md', '- test.md']);
    expect(Object.keys(await get())).toEqual(
      expect.arrayContaining(['another.md', 'noextension', 'subfolder/sub2.md']),
    );
  });

  it('may be named as a version, which must be new', async () => {
    const { client, root } = await createPut();
    expect(await client.putTree({ ...ASSET, version: 'first' }, `${root}/`)).toMatchObject({ version: 'first' });
    const again = client.putTree({ ...ASSET, version: 'first' }, `${root}/`);
    await expect(again).rejects.toMatchObject({ code: 'version-exists' });
    writeFileSync(join(root, 'new'), 'new');
    expect(await client.putTree(ASSET, `${root}/`)).toMatchObject({ version: '1', base: { version: 'first' } });
  });
});

describe('symlinks that are put', () => {
  it('are followed if asked for; broken ones and circles are errors, and nothing is published', async () => {
    const { put, client } = await createPut('test_symlinks');
    const { published, changes } = await put(undefined, { symlinks: 'follow', noOutside: true });
    expect(published).toBe(false);
    expect(changes.filter(({ sign }) => sign === 'E').map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'broken_rel_link.txt',
        'dir_outside',
        'file_outside',
        'sub/infinite_loop',
        'sub/parent_dir',
        'sub2/sub2',
      ]),
    );
    expect(await client.listVersions(ASSET)).toEqual([]);
  });

  it('are followed without what is wrong, if errors are not to matter', async () => {
    const { put, get } = await createPut('test_symlinks');
    const { published } = await put(undefined, { symlinks: 'follow', noOutside: true, ignoreErrors: true });
    expect(published).toBe(true);
    const shape = await get();
    expect(Object.values(shape).filter((text) => text.startsWith('->'))).toEqual([]);
    expect(shape).toMatchObject({ file_link_link: 'This is a real file.\n', 'dir_link_deep/a_file.txt': '' });
  });

  it('are counted where they lead out of the folder', async () => {
    const { put, folder, get } = await createPut();
    layOut(join(folder, 'outside'), { 'd/run.sh': 'x' });
    chmodSync(join(folder, 'outside/d/run.sh'), 0o755);
    const root = join(folder, 'mine');
    layOut(root, { d: { link: '../outside/d' }, f: { link: '../outside/d/run.sh' } });
    expect(await put(`${root}/`, { symlinks: 'follow' })).toMatchObject({ outside: 2, published: true });
    expect(await get()).toEqual({ d: '/', 'd/run.sh': 'x', f: 'x' });
    const kept = await put(`${root}/`, { symlinks: 'follow', noOutside: true, path: '/kept' });
    expect(signs(kept.changes)).toEqual(['+ kept', 'E kept/d', 'E kept/f']);
  });

  it('are errors where they lead out of the version, or all, as asked for', async () => {
    const { put, get } = await createPut('test_symlinks');
    const { changes } = await put(undefined, { symlinks: 'safe' });
    const wrong = changes.filter(({ sign }) => sign === 'E').map(({ path }) => path);
    expect(wrong).toEqual(['dir_outside', 'file_outside', 'sub/infinite_loop']);
    expect((await put(undefined, { symlinks: 'refuse' })).changes.filter(({ sign }) => sign === 'E')).toHaveLength(15);
    await put(undefined, { symlinks: 'safe', ignoreErrors: true });
    expect(Object.keys(await get())).toHaveLength(20);
  });

  it('may be given themselves, but for one to a folder', async () => {
    const { put, root, get } = await createPut('test_symlinks');
    await put(join(root, 'file_link'));
    await put(join(root, 'file_link_link'), { symlinks: 'follow' });
    expect(await get()).toEqual({ file_link: '-> realfile.txt', file_link_link: 'This is a real file.\n' });
    await expect(put(join(root, 'dir_link'))).rejects.toMatchObject({ code: 'invalid-argument' });
    await put(join(root, 'dir_link/deep/'));
    expect(await get()).toMatchObject({ 'a_file.txt': '' });
  });

  it('into the cache are errors where no version has what they lead to', async () => {
    const { put, root, cacheDir } = await createPut();
    await put();
    symlinkSync(join(cacheDir, 'bucket/p/a/1/none.md'), join(root, 'lost'));
    expect(signs((await put()).changes)).toEqual(['E lost']);
  });

  it('into the cache are files that become links', async () => {
    const { put, client, folder, get } = await createPut();
    await put();
    const clone = join(folder, 'clone');
    await client.cloneVersion({ ...ASSET, version: '1' }, clone);
    writeFileSync(join(clone, 'new.md'), 'new');
    symlinkSync('new.md', join(clone, 'own-link'));
    const done = await put(`${clone}/`);
    expect(signs(done.changes)).toEqual(['+ new.md', '+ own-link']);
    expect(done.linked.files).toBe(8);
    expect(await get()).toMatchObject({ 'own-link': '-> new.md', 'test.md': 'hello tests!' });
  });
});

describe('a clone that is put', () => {
  const createClone = async (options: CloneOptions) => {
    const rig = await createPut('test_symlinks');
    layOut(rig.root, { 'private/run.sh': 'run', 'private/secret': 's', dangling: { link: 'private/none' } });
    for (const [path, mode] of [
      ['private/run.sh', 0o755],
      ['private/secret', 0o600],
      ['private', 0o700],
    ] as const)
      chmodSync(join(rig.root, path), mode);
    await rig.put();
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion({ ...ASSET, version: '1' }, clone, options);
    return { ...rig, clone };
  };

  it.each<CloneOptions>([{ mode: 'symlink' }, { download: false }, { mode: 'hardlink' }, { mode: 'copy' }])(
    'is no new version where nothing has changed: %j',
    async (options) => {
      const { put, clone } = await createClone(options);
      expect(await put(`${clone}/`, { delete: true })).toMatchObject({ changes: [], unchanged: true });
      expect(await put(`${clone}/sub/`, { path: '/sub', delete: true })).toMatchObject({ changes: [] });
      expect(await put(`${clone}/private/secret`, { path: '/private/' })).toMatchObject({ changes: [] });
    },
  );

  it('has the permissions of files and folders that were not given others, and those that were', async () => {
    const { put, clone, client } = await createClone({ mode: 'symlink' });
    await client.stageFiles([join(clone, 'private')]);
    writeFileSync(join(clone, 'private/secret'), 'changed');
    expect(signs((await put(`${clone}/`, { delete: true })).changes)).toEqual(['* private/secret']);
    chmodSync(join(clone, 'private/secret'), 0o640);
    chmodSync(join(clone, 'private/run.sh'), 0o644);
    await put(`${clone}/`, { delete: true });
    const { entries } = await client.readTree(ASSET);
    const modes = entries.flatMap(({ path, ...one }) =>
      path.startsWith('private') && 'mode' in one ? [[path, one.mode]] : [],
    );
    expect(modes).toEqual([
      ['private', 0o700],
      ['private/run.sh', 0o644],
      ['private/secret', 0o640],
    ]);
  });

  it('has symlinks lead to nothing where somebody has removed what they led to', async () => {
    const { put, clone, root } = await createClone({ mode: 'symlink' });
    for (const folder of [clone, root]) unlinkSync(join(folder, 'realfile.txt'));
    const led = ['file_link', 'file_link_link', 'sub/parent_dir_file_link.txt'];
    const { changes } = await put(`${clone}/`, { delete: true });
    expect(signs(changes)).toEqual(['* file_link', '* file_link_link', '- realfile.txt', `* ${led[2]}`]);
    expect(await put(undefined, { delete: true })).toMatchObject({ changes: [] });
  });
});

describe('what cannot be put', () => {
  it.skipIf(process.getuid?.() === 0)('is a file that nobody may read: it is named, and the rest waits', async () => {
    const { put, root, client } = await createPut();
    chmodSync(join(root, 'test.md'), 0);
    const { published, changes } = await put();
    expect(published).toBe(false);
    expect(changes.filter(({ sign }) => sign === 'E')).toEqual([
      { sign: 'E', path: 'test.md', type: 'file', why: 'cannot be read' },
    ]);
    expect(await client.listVersions(ASSET)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'is a name that no version has: it is named, and stays in the version',
    async () => {
      const { put, root } = await createPut();
      layOut(root, { '..odd/x': 'x', 'back\\slash': 'x' });
      const { published, changes } = await put();
      expect(published).toBe(false);
      const wrong = changes.filter(({ sign }) => sign === 'E').map(({ path }) => path);
      expect(wrong).toEqual(['..odd', 'back\\slash']);
    },
  );

  it.each([
    ['nothing', 'none'],
    ['a file as a folder', 'testdata/test.md/'],
    ['an empty text', ''],
  ])('is %s', async (_what, location) => {
    const { put, folder, registry } = await createPut();
    const refused = put(location === '' ? '' : `${folder}/${location}`);
    await expect(refused).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(registry.count({ method: 'POST' })).toBe(0);
  });

  it('is a file with --delete, or below what is no folder in the version', async () => {
    const { put, root } = await createPut();
    await put();
    const one = join(root, 'test.md');
    await expect(put(one, { delete: true })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(put(one, { path: '/another.md/x' })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(signs((await put(one, { path: '/subfolder' })).changes)).toEqual(['E subfolder']);
  });

  it('is no symlink that was deleted, also if a record in the folder has it', async () => {
    const { put, get, root, client } = await createPut('test_symlinks');
    await put();
    copyFileSync(await client.saveFile({ ...ASSET, version: '1', path: TREE_RECORD }), join(root, TREE_RECORD));
    unlinkSync(join(root, 'file_link'));
    expect(signs((await put(undefined, { delete: true })).changes)).toEqual(['- file_link', '* file_link_link']);
    expect(await get()).not.toHaveProperty('file_link');
  });

  it('is a file where the record goes; a record itself is made anew', async () => {
    const { put, root, client } = await createPut('test_symlinks');
    writeFileSync(join(root, TREE_RECORD), '{"gypsum-tree":1,"entries":[]}');
    await put();
    expect((await client.readTree(ASSET)).entries).toHaveLength(23);
    writeFileSync(join(root, TREE_RECORD), 'notes of mine');
    await expect(put()).rejects.toMatchObject({ code: 'invalid-tree' });
    truncateSync(join(root, TREE_RECORD), MAX_TREE_RECORD + 1);
    await expect(put()).rejects.toMatchObject({ code: 'invalid-tree', message: expect.stringContaining('larger') });
  });
});
