import { existsSync } from 'node:fs';
import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CloneOptions } from '../../src/index.ts';
import { createRig, type Rig, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { 'a.csv': 'content of a', 'raw/b.bin': 'large content', 'raw/c.csv': 'content of c', '.d': 'dot' };
const seed = { versions: { 'p/a/v1': FILES } };

const isComplete = ({ cacheDir }: Rig) => existsSync(join(cacheDir, 'status/p/a/v1/COMPLETE'));
const cached = ({ cacheDir }: Rig, path: string, version = 'v1') => join(cacheDir, 'bucket/p/a', version, path);
const readReceipt = async ({ cacheDir }: Rig) => {
  const folder = join(cacheDir, '.gypsum-client/1/clones');
  const [name = ''] = await readdir(folder);
  return JSON.parse(await readFile(join(folder, name), 'utf8'));
};

describe('saving a part of a version', () => {
  it('fetches what is meant and counts that alone; the version is not marked as complete', async () => {
    const rig = await createRig(seed);
    const result = await rig.client.saveVersion(V1, { include: ['**/*.csv'], exclude: ['raw/**'] });
    expect(result).toMatchObject({ files: 1, bytes: 12, leftOut: { files: 3, bytes: 28 } });
    expect(result.fetched).toEqual({ contents: 1, bytes: 12 });
    expect(rig.registry.count()).toBe(3);
    expect(existsSync(cached(rig, 'a.csv'))).toBe(true);
    expect(existsSync(cached(rig, 'raw/c.csv'))).toBe(false);
    expect(isComplete(rig)).toBe(false);
    rig.registry.resetCalls();
    expect((await rig.client.saveVersion(V1, { include: ['a.csv'] })).fetched.contents).toBe(0);
    expect(rig.registry.count()).toBe(0);
  });

  it('leaves to a later save the rest alone', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1, { exclude: ['raw'] });
    rig.registry.resetCalls();
    const result = await rig.client.saveVersion(V1);
    expect(result.leftOut).toBeUndefined();
    expect(result).toMatchObject({ files: 4, fetched: { contents: 2, bytes: 25 } });
    expect(rig.registry.calls.map(({ key }) => key).sort()).toEqual(['p/a/v1/raw/b.bin', 'p/a/v1/raw/c.csv']);
    expect(isComplete(rig)).toBe(true);
  });

  it('marks the version with the part that makes it whole', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1, { exclude: ['raw'] });
    expect(isComplete(rig)).toBe(false);
    await rig.client.saveVersion(V1, { include: ['raw'] });
    expect(isComplete(rig)).toBe(true);
  });

  it('marks no version whose other files have been edited', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1, { exclude: ['raw'] });
    await chmod(cached(rig, 'a.csv'), 0o644);
    await writeFile(cached(rig, 'a.csv'), 'CONTENT of A');
    await rig.client.saveVersion(V1, { include: ['raw'] });
    expect(isComplete(rig)).toBe(false);
  });

  it('names a pattern that matches nothing, before anything is fetched', async () => {
    const rig = await createRig(seed);
    await expect(rig.client.saveVersion(V1, { include: ['*.csv', '*.parquet'] })).rejects.toMatchObject({
      code: 'not-found',
      message: 'No file of p/a/v1 matches "*.parquet".',
    });
    expect(rig.registry.count()).toBe(2);
  });
});

describe('a clone of a part of a version', () => {
  it('has all links; those left out dangle, and the result and the receipt say what was wanted', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    const result = await rig.client.cloneVersion(V1, clone, { include: ['**/*.csv'], exclude: ['raw/*'] });
    const rest = { files: 3, bytes: 28 };
    expect(result).toMatchObject({ files: 1, bytes: 12, links: { made: 4 }, leftOut: rest, dangling: rest });
    expect(await readTree(clone)).toEqual(
      Object.fromEntries(Object.keys(FILES).map((path) => [path, `-> ${cached(rig, path)}`])),
    );
    expect(await readFile(join(clone, 'a.csv'), 'utf8')).toBe('content of a');
    expect(existsSync(join(clone, 'raw/b.bin'))).toBe(false);
    expect(await readReceipt(rig)).toMatchObject({ include: ['**/*.csv'], exclude: ['raw/*'] });
    expect(isComplete(rig)).toBe(false);
    await rig.client.relinkClone(clone);
    expect(await readReceipt(rig)).toMatchObject({ include: ['**/*.csv'], exclude: ['raw/*'] });
  });

  it('counts as dangling what the cache has not, and nothing else', async () => {
    const rig = await createRig(seed);
    const clone = (name: string, options: CloneOptions) =>
      rig.client.cloneVersion(V1, join(rig.folder, name), { include: ['a.csv'], ...options });
    const all = { include: [], download: false };
    expect((await clone('cold', all)).dangling).toEqual({ files: 4, bytes: 40 });
    await rig.client.saveVersion(V1, { include: ['raw/b.bin'] });
    expect((await clone('first', {})).dangling).toEqual({ files: 2, bytes: 15 });
    expect((await clone('second', { mode: 'copy' })).dangling).toEqual({ files: 2, bytes: 15 });
    expect((await clone('third', all)).dangling).toEqual({ files: 2, bytes: 15 });
    await rig.makeFolder('mine', { '.d': 'mine' });
    expect((await clone('mine', { merge: true })).dangling).toEqual({ files: 1, bytes: 12 });
    await rig.client.saveVersion(V1);
    const warm = await clone('warm', {});
    expect([warm.files, warm.leftOut, warm.dangling]).toEqual([1, { files: 3, bytes: 28 }, undefined]);
    expect(await clone('last', all)).not.toHaveProperty('dangling');
  });

  it('publishes as the whole: what is left out is linked, and nothing is fetched for it', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone, { include: ['a.csv'] });
    await rm(join(clone, '.d'));
    await writeFile(join(clone, '.d'), 'new');
    rig.registry.resetCalls();
    const { sent, linked } = await rig.client.uploadDirectory(V2, clone);
    expect({ sent, linked }).toEqual({ sent: { files: 1, bytes: 3 }, linked: { files: 3, bytes: 37 } });
    expect(rig.registry.count({ key: /raw|a\.csv/ })).toBe(0);
  });

  it.each(['copy', 'hardlink'] as const)('in the mode "%s" has files, and links for what is left out', async (mode) => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone, { mode, exclude: ['raw/b.bin'] });
    expect(await readTree(clone)).toEqual({ ...FILES, 'raw/b.bin': `-> ${cached(rig, 'raw/b.bin')}` });
    expect(await rig.client.prepareDirectoryUpload(clone)).toMatchObject({ files: [], links: { length: 4 } });
    const made = { files: 1, bytes: 13 };
    expect(await rig.client.fetchFiles([clone])).toMatchObject({ files: 1, fetched: { bytes: 13 }, made });
    expect(await readTree(clone)).toEqual(FILES);
    const { ino } = await lstat(join(clone, 'raw/b.bin'));
    expect(ino === (await lstat(cached(rig, 'raw/b.bin'))).ino).toBe(mode === 'hardlink');
    rig.registry.resetCalls();
    const { sent, linked } = await rig.client.uploadDirectory(V2, clone, { deduplicate: false });
    expect([sent.files, linked.files]).toEqual([0, 4]);
  });

  it.each(['copy', 'hardlink'] as const)('in the mode "%s" is completed by a merge, in that mode', async (mode) => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone, { mode, exclude: ['raw'] });
    await rm(join(clone, 'raw/c.csv'));
    await writeFile(join(clone, 'raw/c.csv'), 'mine');
    const { links, conflicts } = await rig.client.cloneVersion(V1, clone, { merge: true });
    expect([links, conflicts]).toEqual([{ made: 1, unchanged: 2 }, ['raw/c.csv']]);
    expect(await readTree(clone)).toEqual({ ...FILES, 'raw/c.csv': 'mine' });
    expect(await rig.client.prepareDirectoryUpload(clone)).toMatchObject({ files: [{ path: 'raw/c.csv' }] });
  });

  it('in the mode "copy" has its links filled wherever it and they were moved to, and no others', async () => {
    const rig = await createRig({ versions: { ...seed.versions, 'p/a/v2': { 'x.csv': 'of v2' } } });
    const [clone, moved] = [join(rig.folder, 'clone'), join(rig.folder, 'moved')];
    await rig.client.cloneVersion(V1, clone, { mode: 'copy', include: ['a.csv'] });
    await rename(clone, moved);
    await rename(join(moved, 'raw/b.bin'), join(moved, 'b.bin'));
    await symlink(cached(rig, 'x.csv', 'v2'), join(moved, 'x.csv'));
    expect((await rig.client.fetchFiles([moved])).made?.files).toBe(3);
    expect(await readTree(moved)).toEqual({
      'a.csv': 'content of a',
      'b.bin': 'large content',
      'raw/c.csv': 'content of c',
      '.d': 'dot',
      'x.csv': `-> ${cached(rig, 'x.csv', 'v2')}`,
    });
    await expect(rig.client.prepareDirectoryUpload(moved)).resolves.toMatchObject({ files: [], links: { length: 5 } });
  });

  it('is refused where nothing is fetched at all', async () => {
    const rig = await createRig(seed);
    const clone = rig.client.cloneVersion(V1, join(rig.folder, 'clone'), { download: false, include: ['a.csv'] });
    await expect(clone).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(rig.registry.count()).toBe(0);
    expect(existsSync(join(rig.folder, 'clone'))).toBe(false);
  });

  it('leaves nothing behind where a pattern matches nothing', async () => {
    const rig = await createRig(seed);
    const clone = rig.client.cloneVersion(V1, join(rig.folder, 'clone'), { exclude: ['nothing'] });
    await expect(clone).rejects.toMatchObject({ code: 'not-found' });
    expect(existsSync(join(rig.folder, 'clone'))).toBe(false);
    expect(existsSync(join(rig.cacheDir, '.gypsum-client/1/clones'))).toBe(false);
  });
});

/** A clone of which nothing has been fetched. */
async function dangling(rig: Rig): Promise<string> {
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V1, clone, { download: false });
  rig.registry.resetCalls();
  return clone;
}

describe('fetching', () => {
  it.each([
    ['a link', ['a.csv'], ['a.csv']],
    ['a link below', ['raw/c.csv'], ['raw/c.csv']],
    ['a folder', ['raw'], ['raw/b.bin', 'raw/c.csv']],
    ['a glob', ['*.csv'], ['a.csv']],
    ['a glob through folders', ['**/*.csv'], ['a.csv', 'raw/c.csv']],
    ['several paths', ['.d', 'raw/*.bin', '.d'], ['.d', 'raw/b.bin']],
    ['the clone', [''], ['.d', 'a.csv', 'raw/b.bin', 'raw/c.csv']],
  ])('%s brings what it means and no more', async (_, paths, expected) => {
    const rig = await createRig(seed);
    const clone = await dangling(rig);
    const result = await rig.client.fetchFiles(paths.map((path) => join(clone, path)));
    expect(result).toMatchObject({ files: expected.length, fetched: { contents: expected.length } });
    expect(rig.registry.calls.map(({ key }) => key).sort()).toEqual(expected.map((path) => `p/a/v1/${path}`));
    for (const path of expected) expect(existsSync(join(clone, path))).toBe(true);
    expect(isComplete(rig)).toBe(expected.length === 4);
    rig.registry.resetCalls();
    expect((await rig.client.fetchFiles([clone])).files).toBe(4);
    expect(rig.registry.count()).toBe(4 - expected.length);
    expect(isComplete(rig)).toBe(true);
  });

  it('works in a clone that nobody knows, that was moved, or that is reached through a link', async () => {
    const rig = await createRig(seed);
    const clone = await dangling(rig);
    await rm(join(rig.cacheDir, '.gypsum-client/1/clones'), { recursive: true });
    await mkdir(join(rig.folder, 'elsewhere'));
    await rename(clone, join(rig.folder, 'elsewhere/moved'));
    await symlink(join(rig.folder, 'elsewhere'), join(rig.folder, 'way'));
    expect((await rig.client.fetchFiles([join(rig.folder, 'way/moved/raw/*')])).files).toBe(2);
  });

  it('goes through a link to a folder of the cache', async () => {
    const rig = await createRig(seed);
    await dangling(rig);
    const folder = await rig.makeFolder('mine', {});
    await symlink(cached(rig, 'raw'), join(folder, 'link'));
    expect((await rig.client.fetchFiles([join(folder, 'link')])).files).toBe(2);
    expect(await rig.client.dropFiles([join(folder, 'link')], { force: true })).toMatchObject({ files: 2 });
  });

  it.each(['nothing', '*.parquet', 'mine.txt', 'other', 'raw/../../x', ''])('of %j is refused', async (path) => {
    const rig = await createRig(seed);
    const clone = await dangling(rig);
    await writeFile(join(clone, 'mine.txt'), 'mine');
    await symlink('/etc/hostname', join(clone, 'other'));
    const asked = path === '' ? path : join(clone, path);
    const refused = { code: 'not-found', message: expect.stringContaining(asked) };
    await expect(rig.client.fetchFiles([asked])).rejects.toMatchObject(refused);
    await expect(rig.client.dropFiles([asked])).rejects.toMatchObject(refused);
    expect(rig.registry.count()).toBe(0);
  });
});

describe('dropping', () => {
  it('takes the file and its content away; the link dangles, and fetching brings it again', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone);
    expect(await rig.client.dropFiles([join(clone, 'raw')])).toEqual({ files: 2, bytes: 25, freed: 25 });
    expect(isComplete(rig)).toBe(false);
    expect(existsSync(cached(rig, 'raw'))).toBe(false);
    expect(await readlink(join(clone, 'raw/b.bin'))).toBe(cached(rig, 'raw/b.bin'));
    expect(await readFile(join(clone, 'a.csv'), 'utf8')).toBe('content of a');
    expect(await rig.client.listCache()).toMatchObject([{ files: 2, complete: false }]);
    expect(await rig.client.prepareDirectoryUpload(clone)).toMatchObject({ files: [], links: { length: 4 } });
    rig.registry.resetCalls();
    expect(await rig.client.dropFiles([join(clone, 'raw')])).toEqual({ files: 0, bytes: 0, freed: 0 });
    expect(await rig.client.fetchFiles([clone])).toMatchObject({ files: 4, fetched: { bytes: 25 } });
    expect(rig.registry.count()).toBe(2);
    expect(isComplete(rig)).toBe(true);
  });

  it('keeps content that a file of another version or another path has', async () => {
    const rig = await createRig({
      versions: { 'p/a/v1': { x: 'shared', y: 'shared', z: 'alone' }, 'p/a/v2': { w: 'alone' } },
    });
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone);
    await rig.client.saveVersion(V2);
    const dropped = await rig.client.dropFiles([join(clone, 'x'), join(clone, 'z')]);
    expect(dropped).toEqual({ files: 2, bytes: 11, freed: 0 });
    rig.registry.resetCalls();
    expect(await rig.client.saveVersion(V1)).toMatchObject({ fetched: { contents: 0 } });
    expect(rig.registry.count()).toBe(0);
    expect(await readFile(cached(rig, 'w', 'v2'), 'utf8')).toBe('alone');
  });

  it('of what another clone needs is refused, naming it, unless it is forced', async () => {
    const rig = await createRig(seed);
    const [clone, other] = [join(rig.folder, 'clone'), join(rig.folder, 'other')];
    await rig.client.cloneVersion(V1, clone);
    await rig.client.cloneVersion(V1, other);
    await expect(rig.client.dropFiles([join(clone, 'a.csv')])).rejects.toMatchObject({
      code: 'in-use',
      message: expect.stringContaining(`the clone ${other} needs it`),
    });
    expect(await readFile(join(other, 'a.csv'), 'utf8')).toBe('content of a');
    expect(isComplete(rig)).toBe(true);
    // One file of each is still a file that the other one needs.
    await expect(rig.client.dropFiles([join(clone, 'a.csv'), join(other, '.d')])).rejects.toThrow('in use');
    expect((await rig.client.dropFiles([join(clone, 'a.csv'), join(other, 'a.csv')])).files).toBe(1);
    await rig.client.fetchFiles([join(clone, 'a.csv')]);
    expect((await rig.client.dropFiles([join(clone, 'a.csv')], { force: true })).freed).toBe(12);
    expect(existsSync(join(other, 'a.csv'))).toBe(false);
  });

  it('of what a clone that cannot be found may need is refused; a copy needs nothing', async () => {
    const rig = await createRig(seed);
    const [clone, gone] = [join(rig.folder, 'clone'), join(rig.folder, 'gone')];
    await rig.client.cloneVersion(V1, clone);
    await rig.client.cloneVersion(V1, join(rig.folder, 'copy'), { mode: 'copy' });
    expect((await rig.client.dropFiles([join(clone, '.d')])).files).toBe(1);
    await rig.client.cloneVersion(V1, gone);
    await rm(gone, { recursive: true });
    await expect(rig.client.dropFiles([join(clone, 'a.csv')])).rejects.toThrow('cannot be found');
  });

  it('of what was edited through its link is refused; forced, the edit is moved aside', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone);
    await chmod(cached(rig, 'a.csv'), 0o644);
    await writeFile(join(clone, 'a.csv'), 'CONTENT of a');
    await expect(rig.client.dropFiles([clone])).rejects.toMatchObject({
      code: 'in-use',
      message: expect.stringContaining('a.csv was edited through its link'),
    });
    expect(await readTree(join(rig.cacheDir, 'bucket/p/a/v1'))).toMatchObject({ '.d': 'dot', 'a.csv': 'CONTENT of a' });
    await rig.client.dropFiles([clone], { force: true, ...rig.watch });
    const moved = rig.events.find(({ type }) => type === 'damaged');
    expect(moved).toMatchObject({ file: { ...V1, path: 'a.csv' } });
    expect(await readFile(moved?.type === 'damaged' ? moved.movedTo : '', 'utf8')).toBe('CONTENT of a');
  });

  it.each(['copy', 'hardlink'] as const)(
    'in a clone of mode %s puts links in the place of files, and back',
    async (mode) => {
      const rig = await createRig(seed);
      const clone = join(rig.folder, 'clone');
      await rig.client.cloneVersion(V1, clone, { mode });
      const freed = mode === 'copy' ? 26 : 13;
      expect(await rig.client.dropFiles([join(clone, 'raw/b.bin')])).toEqual({ files: 1, bytes: 13, freed });
      expect(await readTree(clone)).toEqual({ ...FILES, 'raw/b.bin': `-> ${cached(rig, 'raw/b.bin')}` });
      expect(existsSync(cached(rig, 'raw/b.bin'))).toBe(false);
      rig.registry.resetCalls();
      expect(await rig.client.prepareDirectoryUpload(clone)).toMatchObject({ files: [], links: { length: 4 } });
      expect(await rig.client.fetchFiles([clone])).toMatchObject({ files: 1, made: { files: 1, bytes: 13 } });
      expect(rig.registry.count()).toBe(1);
      expect(await readTree(clone)).toEqual(FILES);
      expect(await rig.client.fetchFiles([join(clone, 'a.csv')])).toMatchObject({ files: 0, fetched: { contents: 0 } });
    },
  );

  it('in a clone of copies takes what is as in the version, and nothing else', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone, { mode: 'copy' });
    await writeFile(join(clone, 'a.csv'), 'CONTENT of a');
    await writeFile(join(clone, 'new'), 'new');
    await rig.client.pruneCache({ unused: true });
    await expect(rig.client.dropFiles([join(clone, 'a.csv')])).rejects.toMatchObject({ code: 'not-found' });
    expect(await rig.client.dropFiles([clone])).toEqual({ files: 3, bytes: 28, freed: 28 });
    expect(await readTree(clone)).toEqual({
      ...Object.fromEntries(Object.keys(FILES).map((path) => [path, `-> ${cached(rig, path)}`])),
      'a.csv': 'CONTENT of a',
      new: 'new',
    });
  });

  it('in a clone of copies is refused as a whole where another clone needs the file', async () => {
    const rig = await createRig(seed);
    const [clone, other] = [join(rig.folder, 'clone'), join(rig.folder, 'other')];
    await rig.client.cloneVersion(V1, clone, { mode: 'copy' });
    await rig.client.cloneVersion(V1, other);
    await expect(rig.client.dropFiles([clone])).rejects.toMatchObject({
      code: 'in-use',
      hint: expect.stringContaining('give its paths in each of them'),
    });
    expect(await readTree(clone)).toEqual(FILES);
    expect((await rig.client.dropFiles([clone, other])).files).toBe(4);
  });

  it('in a clone of hard links leaves what was edited in place, and moves it aside if it is forced', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone, { mode: 'hardlink' });
    await chmod(join(clone, 'a.csv'), 0o644);
    await writeFile(join(clone, 'a.csv'), 'CONTENT of a');
    await expect(rig.client.dropFiles([clone])).rejects.toMatchObject({
      code: 'in-use',
      message: expect.stringContaining('a.csv was edited'),
      hint: expect.stringMatching(/^To keep an edit, publish it with "gypsum upload --rescue"\. With "force"/),
    });
    expect(await readTree(clone)).toEqual({ ...FILES, 'a.csv': 'CONTENT of a' });
    await rig.client.dropFiles([clone], { force: true, ...rig.watch });
    expect(await readFile(join(clone, 'a.csv'), 'utf8')).toBe('CONTENT of a');
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'damaged' }));
    expect(existsSync(join(clone, 'raw/b.bin'))).toBe(false);
  });

  it('leaves alone what somebody has linked to outside of the cache, but for its name', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone);
    await link(cached(rig, 'raw/b.bin'), join(rig.folder, 'kept'));
    expect((await rig.client.dropFiles([join(clone, 'raw/b.bin')])).freed).toBe(0);
    expect(await readFile(join(rig.folder, 'kept'), 'utf8')).toBe('large content');
  });

  it('gives way to a clone that is made meanwhile', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone);
    for (let round = 0; round < 10; round++) {
      const other = join(rig.folder, `other-${round}`);
      const [dropped] = await Promise.allSettled([
        rig.client.dropFiles([clone]),
        rig.connect().cloneVersion(V1, other),
      ]);
      if (dropped.status === 'rejected') expect(dropped.reason).toMatchObject({ code: 'in-use' });
      for (const [path, content] of Object.entries(FILES)) {
        expect(await readFile(join(other, path), 'utf8')).toBe(content);
      }
      await rm(other, { recursive: true });
      await rig.client.pruneCache({ forgetMissing: true });
    }
  });
});
