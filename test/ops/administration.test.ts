import { describe, expect, it } from 'vitest';
import type { Fault } from '../../mocks/index.ts';
import type { VersionRef } from '../../src/index.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const seed = { versions: { 'p/a/v1': { 'x.txt': 'hello' }, 'p/a/v2': { 'x.txt': 'hello', 'y.txt': 'world' } } };

const exists = async ({ connect }: Rig, ref: VersionRef) => {
  // Another cache, which remembers nothing.
  const versions = await connect().listVersions(ref);
  return versions.includes(ref.version);
};

/** The registry acts, and its answer is lost. */
const lost: Fault = async (_request, next) => {
  await next();
  return Response.error();
};

async function probational(rig: Rig, ref: VersionRef): Promise<void> {
  await rig.client.uploadContents(ref, [{ path: 'z.txt', content: `of ${ref.version}` }], { probation: true });
}

describe('permissions', () => {
  it('are read, added to and replaced', async () => {
    const { client } = await createRig(seed);
    await client.setPermissions('p', { owners: ['alice'], append: false });
    const until = new Date('2031-02-03T04:05:06.000Z');
    const bob = { id: 'bob', asset: 'a', version: 'v9', until, trusted: true };
    expect(await client.setPermissions('p', { owners: ['carol', 'alice'], uploaders: [bob] })).toEqual({
      owners: ['alice', 'carol'],
      uploaders: [bob],
    });
    expect(await client.fetchPermissions('p')).toEqual({ owners: ['alice', 'carol'], uploaders: [bob] });
    await client.setPermissions('p', { uploaders: [{ id: 'dave' }], append: false });
    expect(await client.fetchPermissions('p')).toEqual({ owners: ['alice', 'carol'], uploaders: [{ id: 'dave' }] });
    await client.setPermissions('p', { owners: ['erin'], append: false });
    expect(await client.fetchPermissions('p')).toEqual({ owners: ['erin'], uploaders: [{ id: 'dave' }] });
  });

  it('are not there where the project is not', async () => {
    const { client } = await createRig();
    for (const call of [client.fetchPermissions, client.fetchQuota, client.fetchUsage, client.fetchLock]) {
      await expect(call('nope')).rejects.toMatchObject({ code: 'not-found' });
    }
    await expect(client.setPermissions('..', {})).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

it('a quota is read and changed in part, and says what it comes to', async () => {
  const { client } = await createRig(seed);
  const year = new Date().getUTCFullYear();
  await client.setQuota('p', { baseline: 100, growthRate: 10, year: year - 3 });
  await client.setQuota('p', { baseline: 200 });
  expect(await client.fetchQuota('p')).toEqual({ baseline: 200, growthRate: 10, year: year - 3, allowed: 230 });
  expect(await client.fetchUsage('p')).toBe(15);
});

it.each<[string, string, number]>([
  ['the registry’s clock', 'Fri, 31 Dec 2100 23:59:59 GMT', 2100],
  ['this machine’s, where the registry says no date', 'soon', new Date().getUTCFullYear()],
])('the years of a quota are counted by %s', async (_name, date, thisYear) => {
  const { client, registry } = await createRig(seed);
  const dated: Fault = async (_request, next) => {
    const answer = await next();
    return new Response(answer.body, {
      status: answer.status,
      headers: { ...Object.fromEntries(answer.headers), date },
    });
  };
  registry.inject(dated, { key: 'p/..quota' });
  await client.setQuota('p', { baseline: 100, growthRate: 10, year: 2000 });
  expect(await client.fetchQuota('p')).toMatchObject({ allowed: 100 + (thisYear - 2000) * 10 });
});

describe('a version on probation', () => {
  it('is approved and rejected', async () => {
    const rig = await createRig(seed);
    const { client, connect } = rig;
    const v3 = { ...V1, version: 'v3' };
    const v4 = { ...V1, version: 'v4' };
    await probational(rig, v3);
    await probational(rig, v4);
    expect(await client.fetchLatest(V1)).toEqual(V2);
    await client.approveProbation(v3);
    expect(await connect().fetchSummary(v3)).toMatchObject({ onProbation: false });
    expect(await client.fetchLatest(V1)).toEqual(v3);
    await client.rejectProbation(v4);
    expect(await exists(rig, v4)).toBe(false);
    await expect(client.approveProbation(v3)).rejects.toMatchObject({ code: 'refused' });
    await expect(client.rejectProbation(V1)).rejects.toMatchObject({ code: 'refused' });
  });

  it.each(['approve', 'reject'] as const)('is known to be ended where the answer to %s was lost', async (verb) => {
    const rig = await createRig(seed);
    const v3 = { ...V1, version: 'v3' };
    await probational(rig, v3);
    const end = verb === 'approve' ? rig.client.approveProbation : rig.client.rejectProbation;
    rig.registry.inject(lost, { route: verb, times: 1 });
    await end(v3);
    expect(rig.registry.calls.filter(({ route }) => route === verb)).toHaveLength(1);
  });
});

it('what there is is removed, and the usage with it', async () => {
  const rig = await createRig(seed);
  const { client } = rig;
  await client.removeVersion(V2);
  expect(await exists(rig, V2)).toBe(false);
  expect(await client.fetchLatest(V1)).toEqual(V1);
  expect(await client.fetchUsage('p')).toBe(5);
  await client.removeAsset(V1);
  expect(await client.listAssets('p')).toEqual([]);
  expect(await client.fetchUsage('p')).toBe(0);
  await client.removeProject('p');
  expect(await client.listProjects()).toEqual([]);
  // To remove what is not there succeeds, as it would after an answer that was lost.
  await client.removeProject('p');
  await expect(client.removeVersion({ ...V1, version: '..' })).rejects.toMatchObject({ code: 'invalid-argument' });
});

it('what follows from the versions is counted again', async () => {
  const { client } = await createRig(seed);
  expect(await client.refreshLatest(V1)).toEqual(V2);
  expect(await client.refreshLatest({ project: 'p', asset: 'none' })).toBe(undefined);
  expect(await client.refreshUsage('p')).toBe(15);
});

it('a lock is shown, and released with what was sent', async () => {
  const rig = await createRig(seed);
  const { client } = rig;
  expect(await client.fetchLock('p')).toBe(undefined);
  const v3 = { ...V1, version: 'v3' };
  await client.startUpload(v3, []);
  expect(await client.fetchLock('p')).toEqual({
    work: 'upload',
    asset: 'a',
    version: 'v3',
    user: 'admin',
    since: expect.any(Date),
  });
  expect(await client.releaseProject('p')).toBe(true);
  expect(await client.fetchLock('p')).toBe(undefined);
  expect(await exists(rig, v3)).toBe(false);
  expect(await client.releaseProject('p')).toBe(false);
});
