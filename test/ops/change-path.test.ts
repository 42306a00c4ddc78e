import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { AddOptions, AddSource } from '../../src/index.ts';
import { readFixture, shapeOf, versionFiles } from '../helpers/fixture-tree.ts';
import { createRig } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

const ASSET = { project: 'p', asset: 'a' };
const seed = {
  versions: {
    'p/a/1': versionFiles(readFixture('testdata')),
    'p/links/1': versionFiles(readFixture('test_symlinks')),
    'p/plain/1': { 'd/x': 'x', y: 'y' },
  },
};

async function createChange(asset = 'a') {
  const rig = await createRig(seed);
  const ref = { ...ASSET, asset };
  const file = join(rig.folder, 'test.md');
  writeFileSync(file, 'hello tests!');
  const add = (source: AddSource, options: AddOptions = {}) => rig.client.addFile(ref, source, options);
  const remove = (path: string, options = {}) => rig.client.removePath(ref, path, options);
  const get = async () => {
    const { destination } = await rig.client.getTree(ref, join(rig.folder, `copy-${Math.random()}`));
    return treeShape(destination);
  };
  return { ...rig, ref, file, add, remove, get };
}

describe('a file that is added', () => {
  it.each([
    ['/new_test.md', 'new_test.md'],
    ['/sub/', 'sub/test.md'],
    ['/subfolder/x', 'subfolder/x'],
  ])('to %s is the one change of the next version', async (path, at) => {
    const { add, file, get } = await createChange();
    const done = await add({ file }, { path });
    expect(done).toMatchObject({ ...ASSET, version: '2', published: true, changes: [{ sign: '+', path: at }] });
    expect(await get()).toMatchObject({ ...shapeOf(readFixture('testdata')), [at]: 'hello tests!' });
  });

  it('is only foreseen in a dry run, the same each time', async () => {
    const { add, file, client } = await createChange();
    const first = await add({ file }, { path: '/n', dryRun: true });
    expect(first).toMatchObject({ version: '2', published: false, linked: { files: 9 } });
    expect(await add({ file }, { path: '/n', dryRun: true })).toEqual(first);
    expect(await client.listVersions(ASSET)).toEqual(['1']);
  });

  it('may be text, bytes or a stream, under a name', async () => {
    const { add, get, client, cacheDir } = await createChange();
    await add({ content: 'text' }, { path: '/t' });
    await add({ content: new Uint8Array([98]) }, { path: '/b' });
    await add({ stream: Readable.from([Buffer.from('a '), Buffer.from('stream')]) }, { path: '/s' });
    expect(await get()).toMatchObject({ t: 'text', b: 'b', s: 'a stream' });
    await expect(add({ content: 'x' })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(add({ content: 'x' }, { path: '/d/' })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(Object.keys(treeShape(join(cacheDir, '.gypsum-client/1/incoming')))).toEqual([]);
    expect(await client.listVersions(ASSET)).toHaveLength(4);
  });

  it('may be one of a version, which is linked to: where symlinks lead', async () => {
    const { add, get } = await createChange();
    const ref = { project: 'p', asset: 'links' };
    const done = await add({ ref, path: '/dir_link_link/parent_dir/file_link_link' }, { path: '/real' });
    expect(done).toMatchObject({ sent: { files: 0 }, linked: { files: 9 } });
    await add({ ref: { ...ref, version: '1' }, path: '/file_link' });
    expect(await get()).toMatchObject({ real: 'This is a real file.\n', file_link: 'This is a real file.\n' });
    await expect(add({ ref, path: '/sub' })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(add({ ref, path: '/broken_rel_link.txt' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('may be a symlink, or what it leads to', async () => {
    const { add, get, folder } = await createChange();
    symlinkSync('test.md', join(folder, 'link'));
    await add({ file: join(folder, 'link') });
    await add({ file: join(folder, 'link') }, { path: '/followed', followLinks: true });
    expect(await get()).toMatchObject({ link: '-> test.md', followed: 'hello tests!' });
  });

  it('is refused where something is, with the same or other content, unless it may be replaced', async () => {
    const { add, file, folder, client, get } = await createChange();
    const other = join(folder, 'other');
    writeFileSync(other, 'other');
    const refused = (how: string) => ({ code: 'destination-refused', message: expect.stringContaining(how) });
    await expect(add({ file })).rejects.toMatchObject(refused('with the same content'));
    await expect(add({ file: other }, { path: '/test.md' })).rejects.toMatchObject(refused('with different content'));
    await expect(add({ file }, { path: '/subfolder', force: true })).rejects.toMatchObject(refused('as a folder'));
    expect(await client.listVersions(ASSET)).toEqual(['1']);
    expect(await add({ file }, { force: true })).toMatchObject({ version: '1', published: false, unchanged: true });
    const done = await add({ file: other }, { path: '/test.md', force: true });
    expect(done).toMatchObject({ version: '2', changes: [{ sign: '*', path: 'test.md' }] });
    expect(await get()).toMatchObject({ 'test.md': 'other' });
  });

  it('replaces a symlink itself, and goes through none', async () => {
    const { add, file, get } = await createChange('links');
    await expect(add({ file }, { path: '/file_link' })).rejects.toMatchObject({ code: 'destination-refused' });
    await expect(add({ file }, { path: '/dir_link/new' })).rejects.toMatchObject({ code: 'invalid-argument' });
    await add({ file }, { path: '/file_link', force: true });
    expect(await get()).toMatchObject({ file_link: 'hello tests!', 'realfile.txt': 'This is a real file.\n' });
  });

  it('is the first version of an asset that has none', async () => {
    const { add, file } = await createChange('new');
    expect(await add({ file })).toMatchObject({ asset: 'new', version: '1', published: true });
  });

  it.each([
    ['a folder', '.'],
    ['nothing', 'none'],
  ])('is not %s', async (_what, name) => {
    const { add, folder, client } = await createChange();
    await expect(add({ file: join(folder, name) })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await client.listVersions(ASSET)).toEqual(['1']);
  });
});

describe('what is removed', () => {
  it('is a file, and the next version is without it', async () => {
    const { remove, get } = await createChange();
    const done = await remove('/test.md');
    expect(done).toMatchObject({ version: '2', files: 7, changes: [{ sign: '-', path: 'test.md' }] });
    expect(Object.keys(await get())).toHaveLength(10);
  });

  it('is a folder with all that is in it, if that was said', async () => {
    const { remove, get } = await createChange();
    await expect(remove('subfolder')).rejects.toMatchObject({ code: 'invalid-argument' });
    const done = await remove('subfolder/', { recursive: true });
    expect(done.changes.map(({ path }) => path)).toEqual(['subfolder', 'subfolder/sub2.md', 'subfolder/subexists.md']);
    expect(Object.keys(await get())).toHaveLength(8);
  });

  it('is a symlink itself, and nothing behind one', async () => {
    const { remove, get } = await createChange('links');
    await remove('dir_link', { recursive: true });
    await expect(remove('dir_link_deep/a_file.txt')).rejects.toMatchObject({ code: 'not-found' });
    const { dir_link: _, ...left } = shapeOf(readFixture('test_symlinks'));
    expect(await get()).toEqual(left);
  });

  it('leaves an empty folder where the version has a record, which then goes without more ado', async () => {
    const { remove, get } = await createChange();
    await remove('emptyfolder/.gitkeep');
    expect(await get()).toMatchObject({ emptyfolder: '/' });
    await remove('emptyfolder');
    expect(Object.keys(await get())).not.toContain('emptyfolder');
  });

  it('leaves no folder, and makes no record, where the version has none', async () => {
    const { remove, client, ref } = await createChange('plain');
    await remove('d/x');
    expect(Object.keys(await client.fetchManifest({ ...ref, version: '2' }))).toEqual(['y']);
  });

  it('is foreseen in a dry run, and is refused where it is not there', async () => {
    const { remove, client } = await createChange();
    expect(await remove('test.md', { dryRun: true })).toMatchObject({ version: '2', published: false });
    for (const options of [{}, { recursive: true }]) {
      await expect(remove('none', options)).rejects.toMatchObject({ code: 'not-found' });
    }
    await expect(remove('/')).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(client.removePath({ project: 'p', asset: 'none' }, 'x')).rejects.toMatchObject({ code: 'not-found' });
    expect(await client.listVersions(ASSET)).toEqual(['1']);
  });
});
