import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloneMode } from '../../src/index.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { 'a.txt': 'content of a', 'sub/b.txt': 'content of b', 'sub/deep/c.txt': 'c', same: 'c' };
const seed = { versions: { 'p/a/v1': FILES, 'p/a/v2': { 'other.txt': 'of v2' } } };
const ALL = Object.keys(FILES).length;

/** A clone, and what can be done to it and its cache. */
async function createClone(mode: CloneMode = 'symlink', download = true) {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V1, clone, { mode, download });
  const moveCache = async () => {
    const cacheDir = join(rig.folder, 'moved/bucket/cache');
    await mkdir(dirname(cacheDir), { recursive: true });
    await rename(rig.cacheDir, cacheDir);
    return { client: rig.connect({ cacheDir }), cacheDir, receipts: () => readReceipts(cacheDir) };
  };
  return { ...rig, clone, moveCache };
}

async function readReceipts(cacheDir: string) {
  const folder = join(cacheDir, '.gypsum-client/1/clones');
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
  return texts.map((text) => JSON.parse(text));
}

describe('after its cache was moved, a clone', () => {
  it.each([true, false])(
    'of symlinks leads into it again, and what was edited is let alone (download: %s)',
    async (download) => {
      const { clone, moveCache, cacheDir: old } = await createClone('symlink', download);
      await rm(join(clone, 'a.txt'));
      await writeFile(join(clone, 'a.txt'), 'mine');
      await rename(join(clone, 'sub/b.txt'), join(clone, 'moved.txt'));
      await symlink(join(old, 'bucket/p/a/v1/no-such-file'), join(clone, 'unknown'));
      await symlink('../elsewhere/bucket/p/a/v1/a.txt', join(clone, 'relative'));
      const { client, cacheDir } = await moveCache();
      const result = await client.relinkClone(clone);
      expect(result).toMatchObject({ ...V1, destination: clone, mode: 'symlink', unchanged: 3 });
      expect(result.links.map(({ path }) => path)).toEqual(['moved.txt', 'same', 'sub/deep/c.txt']);
      const now = (path: string) => `-> ${join(cacheDir, 'bucket/p/a/v1', path)}`;
      expect(await readTree(clone)).toEqual({
        'a.txt': 'mine',
        'moved.txt': now('sub/b.txt'),
        relative: '-> ../elsewhere/bucket/p/a/v1/a.txt',
        same: now('same'),
        'sub/deep/c.txt': now('sub/deep/c.txt'),
        unknown: `-> ${join(old, 'bucket/p/a/v1/no-such-file')}`,
      });
      expect(await client.relinkClone(clone)).toMatchObject({ links: [], unchanged: 3 });
    },
  );

  it('has links to other versions mended that the cache knows, and to whole folders', async () => {
    const { clone, client: before, moveCache, cacheDir: old, folder } = await createClone();
    await before.cloneVersion(V2, join(folder, 'second'));
    await rename(join(folder, 'second/other.txt'), join(clone, 'other.txt'));
    await symlink(join(old, 'bucket/p/a/v1/sub'), join(clone, 'whole'));
    const { client } = await moveCache();
    expect(await client.relinkClone(clone)).toMatchObject({ ...V1, unchanged: ALL + 2 });
    expect(await readFile(join(clone, 'other.txt'), 'utf8')).toBe('of v2');
    expect(await readFile(join(clone, 'whole/b.txt'), 'utf8')).toBe('content of b');
  });

  it('is told what would be done, and nothing is', async () => {
    const { clone, moveCache, folder } = await createClone();
    const { client, receipts } = await moveCache();
    await rename(clone, join(folder, 'other-place'));
    const [before, known] = [await readTree(join(folder, 'other-place')), await receipts()];
    const result = await client.relinkClone(join(folder, 'other-place'), { dryRun: true });
    expect([result.links.length, result.movedFrom]).toEqual([ALL, clone]);
    expect(await readTree(join(folder, 'other-place'))).toEqual(before);
    expect(await receipts()).toEqual(known);
  });

  it.each(['hardlink', 'copy'] as const)('of mode %s needs nothing, also if the cache was copied', async (mode) => {
    const { clone, cacheDir, folder, connect } = await createClone(mode);
    cpSync(cacheDir, join(folder, 'twin'), { recursive: true });
    rmSync(cacheDir, { recursive: true });
    const client = connect({ cacheDir: join(folder, 'twin') });
    expect(await client.relinkClone(clone)).toMatchObject({ mode, links: [], unchanged: ALL });
    expect(await client.prepareDirectoryUpload(clone)).toMatchObject({ files: [], links: { length: ALL } });
  });

  it('is left alone where its links lead into the cache of another registry', async () => {
    const { clone, client, cacheDir } = await createClone();
    const other = await createRig(seed);
    await other.client.cloneVersion(V1, join(other.folder, 'theirs'));
    await unlink(join(clone, 'a.txt'));
    await rename(join(other.folder, 'theirs/a.txt'), join(clone, 'a.txt'));
    const before = await readTree(clone);
    expect(await client.relinkClone(clone)).toMatchObject({ links: [], unchanged: ALL - 1 });
    expect(await readTree(clone)).toEqual(before);
    expect(cacheDir).not.toBe(other.cacheDir);
  });

  it('that needs nothing since the cache is reached by its old name is left as it is', async () => {
    const { clone, moveCache, cacheDir: old } = await createClone();
    const { client, cacheDir } = await moveCache();
    await symlink(cacheDir, old);
    expect(await client.relinkClone(clone)).toMatchObject({ links: [], unchanged: ALL });
  });
});

describe('links into a cache that was moved', () => {
  it('are refused in one line when they are to be published, with what mends them', async () => {
    const { clone, moveCache, cacheDir: old } = await createClone();
    await rename(join(clone, 'a.txt'), join(clone, 'renamed.txt'));
    const { client } = await moveCache();
    for (const links of ['auto', 'always', 'never'] as const) {
      await expect(client.prepareDirectoryUpload(clone, { links })).rejects.toMatchObject({
        code: 'invalid-tree',
        details: {
          faults: [
            `renamed.txt, same, sub/b.txt, sub/deep/c.txt lead into a cache in ${old}, and are not there.\n    If the cache was moved, mend the links: gypsum relink ${clone}`,
          ],
        },
      });
    }
  });

  it('are told to who fetches or drops them, from wherever in the clone', async () => {
    const { clone, moveCache } = await createClone();
    const { client } = await moveCache();
    for (const path of [clone, join(clone, 'sub'), join(clone, 'sub/deep/c.txt'), join(clone, '**')]) {
      for (const call of [() => client.fetchFiles([path]), () => client.dropFiles([path])]) {
        await expect(call()).rejects.toMatchObject({
          code: 'not-found',
          hint: expect.stringContaining(`gypsum relink ${clone}`),
        });
      }
    }
  });

  it('are told to who clones there again', async () => {
    const { clone, moveCache } = await createClone();
    await rm(join(clone, 'a.txt'));
    await writeFile(join(clone, 'a.txt'), 'mine');
    const { client } = await moveCache();
    const { conflicts, astray } = await client.cloneVersion(V1, clone, { merge: true });
    expect([conflicts, astray]).toEqual([
      ['a.txt', 'same', 'sub/b.txt', 'sub/deep/c.txt'],
      ['same', 'sub/b.txt', 'sub/deep/c.txt'],
    ]);
    expect((await client.relinkClone(clone)).links).toHaveLength(3);
    expect((await client.cloneVersion(V1, clone, { merge: true })).astray).toBeUndefined();
  });

  it('of a cache that is there, and is not the one in use, are told where they lead', async () => {
    const rig = await createRig(seed);
    const [clone, theirs] = [join(rig.folder, 'clone'), join(rig.folder, 'theirs')];
    await rig.connect({ cacheDir: theirs }).cloneVersion(V1, clone, { download: false });
    await expect(rig.client.prepareDirectoryUpload(clone)).rejects.toThrow(`--cache ${theirs}`);
  });
});

describe('a clone that was moved', () => {
  it('is known at its place, and no more at the other', async () => {
    const { clone, folder, client, cacheDir } = await createClone('copy');
    await rename(clone, join(folder, 'there'));
    expect(await client.relinkClone(join(folder, 'there'))).toMatchObject({ movedFrom: clone, unchanged: ALL });
    const [receipt, ...others] = await readReceipts(cacheDir);
    expect([receipt.destination, receipt.mode, others]).toEqual([join(folder, 'there'), 'copy', []]);
    expect(await readdir(join(cacheDir, '.gypsum-client/1/clone-files'))).toHaveLength(1);
  });

  it.each(['hardlink', 'copy'] as const)('(%s) to another file system is known by its files', async (mode) => {
    const { clone, folder, client } = await createClone(mode);
    await client.cloneVersion(V2, join(folder, 'also-lost'), { mode });
    rmSync(join(folder, 'also-lost'), { recursive: true });
    // What `mv` does there.
    cpSync(clone, join(folder, 'there'), { recursive: true });
    rmSync(clone, { recursive: true });
    await rm(join(folder, 'there/a.txt'));
    await writeFile(join(folder, 'there/a.txt'), 'CONTENT OF A');
    expect(await client.prepareDirectoryUpload(join(folder, 'there'))).toMatchObject({ links: [] });
    expect(await client.relinkClone(join(folder, 'there'))).toMatchObject({ ...V1, mode, unchanged: ALL - 1 });
    const { files, links } = await client.prepareDirectoryUpload(join(folder, 'there'));
    expect([files, links.length]).toEqual([[{ path: 'a.txt', size: 12 }], ALL - 1]);
  });

  it('to another file system is known by its links', async () => {
    const { clone, folder, client, cacheDir } = await createClone();
    cpSync(clone, join(folder, 'there'), { recursive: true, verbatimSymlinks: true });
    rmSync(clone, { recursive: true });
    expect(await client.relinkClone(join(folder, 'there'))).toMatchObject({ ...V1, mode: 'symlink', unchanged: ALL });
    const [receipt, ...others] = await readReceipts(cacheDir);
    expect([receipt.destination, receipt.mode, others]).toEqual([join(folder, 'there'), 'symlink', []]);
  });

  it.each(['symlink', 'copy'] as const)('(%s) is not taken to be gone from a disk that is not there', async (mode) => {
    const { clone, folder, client, cacheDir } = await createClone(mode);
    cpSync(clone, join(folder, 'there'), { recursive: true, verbatimSymlinks: true });
    rmSync(clone, { recursive: true });
    const receipts = join(cacheDir, '.gypsum-client/1/clones');
    const [name = ''] = readdirSync(receipts);
    const receipt = JSON.parse(await readFile(join(receipts, name), 'utf8'));
    await writeFile(join(receipts, name), JSON.stringify({ ...receipt, device: receipt.device + 1 }));
    expect((await client.relinkClone(join(folder, 'there'))).movedFrom).toBeUndefined();
    const places = (await readReceipts(cacheDir)).map(({ destination }) => destination);
    expect(places.sort()).toEqual([clone, join(folder, 'there')]);
  });

  it('takes over the receipt of no other one: of several that are gone, that of its name', async () => {
    const { clone, folder, client, cacheDir, makeFolder } = await createClone();
    await makeFolder('old', {});
    await makeFolder('new', {});
    for (const name of ['old/one', 'old/two', 'old/three']) await client.cloneVersion(V1, join(folder, name));
    await client.cloneVersion(V2, join(folder, 'old/of-v2'));
    for (const name of ['one', 'other']) {
      cpSync(join(folder, 'old/one'), join(folder, 'new', name), { recursive: true, verbatimSymlinks: true });
    }
    rmSync(join(folder, 'old'), { recursive: true });
    expect((await client.relinkClone(join(folder, 'new/one'))).movedFrom).toBe(join(folder, 'old/one'));
    expect((await client.relinkClone(join(folder, 'new/other'))).movedFrom).toBeUndefined();
    const places = (await readReceipts(cacheDir)).map(({ destination }) => destination);
    expect(places.sort()).toEqual(
      [
        clone,
        ...['new/one', 'new/other', 'old/of-v2', 'old/three', 'old/two'].map((name) => join(folder, name)),
      ].sort(),
    );
  });

  it('is what it is said to be', async () => {
    const { clone, folder, client, cacheDir, makeFolder } = await createClone('copy');
    rmSync(join(cacheDir, '.gypsum-client/1/clones'), { recursive: true });
    await expect(client.relinkClone(clone)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await client.relinkClone(clone, { as: V1 })).toMatchObject({ ...V1, mode: 'copy', unchanged: ALL });
    expect((await client.prepareDirectoryUpload(clone)).files).toEqual([]);
    const other = await makeFolder('other', { 'x.txt': 'x' });
    await expect(client.relinkClone(other, { as: V1 })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(client.relinkClone(other, { as: { ...V1, version: 'v9' } })).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(await readdir(folder)).toContain('other');
  });
});

describe('a clone of another cache', () => {
  /** A clone of another cache of the same registry. */
  async function createForeign(download = true) {
    const rig = await createRig(seed);
    const theirs = join(rig.folder, 'theirs');
    const clone = join(rig.folder, 'clone');
    const other = rig.connect({ cacheDir: theirs });
    await other.cloneVersion(V1, clone, { download });
    await rig.client.saveVersion(V1);
    return { ...rig, theirs, clone, other };
  }

  it.each([true, false])('that is there is left alone and said to be one (download: %s)', async (download) => {
    const { client, clone, theirs, cacheDir } = await createForeign(download);
    const before = await readTree(clone);
    for (const as of [undefined, V1]) {
      await expect(client.relinkClone(clone, { ...(as && { as }) })).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringContaining(`another cache, ${theirs}, which is there`),
        hint: expect.stringContaining(`--cache ${theirs}`),
      });
    }
    expect(await readTree(clone)).toEqual(before);
    expect(existsSync(join(cacheDir, '.gypsum-client/1/clones'))).toBe(false);
  });

  it('that is gone is taken over', async () => {
    const { client, clone, theirs, cacheDir } = await createForeign();
    rmSync(theirs, { recursive: true });
    expect(await client.relinkClone(clone)).toMatchObject({ links: { length: ALL }, elsewhere: [] });
    expect(await readReceipts(cacheDir)).toMatchObject([{ destination: clone }]);
  });

  it('whose place another one has by now, that knows nothing of it, is taken over', async () => {
    const { client, clone, theirs, other } = await createForeign();
    rmSync(theirs, { recursive: true });
    await other.saveVersion(V2);
    expect(await client.relinkClone(clone)).toMatchObject({ links: { length: ALL } });
  });

  it('has links in one of ours that are left alone', async () => {
    const { client, clone, theirs, folder } = await createForeign();
    const mine = join(folder, 'mine');
    await client.cloneVersion(V1, mine);
    await rename(join(clone, 'a.txt'), join(mine, 'theirs.txt'));
    const before = await readTree(mine);
    expect(await client.relinkClone(mine)).toMatchObject({
      links: [],
      elsewhere: [{ cache: theirs, links: 1 }],
      unchanged: ALL,
    });
    expect(await readTree(mine)).toEqual(before);
  });
});

describe('a folder that holds clones', () => {
  it.each([undefined, V1])('is refused, and they are named (as: %j)', async (as) => {
    const { clone, folder, moveCache, client: before } = await createClone();
    const [first, second] = [join(folder, 'all/first'), join(folder, 'all/sub/second')];
    for (const place of [first, second]) {
      mkdirSync(dirname(place), { recursive: true });
      cpSync(clone, place, { recursive: true, verbatimSymlinks: true });
    }
    const { client, receipts } = await moveCache();
    const tree = await readTree(join(folder, 'all'));
    for (const each of [client, before]) {
      await expect(each.relinkClone(join(folder, 'all'), { ...(as && { as }) })).rejects.toMatchObject({
        code: 'invalid-argument',
        hint: `Give the clones: ${first}, ${second}`,
      });
    }
    expect(await readTree(join(folder, 'all'))).toEqual(tree);
    expect(await receipts()).toMatchObject([{ destination: clone }]);
  });
});

describe('a folder that is no clone is refused', () => {
  it.each<[string, (folder: string) => unknown]>([
    ['without links', () => {}],
    ['with links elsewhere', (folder) => symlinkSync('/etc/hosts', join(folder, 'x'))],
    ['with a link to a version that nobody has', (folder) => symlinkSync('/c/bucket/p/a/v9/x', join(folder, 'x'))],
    ['with a link to names that are none', (folder) => symlinkSync('/c/bucket/..p/a/v1/a.txt', join(folder, 'x'))],
  ])('%s', async (_what, make) => {
    const { client, makeFolder, cacheDir } = await createRig(seed);
    const folder = await makeFolder('mine', { 'a.txt': 'content of a' });
    make(folder);
    await expect(client.relinkClone(folder)).rejects.toMatchObject({
      code: 'invalid-argument',
      hint: expect.stringContaining('--as'),
    });
    expect(lstatSync(join(cacheDir, '.gypsum-client/1/clones'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('that stands where a clone was', async () => {
    const { clone, client } = await createClone();
    rmSync(clone, { recursive: true });
    mkdirSync(clone);
    await writeFile(join(clone, 'x'), '');
    await expect(client.relinkClone(clone)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

it('a hard link that was edited in place is not remembered as right', async () => {
  const { clone, client, cacheDir } = await createClone('hardlink');
  await chmod(join(clone, 'a.txt'), 0o644);
  await writeFile(join(clone, 'a.txt'), 'CONTENT OF A');
  expect(await client.relinkClone(clone)).toMatchObject({ unchanged: ALL - 1 });
  rmSync(join(cacheDir, 'bucket'), { recursive: true });
  rmSync(join(cacheDir, '.gypsum-client/1/blobs'), { recursive: true });
  expect((await client.prepareDirectoryUpload(clone)).files).toEqual([{ path: 'a.txt', size: 12 }]);
});

it('all clones are mended that can be found; the others are named', async () => {
  const { clone, client: before, moveCache, folder } = await createClone();
  for (const name of ['second', 'gone']) await before.cloneVersion(V2, join(folder, name));
  rmSync(join(folder, 'gone'), { recursive: true });
  renameSync(join(folder, 'second'), join(folder, 'renamed'));
  const { client } = await moveCache();
  const { clones, skipped } = await client.relinkClones();
  expect(clones.map(({ destination, links }) => [destination, links.length]).sort()).toEqual([
    [clone, ALL],
    [join(folder, 'renamed'), 1],
  ]);
  expect(skipped).toEqual([{ destination: join(folder, 'gone'), why: expect.any(String) }]);
});

it('whatever was done to a clone, each link of its version leads into the moved cache, and nothing else has changed', async () => {
  const { client: first, folder, connect, cacheDir: firstCache } = await createRig(seed);
  await first.saveVersion(V1);
  let round = 0;
  let cache = firstCache;
  const paths = Object.keys(FILES);
  const change = fc.record({
    what: fc.constantFrom('replace', 'remove', 'rename', 'copy link', 'foreign link', 'relative link'),
    path: fc.constantFrom(...paths),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 6 }), fc.boolean(), async (changes, moveClone) => {
      const work = join(folder, `round-${++round}`);
      let clone = join(work, 'clone');
      await connect({ cacheDir: cache }).cloneVersion(V1, clone, { download: false });
      for (const [at, { what, path }] of changes.entries()) await edit(clone, what, path, at);
      const before = await readTree(clone);
      const moved = join(work, 'cache');
      renameSync(cache, moved);
      if (moveClone) {
        renameSync(clone, join(work, 'elsewhere'));
        clone = join(work, 'elsewhere');
      }
      const client = connect({ cacheDir: moved });
      await client.relinkClone(clone);
      const prefix = `-> ${join(cache, 'bucket/p/a/v1')}/`;
      const expected = Object.entries(before).map(([path, text]) => {
        const isLink = text.startsWith(prefix) && paths.includes(text.slice(prefix.length));
        return [path, isLink ? text.replace(`-> ${cache}/`, `-> ${moved}/`) : text];
      });
      expect(await readTree(clone)).toEqual(Object.fromEntries(expected));
      const receipts = (await readReceipts(moved)).map(({ destination }) => destination);
      expect(receipts).toContain(clone);
      if (moveClone) expect(receipts).not.toContain(join(work, 'clone'));
      cache = moved;
    }),
    { numRuns: 40 },
  );
});

async function edit(clone: string, what: string, path: string, at: number): Promise<void> {
  const file = join(clone, path);
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
  if (what === 'rename') renameSync(file, join(clone, `renamed-${at}`));
  if (what === 'copy link' && lstatSync(file).isSymbolicLink())
    symlinkSync(readlinkSync(file), join(clone, `twin-${at}`));
  if (what === 'foreign link') symlinkSync('/elsewhere/bucket/p/a/v1/nothing', join(clone, `foreign-${at}`));
  if (what === 'relative link') symlinkSync(`sub/../${path}`, join(clone, `relative-${at}`));
  if (what === 'remove' || what === 'replace') rmSync(file);
  if (what === 'replace') await writeFile(file, `edit ${at}`);
  expect(readdirSync(clone)).not.toHaveLength(0);
}
