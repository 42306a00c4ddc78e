import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatTreeRecord, type RecordEntry } from '../../src/model/tree-record.ts';
import { createRig } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const V3 = { ...V1, version: 'v3' };

const record = (...entries: RecordEntry[]) => ({ '.gypsum-tree.json': formatTreeRecord({ entries }) });
const link = (path: string, target: string): RecordEntry => ({ type: 'symlink', path, target, targetType: 'file' });
const folder = (path: string): RecordEntry => ({ type: 'directory', path });

const seed = {
  versions: {
    'p/a/v1': {
      'a.txt': 'a',
      'sub/b.txt': 'b',
      'was-folder/x': 'x',
      ...record(
        link('same', 'a.txt'),
        link('moves', 'a.txt'),
        link('goes', '/nowhere'),
        link('becomes-file', 'a.txt'),
        link('becomes-folder', 'sub'),
        link('becomes-empty', '..'),
        folder('empty'),
        folder('empty-goes'),
        folder('sub/empty-becomes-link'),
      ),
    },
    'p/a/v2': {
      'a.txt': 'a',
      'sub/b.txt': 'b2',
      'becomes-file': 'a',
      'becomes-folder/c': 'c',
      ...record(
        link('same', 'a.txt'),
        link('moves', 'sub/b.txt'),
        link('was-folder', 'sub'),
        link('new', 'new'),
        folder('becomes-empty'),
        folder('empty'),
        folder('new-empty/deep'),
        link('sub/empty-becomes-link', '/etc'),
      ),
    },
    'p/a/v3': { 'a.txt': 'a' },
  },
};

/** What stands in a clone, links into the cache as the files that they lead to. */
const shape = (clone: string, cacheDir: string) => {
  const bucket = `-> ${join(cacheDir, 'bucket')}`;
  return Object.fromEntries(
    Object.entries(treeShape(clone)).map(([path, is]) => [
      path,
      is.startsWith(bucket) ? readFileSync(is.slice(3), 'utf8') : is,
    ]),
  );
};

const SHAPE_1 = {
  'a.txt': 'a',
  sub: '/',
  'sub/b.txt': 'b',
  'was-folder': '/',
  'was-folder/x': 'x',
  same: '-> a.txt',
  moves: '-> a.txt',
  goes: '-> /nowhere',
  'becomes-file': '-> a.txt',
  'becomes-folder': '-> sub',
  'becomes-empty': '-> ..',
  empty: '/',
  'empty-goes': '/',
  'sub/empty-becomes-link': '/',
};
const SHAPE_2 = {
  'a.txt': 'a',
  sub: '/',
  'sub/b.txt': 'b2',
  'becomes-file': 'a',
  'becomes-folder': '/',
  'becomes-folder/c': 'c',
  same: '-> a.txt',
  moves: '-> sub/b.txt',
  'was-folder': '-> sub',
  new: '-> new',
  'becomes-empty': '/',
  empty: '/',
  'new-empty': '/',
  'new-empty/deep': '/',
  'sub/empty-becomes-link': '-> /etc',
};
const SHAPES = [SHAPE_1, SHAPE_2, { 'a.txt': 'a' }];

async function createClone(mode: 'symlink' | 'copy' | 'hardlink' = 'symlink') {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V1, clone, { mode });
  return { ...rig, clone, at: (path: string) => join(clone, path), shape: () => shape(clone, rig.cacheDir) };
}

describe('a checkout', () => {
  it.each(['symlink', 'copy', 'hardlink'] as const)(
    'of a clone of mode %s takes symlinks and empty folders along, there and back',
    async (mode) => {
      const { client, clone, ...rig } = await createClone(mode);
      expect(rig.shape()).toEqual(SHAPE_1);
      const way = [V2, V1, V3, V2, V3, V1];
      for (const ref of way) {
        const { left } = await client.checkoutVersion(ref, clone);
        expect(left).toEqual([]);
        expect(rig.shape()).toEqual(SHAPES[Number(ref.version.slice(1)) - 1]);
      }
      expect((await client.planCheckout(V1, clone)).steps).toEqual([]);
    },
  );

  it('keeps what somebody has made of symlinks and folders, and says where the versions differ', async () => {
    const { client, clone, at, ...rig } = await createClone();
    for (const path of ['same', 'moves', 'goes', 'becomes-file']) rmSync(at(path));
    symlinkSync('mine', at('same'));
    symlinkSync('mine', at('moves'));
    writeFileSync(at('goes'), 'mine');
    rmdirSync(at('empty'));
    writeFileSync(at('empty-goes/mine'), 'mine');
    const { left } = await client.checkoutVersion(V2, clone);
    expect(left).toEqual([
      { path: 'becomes-file', state: 'deleted', conflict: true },
      { path: 'empty', state: 'deleted' },
      { path: 'goes', state: 'modified', conflict: true },
      { path: 'moves', state: 'retargeted', conflict: true },
      { path: 'same', state: 'retargeted' },
    ]);
    const { 'becomes-file': _, empty: __, ...rest } = SHAPE_2;
    expect(rig.shape()).toEqual({
      ...rest,
      goes: 'mine',
      moves: '-> mine',
      same: '-> mine',
      'empty-goes': '/',
      'empty-goes/mine': 'mine',
    });
  });

  it('writes through no symlink that stands where the version has a folder', async () => {
    const { client, clone, at, makeFolder } = await createClone();
    const outside = await makeFolder('outside', {});
    rmSync(at('becomes-folder'));
    symlinkSync(outside, at('becomes-folder'));
    symlinkSync(outside, at('new-empty'));
    const { left } = await client.checkoutVersion(V2, clone);
    expect(left).toContainEqual({ path: 'becomes-folder/c', state: 'blocked', conflict: true });
    expect(left).toContainEqual({ path: 'new-empty/deep', state: 'blocked', conflict: true });
    expect(readdirSync(outside)).toEqual([]);
  });

  it('takes no plan that would make another symlink than the version has', async () => {
    const { client, clone, ...rig } = await createClone();
    const plan = JSON.parse(JSON.stringify(await client.planCheckout(V2, clone)));
    const forged = JSON.parse(JSON.stringify(plan).replaceAll('"target":"/etc"', '"target":"/root"'));
    await expect(client.applyChangePlan(forged)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(rig.shape()).toEqual(SHAPE_1);
    await client.applyChangePlan(plan);
    expect(rig.shape()).toEqual(SHAPE_2);
  });
});

describe('restoring', () => {
  it('brings back symlinks and empty folders that were deleted, if forced as for files', async () => {
    const { client, clone, at, ...rig } = await createClone();
    for (const path of ['same', 'goes', 'empty', 'sub']) rmSync(at(path), { recursive: true });
    const paths = ['empty', 'goes', 'same', 'sub/b.txt', 'sub/empty-becomes-link'];
    const { left, made } = await client.restoreFiles([clone]);
    expect(left.map(({ path, state }) => [path, state])).toEqual(paths.map((path) => [path, 'deleted']));
    expect(made).toBe(0);
    expect(await client.restoreFiles([clone], { force: true })).toMatchObject({ made: 3, left: [] });
    expect(rig.shape()).toEqual(SHAPE_1);
  });

  it('leaves symlinks that were led elsewhere, and restores them if forced; what they were is in the trash', async () => {
    const { client, clone, at, ...rig } = await createClone();
    rmSync(at('same'));
    symlinkSync('elsewhere', at('same'));
    rmSync(at('moves'));
    symlinkSync('sub/b.txt', at('moves'));
    rmSync(at('goes'));
    writeFileSync(at('goes'), 'mine');
    rmdirSync(at('empty'));
    writeFileSync(at('empty'), 'mine, too');
    const before = rig.shape();
    const { left } = await client.restoreFiles([clone]);
    expect(left).toEqual([
      { path: 'empty', state: 'modified' },
      { path: 'goes', state: 'modified' },
      { path: 'moves', state: 'retargeted' },
      { path: 'same', state: 'retargeted' },
    ]);
    expect(rig.shape()).toEqual(before);
    const { trash = '' } = await client.restoreFiles([clone], { force: true });
    expect(rig.shape()).toEqual(SHAPE_1);
    expect(treeShape(trash)).toEqual({ same: '-> elsewhere', moves: '-> sub/b.txt', goes: 'mine', empty: 'mine, too' });
  });

  it('restores one symlink that is named, and nothing else', async () => {
    const { client, at } = await createClone();
    for (const path of ['same', 'goes']) rmSync(at(path));
    await client.restoreFiles([at('goes')], { force: true });
    expect(existsSync(at('same'))).toBe(false);
    expect(readdirSync(join(at('.')))).toContain('goes');
  });

  it('never makes the record a file of the clone', async () => {
    const { client, clone, at } = await createClone();
    await client.restoreFiles([clone], { force: true });
    expect(existsSync(at('.gypsum-tree.json'))).toBe(false);
    await expect(client.restoreFiles([at('.gypsum-tree.json')])).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('staging', () => {
  it('leaves the symlinks that are the version’s own, and says so', async () => {
    const { client, clone, ...rig } = await createClone();
    const { left, replaced } = await client.stageFiles([clone]);
    const links = ['becomes-empty', 'becomes-file', 'becomes-folder', 'goes', 'moves', 'same'];
    expect(left).toEqual(links.map((path) => ({ path, state: 'own' })));
    expect(replaced).toBe(3);
    expect(treeShape(clone)).toEqual(SHAPE_1);
    await client.restoreFiles([clone]);
    expect(rig.shape()).toEqual(SHAPE_1);
  });

  it('leaves one that leads to a link into the cache, also if it is named', async () => {
    const { client, at } = await createClone();
    const { left, replaced } = await client.stageFiles([at('same')]);
    expect({ left, replaced }).toEqual({ left: [{ path: 'same', state: 'own' }], replaced: 0 });
  });
});

it('a folder that somebody has made beside them stays whatever is restored or checked out', async () => {
  const { client, clone, at } = await createClone();
  mkdirSync(at('mine/deep'), { recursive: true });
  await client.checkoutVersion(V3, clone);
  await client.restoreFiles([clone], { force: true });
  expect(treeShape(clone)).toMatchObject({ mine: '/', 'mine/deep': '/' });
});

describe('fetching, dropping and relinking', () => {
  it.each(['symlink', 'copy'] as const)('leave the symlinks of a clone of mode %s alone', async (mode) => {
    const { client, folder, cacheDir } = await createRig(seed);
    const clone = join(folder, 'clone');
    await client.cloneVersion(V1, clone, { mode, exclude: ['a.txt'] });
    await client.fetchFiles([clone]);
    expect(shape(clone, cacheDir)).toEqual(SHAPE_1);
    await client.dropFiles([clone]);
    expect(readlinkSync(join(clone, 'same'))).toBe('a.txt');
    await client.fetchFiles([join(clone, 'same')]);
    expect(readlinkSync(join(clone, 'same'))).toBe('a.txt');
    await client.fetchFiles([clone]);
    expect(shape(clone, cacheDir)).toEqual(SHAPE_1);
    expect((await client.verifyCache([], { deep: true })).problems).toEqual([]);
  });

  it('leave them alone where the cache was moved, also one whose text looks like a file of a cache', async () => {
    const text = '/old/bucket/p/a/v1/x';
    const { connect, folder } = await createRig({
      versions: { 'p/a/v1': { x: 'x', ...record(link('l', 'x'), link('abs', text), link('m', 'l'), link('n', '..')) } },
    });
    const clone = join(folder, 'clone');
    await connect().cloneVersion(V1, clone);
    renameSync(join(folder, 'cache'), join(folder, 'moved'));
    const client = connect({ cacheDir: join(folder, 'moved') });
    const { links } = await client.relinkClone(clone);
    expect(links.map(({ path }) => path)).toEqual(['x']);
    expect(shape(clone, join(folder, 'moved'))).toEqual({
      x: 'x',
      l: '-> x',
      m: '-> l',
      n: '-> ..',
      abs: `-> ${text}`,
    });
  });
});
