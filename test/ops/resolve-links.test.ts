import { copyFile, lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytes, status } from '../../mocks/index.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const Q = { project: 'q', asset: 'b', version: 'v1' };
const seed = {
  versions: {
    'p/a/v1': { 'a.txt': 'content of a', 'b.txt': 'content of b' },
    'p/a/v2': { 'a.txt': { link: 'p/a/v1:/a.txt' }, 'again.txt': { link: 'p/a/v1:/a.txt' }, 'new.txt': 'new' },
    'q/b/v1': { 'x.txt': { link: 'p/a/v2:/again.txt' } },
  },
};

const at = ({ cacheDir }: Rig, path: string) => join(cacheDir, 'bucket', path);
const inode = async (rig: Rig, path: string) => (await lstat(at(rig, path))).ino;

/** Puts a file where another client would. */
async function leave(rig: Rig, path: string, content: string): Promise<void> {
  await mkdir(dirname(at(rig, path)), { recursive: true });
  await writeFile(at(rig, path), content);
}

describe('resolveLinks', () => {
  it('makes linked files the same as the file that they are links to, which is fetched if need be', async () => {
    const rig = await createRig(seed);
    const result = await rig.client.resolveLinks(V2);
    expect(result).toMatchObject({ ...V2, files: 2, bytes: 24, fetched: { contents: 1, bytes: 12 } });
    const same = await inode(rig, 'p/a/v1/a.txt');
    expect(await inode(rig, 'p/a/v2/a.txt')).toBe(same);
    expect(await inode(rig, 'p/a/v2/again.txt')).toBe(same);
    expect(await readFile(at(rig, 'p/a/v1/a.txt'), 'utf8')).toBe('content of a');
    // Neither what is no link nor what nobody asked for.
    await expect(lstat(at(rig, 'p/a/v2/new.txt'))).rejects.toThrow('ENOENT');
    await expect(lstat(at(rig, 'p/a/v1/b.txt'))).rejects.toThrow('ENOENT');
    await expect(lstat(join(rig.cacheDir, 'status'))).rejects.toThrow('ENOENT');
  });

  it('goes to the ancestor of a link to a link, also in another project', async () => {
    const rig = await createRig(seed);
    await rig.client.resolveLinks(Q);
    expect(await inode(rig, 'q/b/v1/x.txt')).toBe(await inode(rig, 'p/a/v1/a.txt'));
  });

  it('makes one inode of the copies that other clients left, and fetches nothing', async () => {
    const rig = await createRig(seed);
    await leave(rig, 'p/a/v1/a.txt', 'content of a');
    await leave(rig, 'p/a/v2/a.txt', 'content of a');
    await copyFile(at(rig, 'p/a/v2/a.txt'), at(rig, 'p/a/v2/again.txt'));
    const result = await rig.client.resolveLinks(V2, rig.watch);
    expect(result).toMatchObject({ fetched: { contents: 0 }, adopted: { contents: 1, bytes: 12 } });
    expect(rig.registry.count({ key: /txt$/ })).toBe(0);
    const same = await inode(rig, 'p/a/v1/a.txt');
    expect([await inode(rig, 'p/a/v2/a.txt'), await inode(rig, 'p/a/v2/again.txt')]).toEqual([same, same]);
    expect(rig.events.filter(({ type }) => type === 'damaged')).toEqual([]);
    await rig.client.saveVersion(V2);
    expect(await inode(rig, 'p/a/v2/a.txt')).toBe(same);
  });

  it('believes no copy: what is wrong is moved aside and fetched', async () => {
    const rig = await createRig(seed);
    await leave(rig, 'p/a/v2/a.txt', 'CONTENT OF A');
    await rig.client.resolveLinks(V2, rig.watch);
    expect(await readFile(at(rig, 'p/a/v2/a.txt'), 'utf8')).toBe('content of a');
    expect(rig.events.filter(({ type }) => type === 'damaged')).toHaveLength(1);
  });

  it('touches no file of another version on a manifest’s word alone', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    const before = await inode(rig, 'p/a/v1/b.txt');
    // It says that b.txt of v1 has the content of a.txt, which the cache has.
    const key = 'p/a/v2/..manifest';
    const url = `${rig.registry.url}/file/${encodeURIComponent(key)}`;
    const manifest = (await (await fetch(url)).text()).replaceAll('"path":"a.txt"', '"path":"b.txt"');
    rig.registry.inject(bytes(manifest), { key });
    await rig.client.resolveLinks(V2, rig.watch);
    expect(await inode(rig, 'p/a/v1/b.txt')).toBe(before);
    expect(await readFile(at(rig, 'p/a/v1/b.txt'), 'utf8')).toBe('content of b');
    expect(rig.events.filter(({ type }) => type === 'damaged')).toEqual([]);
  });

  it('does what it can where the version of the ancestor is gone, and says what it cannot', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V2);
    rig.registry.inject(status(404), { key: /^p\/a\/v1\// });
    expect(await rig.client.resolveLinks(V2)).toMatchObject({ files: 2, fetched: { contents: 0 } });
    const other = rig.connect({ cacheDir: join(rig.folder, 'other') });
    await expect(other.resolveLinks(V2)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('saveVersion', () => {
  it('leaves linked files out with "relink: false", for resolveLinks to bring them', async () => {
    const rig = await createRig(seed);
    expect(await rig.client.saveVersion(V2, { relink: false })).toMatchObject({ files: 1, bytes: 3 });
    await expect(lstat(at(rig, 'p/a/v2/a.txt'))).rejects.toThrow('ENOENT');
    await expect(lstat(join(rig.cacheDir, 'status'))).rejects.toThrow('ENOENT');
    await rig.client.resolveLinks(V2);
    rig.registry.resetCalls();
    expect(await rig.client.saveVersion(V2)).toMatchObject({ files: 3, fetched: { contents: 0 } });
    expect(rig.registry.calls).toEqual([]);
    expect((await lstat(join(rig.cacheDir, 'status/p/a/v2/COMPLETE'))).isFile()).toBe(true);
  });
});
