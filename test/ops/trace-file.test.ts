import { chmod, mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytes } from '../../mocks/index.ts';
import { createRig, md5 } from '../helpers/rig.ts';

const A = { project: 'p', asset: 'a' };
const V1 = { ...A, version: 'v1' };
const V2 = { ...A, version: 'v2' };
const V3 = { ...A, version: 'v3' };
const seed = {
  versions: {
    'p/a/v1': { 'x.txt': 'x', 'y.txt': 'yy', 'old.txt': 'of old' },
    'p/a/v2': { 'y.txt': { link: 'p/a/v1:/y.txt' }, 'x.txt': 'x2' },
    'p/a/v3': { 'sub/y.txt': { link: 'p/a/v2:/y.txt' }, 'x.txt': { link: 'p/a/v2:/x.txt' } },
  },
};
const names = ({ way }: { way: readonly { version: string; path: string; state: string }[] }) =>
  way.map(({ version, path, state }) => `${version}:/${path} ${state}`);

async function createClone(mode: 'symlink' | 'copy' | 'hardlink' = 'symlink') {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V3, clone, { mode });
  const trace = async (path: string) => rig.client.traceFile(join(clone, path));
  return { ...rig, clone, trace };
}

const WAY = ['v3:/sub/y.txt official', 'v2:/y.txt official', 'v1:/y.txt official'];

describe('a file of a version comes', () => {
  it('link by link from the one that holds the bytes, each with its version, date and uploader', async () => {
    const { client, registry } = await createRig(seed);
    const trace = await client.traceFile({ ...V3, path: 'sub/y.txt' });
    expect(trace).toEqual({ state: 'published', size: 2, md5sum: md5('yy'), way: expect.any(Array) });
    expect(names(trace)).toEqual(WAY);
    const { uploadUserId, uploadFinish } = await client.fetchSummary(V1);
    expect(trace.way[2]).toEqual({ ...V1, path: 'y.txt', state: 'official', uploadUserId, uploadFinish });
    registry.resetCalls();
    expect(await client.traceFile({ ...V3, path: 'sub/y.txt' })).toEqual(trace);
    expect(registry.calls).toEqual([]);
  });

  it('from itself if it is no link', async () => {
    const { client } = await createRig(seed);
    expect(names(await client.traceFile({ ...V1, path: 'x.txt' }))).toEqual(['v1:/x.txt official']);
  });

  it('from the ancestor that the link names where a version between them is gone, which is said', async () => {
    const { client, connect, folder } = await createRig(seed);
    await client.removeVersion(V2);
    expect(names(await client.traceFile({ ...V3, path: 'sub/y.txt' }))).toEqual([
      'v3:/sub/y.txt official',
      'v2:/y.txt gone',
      'v1:/y.txt official',
    ]);
    expect(names(await client.traceFile({ ...V3, path: 'x.txt' }))).toEqual(['v3:/x.txt official', 'v2:/x.txt gone']);
    await client.removeVersion(V1);
    const another = connect({ cacheDir: join(folder, 'another') });
    expect(names(await another.traceFile({ ...V3, path: 'sub/y.txt' })).slice(1)).toEqual([
      'v2:/y.txt gone',
      'v1:/y.txt gone',
    ]);
  });

  it('from nowhere if its links go round in a circle, or lead to something else, which is said', async () => {
    const { client, registry } = await createRig(seed);
    const manifest = (md5sum: string, version: string) =>
      JSON.stringify({ 'y.txt': { size: 2, md5sum, link: { ...A, version, path: 'y.txt' } } });
    registry.inject(bytes(manifest(md5('yy'), 'v1')), { key: 'p/a/v2/..manifest' });
    registry.inject(bytes(manifest(md5('yy'), 'v2')), { key: 'p/a/v1/..manifest', times: 1 });
    await expect(client.traceFile({ ...V3, path: 'sub/y.txt' })).rejects.toMatchObject({
      code: 'invalid-manifest',
      message: expect.stringMatching(/v3:\/sub\/y\.txt come to no end/),
    });
    const other = await createRig(seed);
    other.registry.inject(bytes(manifest(md5('zz'), 'v1')), { key: 'p/a/v2/..manifest' });
    expect(names(await other.client.traceFile({ ...V3, path: 'sub/y.txt' }))[1]).toBe('v2:/y.txt other');
  });

  it('from no version that does not have it', async () => {
    const { client } = await createRig(seed);
    await expect(client.traceFile({ ...V3, path: 'y.txt' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(client.traceFile({ ...V3, path: '../y.txt' })).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('a file of a clone is', () => {
  it('linked, also if it dangles, was moved, or is reached through a link to a folder', async () => {
    const { client, clone, trace, folder, cacheDir } = await createClone();
    expect(await trace('sub/y.txt')).toMatchObject({ state: 'linked', size: 2, source: join(clone, 'sub/y.txt') });
    await rename(join(clone, 'sub/y.txt'), join(clone, 'moved.txt'));
    await symlink('clone', join(folder, 'way'));
    expect(names(await client.traceFile(join(folder, 'way/moved.txt')))).toEqual(WAY);
    await symlink(join(cacheDir, 'bucket/p/a/v3/sub'), join(clone, 'all'));
    expect(names(await trace('all/y.txt'))).toEqual(WAY);
    await rm(await readlink(join(clone, 'moved.txt')));
    expect(await trace('moved.txt')).toMatchObject({ state: 'linked', size: 2 });
    expect(names(await trace('all/y.txt'))).toEqual(WAY);
  });

  it('a copy of the one at its path', async () => {
    const { clone, trace } = await createClone();
    await rm(join(clone, 'sub/y.txt'));
    await writeFile(join(clone, 'sub/y.txt'), 'yy');
    const copy = await trace('sub/y.txt');
    expect(copy).toMatchObject({ state: 'copy', size: 2, md5sum: md5('yy') });
    expect(names(copy)).toEqual(WAY);
  });

  it.each(['copy', 'hardlink'] as const)('a copy in a clone of mode %s', async (mode) => {
    const { trace } = await createClone(mode);
    expect(names(await trace('sub/y.txt'))).toEqual(WAY);
  });

  it('known by content: of another path, or of another version of the project that the cache knows', async () => {
    const { client, clone, trace } = await createClone();
    await rm(join(clone, 'x.txt'));
    await writeFile(join(clone, 'x.txt'), 'of old');
    expect(await trace('x.txt')).toMatchObject({ state: 'modified' });
    await client.fetchManifest(V1);
    expect(await trace('x.txt')).toMatchObject({ state: 'known' });
    expect(names(await trace('x.txt'))).toEqual(['v1:/old.txt official']);
    await writeFile(join(clone, 'again.txt'), 'yy');
    expect(await trace('again.txt')).toMatchObject({ state: 'known' });
    expect(names(await trace('again.txt'))).toEqual(WAY);
  });

  it('modified, and what it was is said; or new', async () => {
    const { clone, trace } = await createClone();
    await rm(join(clone, 'x.txt'));
    await writeFile(join(clone, 'x.txt'), 'edited');
    const modified = await trace('x.txt');
    expect(modified).toMatchObject({ state: 'modified', size: 6, md5sum: md5('edited') });
    expect(names(modified)).toEqual(['v3:/x.txt official', 'v2:/x.txt official']);
    await mkdir(join(clone, 'new'));
    await writeFile(join(clone, 'new/file'), 'new');
    expect(await trace('new/file')).toEqual({
      source: join(clone, 'new/file'),
      state: 'added',
      size: 3,
      md5sum: md5('new'),
      way: [],
    });
    await symlink('new/file', join(clone, 'to-new'));
    expect(await trace('to-new')).toMatchObject({ state: 'added', md5sum: md5('new') });
  });

  it('edited, where somebody wrote through its link', async () => {
    const { clone, trace } = await createClone();
    const cached = await readlink(join(clone, 'sub/y.txt'));
    await chmod(cached, 0o644);
    await writeFile(cached, 'zz');
    expect(await trace('sub/y.txt')).toMatchObject({ state: 'edited', size: 2, md5sum: md5('yy') });
  });
});

describe('nothing is told of', () => {
  it.each<[string, string, RegExp]>([
    ['a folder', 'clone/sub', /is no file/],
    ['what is not there', 'clone/nothing', /is not there/],
    ['what lies below a file', 'mine/n.txt/y', /is not there/],
    ['a symlink to nothing', 'clone/broken', /symlink to nothing/],
    ['a symlink to a folder', 'clone/folder', /is no file/],
    ['a link into the cache to what no version has', 'clone/odd', /no file of a version/],
    ['a link to a folder of the cache', 'clone/all', /is no file/],
    ['a file in no clone', 'mine/n.txt', /no clone/],
    ['an empty path', '', /no path/],
  ])('%s', async (_what, path, message) => {
    const { client, clone, cacheDir, folder, makeFolder } = await createClone();
    await makeFolder('mine', { 'n.txt': 'n' });
    await symlink('nowhere', join(clone, 'broken'));
    await symlink('sub', join(clone, 'folder'));
    await symlink(join(cacheDir, 'bucket/p/a/v3/nope'), join(clone, 'odd'));
    await symlink(join(cacheDir, 'bucket/p/a/v3/sub'), join(clone, 'all'));
    await expect(client.traceFile(path === '' ? '' : join(folder, path))).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });
});
