import { cpSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRig } from '../helpers/rig.ts';

const seed = {
  versions: {
    'p/a/v1': { one: '1', two: '22', again: '22' },
    'p/a/v2': { one: { link: 'p/a/v1:/one' }, three: '333' },
    'p/b/v1': { two: '22', four: '4444' },
    'q/a/v1': { two: '22' },
  },
};

async function filled() {
  const rig = await createRig(seed);
  for (const ref of Object.keys(seed.versions)) {
    const [project = '', asset = '', version = ''] = ref.split('/');
    await rig.client.saveVersion({ project, asset, version });
  }
  rig.registry.resetCalls();
  return rig;
}

describe('measureCache', () => {
  it('counts each content once, and tells what only one project, asset or version holds', async () => {
    const { client, registry } = await filled();
    const { usage, ...rest } = await client.measureCache();
    expect(usage).toEqual([
      { project: 'p', files: 7, bytes: 15, stored: 10, own: 10 },
      { project: 'p', asset: 'a', files: 5, bytes: 9, stored: 6, own: 4 },
      { project: 'p', asset: 'a', version: 'v1', files: 3, bytes: 5, stored: 3, own: 0 },
      { project: 'p', asset: 'a', version: 'v2', files: 2, bytes: 4, stored: 4, own: 3 },
      { project: 'p', asset: 'b', files: 2, bytes: 6, stored: 6, own: 4 },
      { project: 'p', asset: 'b', version: 'v1', files: 2, bytes: 6, stored: 6, own: 4 },
      { project: 'q', files: 1, bytes: 2, stored: 2, own: 2 },
      { project: 'q', asset: 'a', files: 1, bytes: 2, stored: 2, own: 2 },
      { project: 'q', asset: 'a', version: 'v1', files: 1, bytes: 2, stored: 2, own: 2 },
    ]);
    expect(rest).toEqual({ stored: 12, unused: 0, damaged: 0, trash: 0, incoming: 0 });
    expect(registry.calls).toEqual([]);
  });

  it('does not count as free what has a name outside of the cache', async () => {
    const { client, cacheDir, folder } = await filled();
    linkSync(join(cacheDir, 'bucket/q/a/v1/two'), join(folder, 'mine'));
    expect((await client.measureCache([{ project: 'q' }])).usage.map(({ own }) => own)).toEqual([0, 0, 0]);
  });

  it('tells what no version has, what was moved aside and what is being fetched', async () => {
    const { client, cacheDir } = await filled();
    rmSync(join(cacheDir, 'bucket/p/b'), { recursive: true });
    const own = join(cacheDir, '.gypsum-client/1');
    mkdirSync(join(own, 'damaged/id'), { recursive: true });
    writeFileSync(join(own, 'damaged/id/x'), 'damaged');
    linkSync(join(own, 'damaged/id/x'), join(own, 'damaged/id/same'));
    writeFileSync(join(own, 'incoming/x'), 'half');
    expect(await client.measureCache([{ project: 'p', asset: 'a', version: 'v2' }])).toEqual({
      usage: [{ project: 'p', asset: 'a', version: 'v2', files: 2, bytes: 4, stored: 4, own: 3 }],
      stored: 12,
      unused: 4,
      damaged: 7,
      trash: 0,
      incoming: 4,
    });
  });

  it('says of what it has nothing', async () => {
    const { client } = await filled();
    await expect(client.measureCache([{ project: 'p' }, { project: 'p', asset: 'c' }])).rejects.toMatchObject({
      code: 'not-found',
      message: 'The cache has nothing of p/c.',
    });
    await expect(client.measureCache([{ project: '..' }])).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(client.measureCache([{ project: 'p', version: 'v1' }])).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});

it('a clone stands for its version and those that its links lead into', async () => {
  const { client, folder, cacheDir } = await filled();
  const clone = join(folder, 'clone');
  await client.cloneVersion({ project: 'p', asset: 'a', version: 'v1' }, clone);
  mkdirSync(join(clone, 'sub'));
  symlinkSync(join(cacheDir, 'bucket/q/a/v1/two'), join(clone, 'sub/two'));
  symlinkSync(join(cacheDir, 'bucket/p'), join(clone, 'all-of-p'));
  const names = (refs: readonly { project: string; asset?: string; version?: string }[]) =>
    refs.flatMap(({ project, asset, version }) => (version === undefined ? [] : [`${project}/${asset}/${version}`]));
  const scopes = [{ clone: join(clone, 'sub') }];
  expect(names(await client.listCache(scopes))).toEqual(['p/a/v1', 'q/a/v1']);
  expect(names((await client.measureCache(scopes)).usage)).toEqual(['p/a/v1', 'q/a/v1']);
  expect((await client.verifyCache(scopes)).versions).toBe(2);
  expect(names((await client.pruneCache({ scopes, dryRun: true })).kept)).toEqual(['p/a/v1', 'q/a/v1']);
  expect(names((await client.removeCached(scopes, { force: true })).versions)).toEqual(['p/a/v1', 'q/a/v1']);
  await expect(client.listCache(scopes)).resolves.toMatchObject([{ version: 'v1', files: 0 }]);
  await expect(client.removeCached([{ clone: folder }])).rejects.toMatchObject({ code: 'invalid-argument' });
  rmSync(cacheDir, { recursive: true });
  await client.cloneVersion({ project: 'q', asset: 'a', version: 'v1' }, join(folder, 'other'), { download: false });
  expect(await client.listCache([{ clone: join(folder, 'other') }])).toMatchObject([{ files: 0 }]);
});

describe('listCache', () => {
  it('gives nothing for a new cache, and makes none', async () => {
    const { client } = await createRig();
    expect(await client.listCache()).toEqual([]);
  });

  it('tells what is there, whether it is whole, when it was used and what was cloned', async () => {
    const { client, cacheDir, folder, registry } = await filled();
    const clone = join(folder, 'clone');
    await client.cloneVersion({ project: 'p', asset: 'a', version: 'v1' }, clone);
    await client.cloneVersion({ project: 'p', asset: 'a', version: 'v1' }, join(folder, 'gone'));
    rmSync(join(folder, 'gone'), { recursive: true });
    rmSync(join(cacheDir, 'bucket/p/a/v2/three'));
    registry.resetCalls();
    const used = expect.any(Date);
    expect(await client.listCache([{ project: 'p', asset: 'a' }, { project: 'q' }])).toEqual([
      {
        project: 'p',
        asset: 'a',
        version: 'v1',
        files: 3,
        bytes: 5,
        complete: true,
        lastUsed: used,
        clones: expect.arrayContaining([
          { destination: clone, state: 'found' },
          { destination: join(folder, 'gone'), state: 'missing' },
        ]),
      },
      { project: 'p', asset: 'a', version: 'v2', files: 1, bytes: 1, complete: false, lastUsed: used, clones: [] },
      { project: 'q', asset: 'a', version: 'v1', files: 1, bytes: 2, complete: true, lastUsed: used, clones: [] },
    ]);
    expect(registry.calls).toEqual([]);
  });

  it('knows a clone that was restored from a copy, and takes no other folder for it', async () => {
    const { client, folder } = await filled();
    const ref = { project: 'q', asset: 'a', version: 'v1' };
    const clone = join(folder, 'clone');
    const state = async () => (await client.listCache([ref]))[0]?.clones;
    await client.cloneVersion(ref, clone);
    cpSync(clone, join(folder, 'copy'), { recursive: true, verbatimSymlinks: true });
    mkdirSync(join(folder, 'elsewhere'));
    renameSync(clone, join(folder, 'elsewhere/clone'));
    renameSync(join(folder, 'copy'), clone);
    expect(await state()).toEqual([{ destination: clone, state: 'found' }]);
    rmSync(join(clone, 'two'));
    expect(await state()).toEqual([{ destination: clone, state: 'missing' }]);
  });

  it('a version is used when it is saved again', async () => {
    const { client, cacheDir } = await filled();
    const ref = { project: 'p', asset: 'a', version: 'v1' };
    const lastUsed = async () => (await client.listCache([ref]))[0]?.lastUsed?.getTime() ?? 0;
    utimesSync(join(cacheDir, 'bucket/p/a/v1'), 1e9, 1e9);
    expect(await lastUsed()).toBe(1e12);
    await client.saveVersion(ref);
    expect(await lastUsed()).toBeGreaterThan(1.7e12);
    utimesSync(join(cacheDir, 'bucket/p/a/v1'), 1e9, 1e9);
    await client.saveFile({ ...ref, path: 'one' });
    expect(await lastUsed()).toBeGreaterThan(1.7e12);
  });
});
