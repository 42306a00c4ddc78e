import { describe, expect, it } from 'vitest';
import { bytes, status } from '../../mocks/index.ts';
import { createRig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const seed = {
  projects: { lonely: {} },
  versions: {
    'p/a/v1': { 'x.txt': 'x', 'sub/y.txt': 'y' },
    'p/a/v2': { 'x.txt': { link: 'p/a/v1:/x.txt' } },
    'p/b/v1': { z: 'z' },
  },
};

describe('listing', () => {
  it('gives projects, assets, versions and stored files', async () => {
    const { client } = await createRig(seed);
    expect(await client.listProjects()).toEqual(['lonely', 'p']);
    expect(await client.listAssets('p')).toEqual(['a', 'b']);
    expect(await client.listVersions({ project: 'p', asset: 'a' })).toEqual(['v1', 'v2']);
    expect(await client.listFiles(V1)).toEqual(['sub/y.txt', 'x.txt']);
    expect(await client.listFiles(V1, { prefix: 'sub/' })).toEqual(['sub/y.txt']);
    expect(await client.listFiles({ ...V1, version: 'v2' }, { includeInternal: true })).toEqual([
      '..links',
      '..manifest',
      '..summary',
    ]);
  });

  it('gives nothing for what does not exist', async () => {
    const { client } = await createRig(seed);
    expect(await client.listAssets('nope')).toEqual([]);
    expect(await client.listVersions({ project: 'p', asset: 'nope' })).toEqual([]);
  });

  it('refuses what is no list', async () => {
    const { client, registry } = await createRig(seed);
    registry.inject(bytes('{"a": 1}'), { route: 'list' });
    await expect(client.listProjects()).rejects.toMatchObject({ code: 'invalid-response' });
  });
});

describe('the latest version', () => {
  it('is the one finished last', async () => {
    const { client } = await createRig(seed);
    expect(await client.fetchLatest({ project: 'p', asset: 'a' })).toEqual({ ...V1, version: 'v2' });
  });

  it('of what has none is a clear error', async () => {
    const { client } = await createRig(seed);
    await expect(client.fetchLatest({ project: 'p', asset: 'nope' })).rejects.toMatchObject({
      code: 'not-found',
      message: 'p/nope has no latest version.',
    });
  });

  it.each(['..', 'a/b', '.', ''])('is refused when it is "%s"', async (version) => {
    const { client, registry } = await createRig(seed);
    registry.inject(bytes(JSON.stringify({ version })), { key: 'p/a/..latest' });
    await expect(client.fetchLatest(V1)).rejects.toMatchObject({ code: 'invalid-response' });
  });
});

describe('documents', () => {
  it('of a finished version are asked for once', async () => {
    const { client, registry } = await createRig(seed);
    const summary = await client.fetchSummary(V1);
    expect(summary).toMatchObject({ uploadUserId: 'admin', onProbation: false });
    await client.fetchManifest(V1);
    registry.resetCalls();
    expect(await client.fetchSummary(V1)).toEqual(summary);
    expect(Object.keys(await client.fetchManifest(V1))).toEqual(['sub/y.txt', 'x.txt']);
    expect(registry.calls).toEqual([]);
  });

  it('of an upload in progress are given and not remembered', async () => {
    const { client, registry } = await createRig(seed);
    const v9 = { ...V1, version: 'v9' };
    await client.startUpload(v9, []);
    registry.resetCalls();
    expect((await client.fetchSummary(v9)).uploadFinish).toBeUndefined();
    expect(await client.fetchManifest(v9)).toEqual({});
    expect(registry.count()).toBe(3);
  });

  it('are refused when they are not what they must be', async () => {
    const { client, registry } = await createRig(seed);
    registry.inject(bytes('{"upload_user_id": "x", "upload_start": "yesterday"}'), { key: /summary/ });
    await expect(client.fetchSummary(V1)).rejects.toMatchObject({ code: 'invalid-response' });
  });
});

describe('creating a project', () => {
  it('makes one with owners and quota, once', async () => {
    const { client, connect, registry } = await createRig();
    await client.createProject('new', { owners: ['alice'], quota: { baseline: 10, growthRate: 0, year: 2020 } });
    const alice = connect({ token: await registry.addUser('alice') });
    await expect(
      alice.startUpload({ project: 'new', asset: 'a', version: 'v' }, [
        { path: 'x', size: 11, md5sum: 'a'.repeat(32) },
      ]),
    ).rejects.toMatchObject({ code: 'refused' });
    await expect(client.createProject('new')).rejects.toMatchObject({ code: 'refused' });
    await expect(alice.createProject('other')).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('says what is wrong when the registry fails', async () => {
    const { connect, registry } = await createRig();
    registry.inject(status(500), { route: 'create' });
    await expect(connect({ retries: 0 }).createProject('new')).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('unlocking a project', () => {
  it('frees it of an upload that nobody can end; only administrators may', async () => {
    const { client, connect, registry, makeFolder } = await createRig(seed);
    const session = await client.startUpload({ ...V1, version: 'v9' }, []);
    const mine = await makeFolder('mine', { x: 'x' });
    const other = connect({ token: await registry.addUser('somebody') });
    await expect(other.unlockProject('p')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(client.uploadDirectory({ ...V1, version: 'v8' }, mine)).rejects.toMatchObject({
      code: 'project-locked',
      hint: expect.stringContaining('gypsum project unlock'),
    });
    await client.unlockProject('p');
    await client.unlockProject('p');
    expect(await client.uploadDirectory({ ...V1, version: 'v8' }, mine)).toMatchObject({ published: true });
    await expect(client.completeUpload(session)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(client.uploadDirectory({ ...V1, version: 'v9' }, mine)).rejects.toMatchObject({
      code: 'version-exists',
      message: expect.stringContaining('has not been completed'),
    });
  });
});
