import { describe, expect, it } from 'vitest';
import { bytes, status } from '../../mocks/index.ts';
import { formatTreeRecord, type RecordEntry } from '../../src/model/tree-record.ts';
import { createRig } from '../helpers/rig.ts';

const A = { project: 'p', asset: 'a' };
const seed = {
  versions: {
    'p/a/v1': { 'x.txt': 'x', 'y.txt': 'yy', 'old/z.txt': 'zzz' },
    'p/a/v2': { 'x.txt': 'x2', 'y.txt': { link: 'p/a/v1:/y.txt' }, 'new/z.txt': { link: 'p/a/v1:/old/z.txt' } },
    'p/a/v10': { 'x.txt': { link: 'p/a/v2:/x.txt' }, 'more.txt': '4444' },
  },
};
const none = { files: 0, bytes: 0 };

describe('the history of an asset', () => {
  it('tells of each version when, by whom, how much, and what it changed since the one before', async () => {
    const { client, registry } = await createRig(seed);
    const history = await client.listHistory(A);
    expect(history).toMatchObject({ ...A, older: 0 });
    const { uploadUserId } = await client.fetchSummary({ ...A, version: 'v1' });
    const about = { uploadUserId, uploadStart: expect.any(Date), uploadFinish: expect.any(Date), state: 'official' };
    expect(history.versions).toEqual([
      {
        version: 'v10',
        isLatest: true,
        ...about,
        total: { files: 2, bytes: 6 },
        since: 'v2',
        changes: {
          added: { files: 1, bytes: 4 },
          removed: { files: 2, bytes: 5 },
          modified: none,
          moved: none,
          unchanged: { files: 1, bytes: 2 },
        },
      },
      {
        version: 'v2',
        isLatest: false,
        ...about,
        total: { files: 3, bytes: 7 },
        since: 'v1',
        changes: {
          added: none,
          removed: none,
          modified: { files: 1, bytes: 2 },
          moved: { files: 1, bytes: 3 },
          unchanged: { files: 1, bytes: 2 },
        },
      },
      {
        version: 'v1',
        isLatest: false,
        ...about,
        total: { files: 3, bytes: 6 },
        changes: {
          added: { files: 3, bytes: 6 },
          removed: none,
          modified: none,
          moved: none,
          unchanged: none,
        },
      },
    ]);
    registry.resetCalls();
    expect(await client.listHistory(A)).toEqual(history);
    // What cannot change is known by now.
    expect(registry.calls.map(({ route, key }) => key ?? route).sort()).toEqual(['list', 'p/a/..latest']);
  });

  it('begins where it is told to, and ends there; only manifests that are compared are asked for', async () => {
    const { client, registry } = await createRig(seed);
    registry.resetCalls();
    const { versions, older } = await client.listHistory(A, { limit: 1 });
    expect(versions).toMatchObject([{ version: 'v10', since: 'v2', changes: { added: { files: 1 } } }]);
    expect(older).toBe(2);
    expect(registry.count({ key: /manifest/ })).toBe(2);
    expect(await client.listHistory({ ...A, version: 'v2' })).toMatchObject({
      versions: [{ version: 'v2' }, { version: 'v1' }],
      older: 0,
    });
    expect(await client.listHistory({ ...A, version: 'v2' }, { limit: 1 })).toMatchObject({
      versions: [{ version: 'v2', since: 'v1' }],
      older: 1,
    });
  });

  it('marks versions on probation and unfinished ones, which change nothing yet', async () => {
    const { client, makeFolder } = await createRig(seed);
    const trial = await makeFolder('trial', { 'x.txt': 'trial' });
    await client.uploadDirectory({ ...A, version: 'trial' }, trial, { probation: true });
    await client.startUpload({ ...A, version: 'begun' }, [{ path: 'n', size: 1, md5sum: '0'.repeat(32) }]);
    const { versions } = await client.listHistory(A);
    expect(versions.slice(0, 3)).toMatchObject([
      { version: 'begun', state: 'unfinished', isLatest: false, uploadUserId: expect.any(String) },
      { version: 'trial', state: 'probation', isLatest: false, since: 'v10', changes: { modified: { files: 1 } } },
      { version: 'v10', state: 'official', isLatest: true },
    ]);
    expect(versions[0]).not.toHaveProperty('total');
    expect(versions[0]).not.toHaveProperty('changes');
  });

  it('says of a version that cannot be read why, and tells of all others', async () => {
    const { client, registry } = await createRig(seed);
    registry.inject(bytes('{"../x": {"size": 1, "md5sum": "0"}}'), { key: 'p/a/v2/..manifest' });
    const { versions } = await client.listHistory(A);
    expect(versions).toMatchObject([
      { version: 'v10', total: { files: 2 } },
      { version: 'v2', fault: expect.stringMatching(/manifest of p\/a\/v2 is refused/) },
      { version: 'v1', total: { files: 3 }, changes: { added: { files: 3 } } },
    ]);
    for (const version of versions.slice(0, 2)) expect(version).not.toHaveProperty('changes');
  });

  it('counts symlinks and not tree records, and a record that cannot be read is its version’s fault', async () => {
    const record = (...entries: RecordEntry[]) => ({ '.gypsum-tree.json': formatTreeRecord({ entries }) });
    const link = (path: string, target: string) =>
      ({ type: 'symlink', path, target, targetType: 'unknown' }) as const satisfies RecordEntry;
    const { client, connect, registry } = await createRig({
      versions: {
        'p/a/v1': { x: 'x' },
        'p/a/v2': { x: 'x', ...record(link('l', 'x'), link('m', 'x')) },
        'p/a/v3': { x: 'x', ...record({ type: 'directory', path: 'e' }, link('l', 'y')) },
        'p/a/v4': { x: 'x', '.gypsum-tree.json': 'hoot' },
      },
    });
    const expected = [
      { version: 'v4', fault: expect.stringMatching(/tree record of p\/a\/v4 is refused/) },
      {
        version: 'v3',
        total: { files: 1, bytes: 1, symlinks: 1 },
        changes: {
          added: { ...none, folders: 1 },
          removed: { ...none, symlinks: 1 },
          modified: { ...none, symlinks: 1 },
          moved: none,
          unchanged: { files: 1, bytes: 1 },
        },
      },
      { version: 'v2', total: { files: 1, bytes: 1, symlinks: 2 }, changes: { added: { ...none, symlinks: 2 } } },
      { version: 'v1', total: { files: 1, bytes: 1 } },
    ];
    expect((await client.listHistory(A)).versions).toMatchObject(expected);
    registry.resetCalls();
    expect((await connect({ offline: true }).listHistory(A)).versions).toMatchObject(expected);
    expect(registry.calls).toEqual([]);
  });

  it('ends with what goes wrong for all', async () => {
    const { client, registry } = await createRig(seed);
    registry.inject(status(403), { key: 'p/a/v2/..manifest' });
    await expect(client.listHistory(A)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('is what the cache knows offline, and nothing is said to be the latest', async () => {
    const { client, connect, registry } = await createRig(seed);
    await client.listHistory({ ...A, version: 'v2' });
    await client.fetchSummary({ ...A, version: 'v10' });
    registry.resetCalls();
    const { versions } = await connect({ offline: true }).listHistory(A);
    expect(registry.calls).toEqual([]);
    expect(versions).toMatchObject([
      {
        version: 'v10',
        isLatest: false,
        fault: expect.stringMatching(/The manifest of p\/a\/v10 is not in the cache/),
      },
      { version: 'v2', isLatest: false, since: 'v1', changes: { modified: { files: 1 } } },
      { version: 'v1' },
    ]);
  });

  it.each([
    ['an asset', { project: 'p', asset: 'b' }, /has no versions of p\/b/],
    ['a project', { project: 'q', asset: 'b' }, /has no versions of q\/b/],
    ['a version', { ...A, version: 'v3' }, /has no version p\/a\/v3/],
  ])('is none of %s that is not there', async (_what, ref, message) => {
    const { client } = await createRig(seed);
    await expect(client.listHistory(ref)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(message),
    });
  });

  it.each([0, -1, 1.5, Number.NaN])('has no limit of %s', async (limit) => {
    const { client, registry } = await createRig(seed);
    registry.resetCalls();
    await expect(client.listHistory(A, { limit })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(registry.calls).toEqual([]);
  });

  it('has no versions with names that lead elsewhere, whatever a registry lists', async () => {
    const { client, registry } = await createRig(seed);
    registry.inject(bytes('["p/a/v1/", "p/a/x/../../../y/", "p/a/./"]'), { route: 'list' });
    const { versions } = await client.listHistory(A);
    expect(versions.map(({ version }) => version)).toEqual(['v1']);
  });
});
