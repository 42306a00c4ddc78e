import { expect, it } from 'vitest';
import { backupRegistry } from '../../src/server/backup-registry.ts';
import { diskStorage, type Problem, type Storage } from '../../src/server/index.ts';
import { verifyRegistry } from '../../src/server/verify-registry.ts';
import { createRig, md5, type Rig, type Started, temporaryFolder } from './rig.ts';

/** A registry's storage, in which something is done once before a key is first read. */
async function interrupted({ data }: Rig, key: string, work: () => Promise<unknown>): Promise<Storage> {
  const storage = await diskStorage(data, { readOnly: true });
  let isDone = false;
  const before = async (asked: string) => {
    if (isDone || asked !== key) return;
    isDone = true;
    await work();
  };
  return {
    ...storage,
    size: async (asked) => before(asked).then(() => storage.size(asked)),
    head: async (asked) => before(asked).then(() => storage.head(asked)),
    get: async (asked, range) => before(asked).then(() => storage.get(asked, range)),
  };
}

async function backUp(from: Storage, { to, prune = false }: { to?: Storage; prune?: boolean } = {}) {
  to ??= await diskStorage(await temporaryFolder());
  await backupRegistry(from, to, { prune });
  const problems: Problem[] = [];
  const { versions } = await verifyRegistry(to, { onProblem: (problem) => problems.push(problem) });
  const latest = await to.get('p/a/..latest');
  return { problems, versions, latest: latest && JSON.parse(String(await latest.body.toArray())).version };
}

it.each([
  ['a file', 'p/a/v2/y.txt'],
  ['the manifest', 'p/a/v2/..manifest'],
  ['the summary', 'p/a/v2/..summary'],
  ['the latest', 'p/a/..latest'],
])('a version that is removed before %s is read is not in the copy', async (_, key) => {
  const rig = await createRig();
  await rig.publish('v1', { 'x.txt': 'hello' });
  await rig.publish('v2', { 'x.txt': 'hello', 'y.txt': 'world' });
  const from = await interrupted(rig, key, () => rig.call('DELETE', '/remove/p/a/v2', { token: 'admin' }));
  const { versions, ...rest } = await backUp(from);
  expect(rest).toEqual({ problems: [], latest: versions === 1 ? 'v1' : 'v2' });
});

it.each([
  ['a file', 'p/a/v1/x.txt'],
  ['the latest', 'p/a/..latest'],
  ['the usage', 'p/..usage'],
  ['the permissions', 'p/..permissions'],
])('a version that is published before %s is read is whole in the copy, or is not there', async (_, key) => {
  const rig = await createRig();
  await rig.publish('v1', { 'x.txt': 'hello' });
  const from = await interrupted(rig, key, () => rig.publish('v2', { 'y.txt': 'world' }));
  const { versions, ...rest } = await backUp(from);
  expect(rest).toEqual({ problems: [], latest: `v${versions}` });
});

it('a project that is removed meanwhile is not half there', async () => {
  const rig = await createRig();
  await rig.publish('v1', { 'x.txt': 'hello' });
  const from = await interrupted(rig, 'p/a/..latest', () => rig.call('DELETE', '/remove/p', { token: 'admin' }));
  expect((await backUp(from)).problems).toEqual([]);
});

it('a version that is approved meanwhile is official in the copy', async () => {
  const rig = await createRig();
  const files = [{ type: 'simple', path: 'x.txt', size: 5, md5sum: md5('hello') }];
  const body = { files, on_probation: true };
  const answer = await rig.call('POST', '/upload/start/p/a/v1', { token: 'owner', body });
  const started = (await answer.json()) as Started;
  await rig.send(started, { 'x.txt': 'hello' });
  await rig.call('POST', started.complete_url, { token: started.session_token });
  const approve = () => rig.call('POST', '/probation/approve/p/a/v1', { token: 'owner' });
  const from = await interrupted(rig, 'p/a/v1/x.txt', approve);
  expect(await backUp(from)).toEqual({ problems: [], versions: 1, latest: 'v1' });
});

it.each([false, true])(
  'a version that becomes another one after it was copied stays what it was (prune: %s)',
  async (prune) => {
    const rig = await createRig();
    await rig.publish('v1', { 'x.txt': 'hello', 'y.txt': 'world' });
    const from = await diskStorage(rig.data, { readOnly: true });
    const to = await diskStorage(await temporaryFolder());
    await backUp(from, { to });
    const replace = async () => {
      await rig.call('DELETE', '/remove/p/a/v1', { token: 'admin' });
      await rig.publish('v1', { 'x.txt': 'another' });
    };
    // All versions have been copied by then, and what is gone is looked for.
    let looks = 0;
    const later: Storage = {
      ...from,
      size: async (key) => {
        if (key === 'p/..permissions' && looks++ === 0) await replace();
        return from.size(key);
      },
    };
    expect(await backUp(later, { to, prune })).toEqual({ problems: [], versions: 1, latest: 'v1' });
    expect(await to.size('p/a/v1/y.txt')).toBe(5);
    expect(await backUp(from, { to, prune })).toEqual({ problems: [], versions: 1, latest: 'v1' });
    expect(await to.size('p/a/v1/y.txt')).toBe(undefined);
  },
);

it('an asset and a project that are gone leave nothing in a copy that is pruned', async () => {
  const rig = await createRig();
  await rig.publish('v1', { 'x.txt': 'hello' });
  const from = await diskStorage(rig.data, { readOnly: true });
  const to = await diskStorage(await temporaryFolder());
  await backUp(from, { to });
  await rig.call('DELETE', '/remove/p/a', { token: 'admin' });
  expect(await backUp(from, { to, prune: true })).toEqual({ problems: [], versions: 0, latest: undefined });
  await rig.call('DELETE', '/remove/p', { token: 'admin' });
  await backUp(from, { to, prune: true });
  for await (const key of to.list('p')) expect.unreachable(key);
});
