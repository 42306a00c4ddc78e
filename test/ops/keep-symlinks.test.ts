import { chmodSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLayout } from '../../src/cache/layout.ts';
import { formatTreeRecord, TREE_RECORD } from '../../src/model/tree-record.ts';
import { layOut } from '../helpers/files.ts';
import { createRig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const seed = { versions: { 'p/a/v1': { a: 'content of a', 'sub/c': 'c' } } };
const EMPTY = formatTreeRecord({ entries: [] });

/** A folder with a tree record, and what else is given. */
async function createFolder(items: Parameters<typeof layOut>[1], record = EMPTY) {
  const rig = await createRig(seed);
  const folder = await rig.makeFolder('mine', { [TREE_RECORD]: record });
  layOut(folder, items);
  return { ...rig, folder };
}

const named = (entries: readonly { readonly path: string }[]) => entries.map(({ path }) => path);

describe('a folder with a tree record', () => {
  it('keeps its symlinks and folders, and how its files are, and makes the record anew', async () => {
    const { client, folder } = await createFolder({
      'run.sh': 'run',
      'empty/deep': 'folder/',
      'sub/up': { link: '..' },
      'sub/run': { link: '../run.sh' },
      broken: { link: 'nothing' },
      loop: { link: 'loop' },
      absolute: { link: '/nowhere/at all' },
      out: { link: '../mine/run.sh' },
    });
    chmodSync(join(folder, 'run.sh'), 0o755);
    utimesSync(join(folder, 'run.sh'), 1, 1.5);
    const { files, links, record } = await client.prepareDirectoryUpload(folder);
    expect(files).toEqual([{ path: 'run.sh', size: 3 }]);
    expect(links).toEqual([]);
    const mtime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    const folders = { type: 'directory', mode: expect.any(Number), mtime };
    const symlink = { type: 'symlink', mtime };
    expect(record?.entries).toEqual([
      { ...symlink, path: 'absolute', target: '/nowhere/at all', targetType: 'unknown' },
      { ...symlink, path: 'broken', target: 'nothing', targetType: 'unknown' },
      { ...folders, path: 'empty' },
      { ...folders, path: 'empty/deep' },
      { ...symlink, path: 'loop', target: 'loop', targetType: 'unknown' },
      { ...symlink, path: 'out', target: '../mine/run.sh', targetType: 'file' },
      { type: 'file', path: 'run.sh', mode: 0o755, mtime: '1970-01-01T00:00:01.500000000Z' },
      { ...folders, path: 'sub' },
      { ...symlink, path: 'sub/run', target: '../run.sh', targetType: 'file' },
      { ...symlink, path: 'sub/up', target: '..', targetType: 'dir' },
    ]);
  });

  it('has links into the cache as files, and its own symlinks to those as symlinks', async () => {
    const { client, folder, cacheDir } = await createFolder({ own: { link: 'a' }, over: { link: 'here/c' } });
    await client.saveVersion(V1);
    symlinkSync(join(cacheDir, 'bucket/p/a/v1/a'), join(folder, 'a'));
    symlinkSync(join(cacheDir, 'bucket/p/a/v1/sub'), join(folder, 'here'));
    const { files, links, record } = await client.prepareDirectoryUpload(folder);
    expect(files).toEqual([]);
    expect(links).toMatchObject([
      { path: 'a', link: { ...V1, path: 'a' } },
      { path: 'here/c', link: { ...V1, path: 'sub/c' } },
    ]);
    expect(record?.entries).toMatchObject(
      [
        { path: 'over', target: 'here/c', targetType: 'file' },
        { path: 'own', target: 'a', targetType: 'file' },
      ].sort((a, b) => (a.path < b.path ? -1 : 1)),
    );
  });

  it('has files that stand in its own symlinks’ places where they are followed, as without a record', async () => {
    const { client, folder } = await createFolder({ a: 'text', l: { link: 'a' }, empty: 'folder/' });
    const followed = await client.prepareDirectoryUpload(folder, { symlinks: 'follow' });
    expect(followed).toEqual({
      directory: folder,
      files: [
        { path: 'a', size: 4 },
        { path: 'l', size: 4 },
      ],
      links: [],
    });

    symlinkSync('nothing', join(folder, 'broken'));
    const refused = client.prepareDirectoryUpload(folder, { symlinks: 'follow' });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid-tree',
      message: expect.stringContaining('broken is a symlink to nothing'),
    });
  });

  it('can refuse symlinks that lead out of it, or all', async () => {
    const { client, folder } = await createFolder({ a: 'text', l: { link: 'a' }, later: { link: 'not/yet' } });
    expect((await client.prepareDirectoryUpload(folder, { symlinks: 'safe' })).record?.entries).toHaveLength(3);
    layOut(folder, { out: { link: '../x' }, absolute: { link: join(folder, 'a') } });
    const faultsOf = async (symlinks: 'safe' | 'refuse') => {
      const error = await client.prepareDirectoryUpload(folder, { symlinks }).catch((error: unknown) => error);
      expect(error).toMatchObject({ code: 'invalid-tree' });
      return (error as { details: { faults: string[] } }).details.faults;
    };
    const out = 'is a symlink that leads out of the folder';
    expect(await faultsOf('safe')).toEqual([`absolute ${out}`, `out ${out}`]);
    const none = 'is a symlink, and none is wanted';
    expect(await faultsOf('refuse')).toEqual(['absolute', 'l', 'later', 'out'].map((path) => `${path} ${none}`));
  });

  it('refuses names of symlinks and folders that no version holds, once each', async () => {
    const { client, folder } = await createFolder({ '..odd': 'folder/', 'a\\b': { link: 'x' }, '..deep/x': 'x' });
    const error = await client.prepareDirectoryUpload(folder).catch((error: unknown) => error);
    const { faults } = (error as { details: { faults: string[] } }).details;
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['..deep/x', '..odd', 'a\\b']);
  });

  it('is refused where the record is none', async () => {
    const { client, folder } = await createFolder({ a: 'text' }, '{"mine":1}');
    const refused = { code: 'invalid-tree', message: expect.stringContaining(TREE_RECORD) };
    await expect(client.prepareDirectoryUpload(folder)).rejects.toMatchObject(refused);
    await expect(client.prepareDirectoryUpload(folder, { symlinks: 'follow' })).rejects.toMatchObject(refused);
  });

  it('leaves out what is ignored, symlinks and folders too', async () => {
    const { client, folder } = await createFolder({
      a: 'text',
      l: { link: 'a' },
      'gone/deep': 'folder/',
      '.gypsumignore': 'l\ngone/\n',
    });
    const { record, ignored } = await client.prepareDirectoryUpload(folder);
    expect(named(record?.entries ?? [])).toEqual(['a']);
    expect(ignored).toBe(2);
  });
});

describe('a folder in a clone of a version with a tree record', () => {
  it.each(['symlink', 'copy'] as const)(
    'keeps symlinks, also those into the rest of the clone, and modes: mode %s',
    async (mode) => {
      const { client, folder } = await createRig({ projects: { p: {} } });
      const mine = join(folder, 'mine');
      layOut(mine, {
        file: 'f',
        'sub/secret': 's',
        'sub/in': { link: 'secret' },
        'sub/out': { link: '../file' },
        'sub/up': { link: '..' },
      });
      chmodSync(join(mine, 'sub/secret'), 0o600);
      await client.putTree({ project: 'p', asset: 'a' }, `${mine}/`);
      const clone = join(folder, 'clone');
      await client.cloneVersion({ ...V1, version: '1' }, clone, { mode });
      const { files, links, record } = await client.prepareDirectoryUpload(join(clone, 'sub'));
      expect(named([...files, ...links])).toEqual(['secret']);
      expect(record?.entries).toEqual([
        expect.objectContaining({ path: 'in', target: 'secret', targetType: 'file' }),
        expect.objectContaining({ path: 'out', target: '../file', targetType: 'file' }),
        expect.objectContaining({ path: 'secret', mode: 0o600 }),
        expect.objectContaining({ path: 'up', target: '..', targetType: 'dir' }),
      ]);
    },
  );
});

describe('a folder without a tree record', () => {
  it('has what its symlinks lead to, and no folders, unless they are to be kept', async () => {
    const { client, makeFolder } = await createRig(seed);
    const folder = await makeFolder('mine', { a: 'text' });
    layOut(folder, { l: { link: 'a' }, empty: 'folder/' });
    const followed = await client.prepareDirectoryUpload(folder);
    expect(named(followed.files)).toEqual(['a', 'l']);
    expect(followed).not.toHaveProperty('record');
    const kept = await client.prepareDirectoryUpload(folder, { symlinks: 'keep' });
    expect(named(kept.files)).toEqual(['a']);
    expect(named(kept.record?.entries ?? [])).toEqual(['a', 'empty', 'l']);
  });

  it('needs none where nothing says more than times', async () => {
    const { client, makeFolder } = await createRig(seed);
    const folder = await makeFolder('mine', { a: 'text', 'sub/b': 'b' });
    for (const path of ['a', 'sub/b']) chmodSync(join(folder, path), 0o644);
    chmodSync(join(folder, 'sub'), 0o755);
    expect(await client.prepareDirectoryUpload(folder, { symlinks: 'keep' })).not.toHaveProperty('record');
    chmodSync(join(folder, 'a'), 0o600);
    expect(await client.prepareDirectoryUpload(folder, { symlinks: 'keep' })).toHaveProperty('record');
  });

  it('is refused with a rule for symlinks that is none', async () => {
    const { client, makeFolder } = await createRig(seed);
    const wrong = { symlinks: 'copy' as 'keep' };
    const refused = client.prepareDirectoryUpload(await makeFolder('mine', { a: 'a' }), wrong);
    await expect(refused).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

it('a clone keeps its symlinks also where what we remember of its version is damaged', async () => {
  const ref = { ...V1, version: 'v3' };
  const rig = await createRig({ versions: { 'p/a/v3': { a: 'content of a', [TREE_RECORD]: EMPTY } } });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(ref, clone);
  symlinkSync('a', join(clone, 'l'));
  const kept = async () => (await rig.client.prepareDirectoryUpload(clone)).record?.entries.map(({ path }) => path);
  expect(await kept()).toContain('l');
  writeFileSync(createLayout(rig.cacheDir).record(ref, 'manifest'), '{"half');
  expect(await kept()).toContain('l');
});
