import { chmod, lstat, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { disconnected } from '../../mocks/index.ts';
import { pathsBelow } from '../helpers/entries-below.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const V3 = { ...V1, version: 'v3' };
const seed = {
  versions: {
    'p/a/v1': { 'a.txt': 'content of a', 'sub/b.txt': 'content of b', 'same.txt': 'content of b' },
    'p/other/1': { 'b again.txt': 'content of b' },
    'q/linked/1': { 'from p.txt': { link: 'p/a/v1:/sub/b.txt' } },
  },
};
const OTHER = { project: 'p', asset: 'other', version: '1' };
const LINKED = { project: 'q', asset: 'linked', version: '1' };

/** A clone in which one content, which stands at five places of the cache, was edited through a link. */
async function createEdited() {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V1, clone);
  await rig.client.saveVersion(OTHER);
  await rig.client.saveVersion(LINKED);
  const bucket = join(rig.cacheDir, 'bucket');
  await chmod(join(bucket, 'p/a/v1/sub/b.txt'), 0o644);
  await writeFile(join(clone, 'sub/b.txt'), 'EDITED');
  return { ...rig, clone, bucket };
}

describe('an edit through a link', () => {
  it('is rescued: every link to it becomes a file, and every name of it in the cache is healed', async () => {
    const { client, clone, bucket, events, watch } = await createEdited();
    const result = await client.uploadDirectory(V2, clone, { rescue: true, deduplicate: false, ...watch });
    expect(result).toMatchObject({ files: 3, sent: { files: 2, bytes: 12 }, linked: { files: 1 } });
    for (const path of ['sub/b.txt', 'same.txt']) {
      const stats = await lstat(join(clone, path));
      expect([stats.isFile(), stats.mode & 0o777, stats.nlink]).toEqual([true, 0o644, 1]);
      expect(await readFile(join(clone, path), 'utf8')).toBe('EDITED');
    }
    const names = ['p/a/v1/sub/b.txt', 'p/a/v1/same.txt', 'p/other/1/b again.txt', 'q/linked/1/from p.txt'];
    for (const name of names) {
      expect(await readFile(join(bucket, name), 'utf8'), name).toBe('content of b');
      expect((await lstat(join(bucket, name))).mode & 0o777, name).toBe(0o444);
    }
    expect(events.filter(({ type }) => type === 'rescued')).toEqual([
      { type: 'rescued', path: 'same.txt', file: { ...V1, path: 'same.txt' } },
      { type: 'rescued', path: 'sub/b.txt', file: { ...V1, path: 'sub/b.txt' } },
    ]);
    const damaged = events.filter((event) => event.type === 'damaged');
    expect(damaged.flatMap(({ equal = [], isRescued }) => [isRescued, ...equal.map(() => isRescued)])).toEqual(
      names.map(() => true),
    );
    expect(pathsBelow(clone)).toHaveLength(4);
  });

  it('is refused in few words, however many files show it', async () => {
    const { client, clone } = await createEdited();
    await expect(client.prepareDirectoryUpload(clone)).rejects.toMatchObject({
      message: expect.stringMatching(
        /\n {2}same\.txt, sub\/b\.txt show what was edited through a link, in the cache: equal files are one there\.\n[^\n]* in each place: --rescue[^\n]*\n[^\n]*gypsum save p\/a\/v1 [^\n]*$/,
      ),
      details: { faults: { length: 1 }, edited: ['same.txt', 'sub/b.txt'] },
    });
  });

  it('and another edit, of a file that was not linked to, is told of as such', async () => {
    const { client, clone, bucket, events, watch } = await createEdited();
    await rm(join(bucket, 'p/other/1/b again.txt'));
    await writeFile(join(bucket, 'p/other/1/b again.txt'), 'ANOTHER EDIT');
    await client.prepareDirectoryUpload(clone, { rescue: true, ...watch });
    await client.saveVersion(OTHER, watch);
    const damaged = events.filter((event) => event.type === 'damaged');
    expect(damaged.map(({ file, isRescued }) => [file.asset, isRescued])).toEqual([
      ['a', true],
      ['linked', true],
      ['other', undefined],
    ]);
  });

  it('and the versions then say: the new one the edit, the old one what it said', async () => {
    const { client, clone, connect, folder } = await createEdited();
    await client.uploadDirectory(V2, clone, { rescue: true });
    const fresh = connect({ cacheDir: join(folder, 'fresh') });
    for (const ref of [V1, V2]) await fresh.saveVersion(ref);
    const edited = { 'sub/b.txt': 'EDITED', 'same.txt': 'EDITED' };
    expect(await readTree(join(folder, 'fresh/bucket/p/a/v1'))).toMatchObject(seed.versions['p/a/v1']);
    expect(await readTree(join(folder, 'fresh/bucket/p/a/v2'))).toMatchObject({ 'a.txt': 'content of a', ...edited });
    expect(await client.saveVersion(V1)).toMatchObject({ fetched: { contents: 0 } });
  });

  it('is rescued where an editor has put a new file in place of the cached one', async () => {
    const { client, clone, bucket, folder } = await createEdited();
    await client.prepareDirectoryUpload(clone, { rescue: true });
    await writeFile(join(folder, 'new'), 'ANOTHER');
    await rename(join(folder, 'new'), join(bucket, 'p/a/v1/a.txt'));
    const { files } = await client.prepareDirectoryUpload(clone, { rescue: true });
    expect(files.map(({ path }) => path)).toEqual(['a.txt', 'same.txt', 'sub/b.txt']);
    expect(await readFile(join(clone, 'a.txt'), 'utf8')).toBe('ANOTHER');
    expect(await readFile(join(bucket, 'p/a/v1/a.txt'), 'utf8')).toBe('content of a');
  });

  it('is not lost when the right content cannot be fetched', async () => {
    const { client, clone, bucket, registry } = await createEdited();
    registry.inject(disconnected(), { route: 'file', key: /(b|same)\.txt$/ });
    await expect(client.uploadDirectory(V2, clone, { rescue: true })).rejects.toMatchObject({ code: 'unavailable' });
    expect(await readFile(join(clone, 'sub/b.txt'), 'utf8')).toBe('EDITED');
    expect(await readFile(join(clone, 'same.txt'), 'utf8')).toBe('EDITED');
    registry.clearFaults();
    await client.saveVersion(V1);
    expect(await readFile(join(bucket, 'p/a/v1/sub/b.txt'), 'utf8')).toBe('content of b');
  });

  it('is not rescued, and changes nothing, where anything else cannot be published', async () => {
    const { client, clone } = await createEdited();
    await writeFile(join(clone, '..impossible'), '');
    await expect(client.uploadDirectory(V2, clone, { rescue: true })).rejects.toMatchObject({ code: 'invalid-tree' });
    expect((await lstat(join(clone, 'sub/b.txt'))).isSymbolicLink()).toBe(true);
  });

  it('is refused in a folder that is a link itself: there is no place for a file', async () => {
    const { client, clone, bucket } = await createEdited();
    await rm(join(clone, 'sub'), { recursive: true });
    await symlink(join(bucket, 'p/a/v1/sub'), join(clone, 'sub'));
    await expect(client.uploadDirectory(V2, clone, { rescue: true })).rejects.toMatchObject({
      code: 'invalid-tree',
      details: { faults: [expect.stringMatching(/^sub\/b\.txt was edited[\s\S]*It cannot be rescued/)] },
    });
    expect(await readlink(join(clone, 'same.txt'))).toBe(join(bucket, 'p/a/v1/same.txt'));
  });

  it('that was made after the plan is found before the upload is started', async () => {
    const { client, clone, bucket, registry } = await createEdited();
    await client.prepareDirectoryUpload(clone, { rescue: true });
    const plan = await client.planUpload(V3, clone);
    await chmod(join(bucket, 'p/a/v1/a.txt'), 0o644);
    await writeFile(join(clone, 'a.txt'), 'CONTENT OF A');
    await expect(client.applyUpload(plan)).rejects.toMatchObject({ code: 'file-changed' });
    expect(registry.count({ route: 'start' })).toBe(0);
  });
});

it('a plan is not applied when a file that was to become a link has changed, or is gone', async () => {
  const { client, makeFolder } = await createRig(seed);
  const mine = await makeFolder('mine', { 'known.txt': 'content of a', empty: '' });
  const plan = await client.planUpload(V2, mine);
  expect(plan.links).toHaveLength(1);
  await writeFile(join(mine, 'known.txt'), 'CONTENT OF A');
  await expect(client.applyUpload(plan)).rejects.toMatchObject({ code: 'file-changed' });
  await rm(join(mine, 'known.txt'));
  await expect(client.applyUpload(plan)).rejects.toMatchObject({ code: 'file-changed' });
  await writeFile(join(mine, 'known.txt'), 'content of a');
  await writeFile(join(mine, 'empty'), 'not any more');
  await expect(client.applyUpload(plan)).rejects.toMatchObject({ code: 'file-changed' });
  await rm(join(mine, 'empty'));
  await mkdir(join(mine, 'empty'));
  await expect(client.applyUpload(plan)).rejects.toMatchObject({ code: 'file-changed' });
});

describe('an edit through a link, where the folder is put,', () => {
  const REF = { project: 'p', asset: 'a' };

  it('is an error that says what can be done, also in a dry run', async () => {
    const { client, clone } = await createEdited();
    const why = expect.stringMatching(/was edited through its link.*--rescue.*gypsum save p\/a\/v1/);
    for (const options of [{}, { dryRun: true }, { dryRun: true, rescue: true }]) {
      const { published, changes } = await client.putTree(REF, `${clone}/`, options);
      expect({ published, changes }).toEqual({
        published: false,
        changes: ['same.txt', 'sub/b.txt'].map((path) => ({ sign: 'E', path, type: 'file', why })),
      });
    }
    expect((await lstat(join(clone, 'sub/b.txt'))).isSymbolicLink()).toBe(true);
  });

  it('is rescued if asked for, and published; a program stays one', async () => {
    const { client, clone, bucket, events, watch } = await createEdited();
    await chmod(join(bucket, 'p/a/v1/sub/b.txt'), 0o755);
    const { changes, version } = await client.putTree(REF, `${clone}/`, { rescue: true, ...watch });
    expect(changes.map(({ sign, path }) => `${sign} ${path}`)).toEqual(['* same.txt', '* sub/b.txt']);
    expect(events.filter(({ type }) => type === 'rescued')).toHaveLength(2);
    expect((await lstat(join(clone, 'sub/b.txt'))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(bucket, 'p/a/v1/sub/b.txt'), 'utf8')).toBe('content of b');
    expect(await readFile(await client.saveFile({ ...REF, version, path: 'sub/b.txt' }), 'utf8')).toBe('EDITED');
  });

  it('stays where something else is wrong, too, unless that is not to matter', async () => {
    const { client, clone } = await createEdited();
    await writeFile(join(clone, 'back\\slash'), 'odd');
    const put = (ignoreErrors: boolean) => client.putTree(REF, `${clone}/`, { rescue: true, ignoreErrors });
    expect((await put(false)).published).toBe(false);
    expect((await lstat(join(clone, 'sub/b.txt'))).isSymbolicLink()).toBe(true);
    expect((await put(true)).published).toBe(true);
    expect((await lstat(join(clone, 'sub/b.txt'))).isSymbolicLink()).toBe(false);
  });
});
