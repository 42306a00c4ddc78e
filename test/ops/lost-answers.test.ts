import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Fault, status } from '../../mocks/index.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const seed = { projects: { p: {} } };

const uploadEvents = ({ events }: Rig) => events.map(({ type }) => type).filter((type) => type.startsWith('upload'));

/** The registry acts, and only then the signal is aborted; the answer comes a little later. */
const abortedAfter = (stop: AbortController, reason: Error): Fault => {
  return async (_request, next) => {
    const answer = await next();
    stop.abort(reason);
    await setTimeout(50);
    return answer;
  };
};

/** The registry acts, and its answer is lost. */
const lost: Fault = async (_request, next) => {
  await next();
  return Response.error();
};

describe('the answer to a start', () => {
  it('is waited for when the upload is aborted meanwhile: the session is ended', async () => {
    const rig = await createRig(seed);
    const stop = new AbortController();
    const reason = new Error('enough');
    rig.registry.inject(abortedAfter(stop, reason), { route: 'start', times: 1 });
    const mine = await rig.makeFolder('mine', { x: 'x' });
    await expect(rig.client.uploadDirectory(V1, mine, { ...rig.watch, signal: stop.signal })).rejects.toBe(reason);
    expect(uploadEvents(rig)).toEqual(['upload-started', 'upload-aborted']);
    expect(await rig.client.uploadDirectory(V1, mine)).toMatchObject({ published: true });
  });

  it('that is lost is told: the project may be locked', async () => {
    const rig = await createRig(seed);
    rig.registry.inject(lost, { route: 'start', times: 1 });
    const mine = await rig.makeFolder('mine', { x: 'x' });
    await expect(rig.client.uploadDirectory(V1, mine, { ...rig.watch, wait: true })).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(uploadEvents(rig)).toEqual(['upload-abandoned']);
    await expect(rig.client.uploadDirectory(V2, mine)).rejects.toMatchObject({ code: 'project-locked' });
  });

  it.each([500, 502, 504])('that a proxy made into a %i is told too', async (code) => {
    const rig = await createRig(seed);
    rig.registry.inject(
      async (_request, next) => {
        await next();
        return Response.json({}, { status: code });
      },
      { route: 'start', times: 1 },
    );
    const mine = await rig.makeFolder('mine', { x: 'x' });
    await expect(rig.client.uploadDirectory(V1, mine, rig.watch)).rejects.toMatchObject({ code: 'unavailable' });
    expect(uploadEvents(rig)).toEqual(['upload-abandoned']);
  });

  it('that is a no has started nothing, and nothing is said of it', async () => {
    const rig = await createRig(seed);
    const mine = await rig.makeFolder('mine', { x: 'x' });
    const token = await rig.registry.addUser('somebody');
    await expect(rig.connect({ token }).uploadDirectory(V1, mine, rig.watch)).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(uploadEvents(rig)).toEqual([]);
  });

  it('that asks for a file which was not named ends the session; its text is shown as text', async () => {
    const rig = await createRig(seed);
    rig.registry.inject(
      async (_request, next) => {
        const answer = (await (await next()).json()) as { file_urls: { path: string }[] };
        for (const file of answer.file_urls) file.path = 'other\u001b[31m';
        return Response.json(answer);
      },
      { route: 'start', times: 1 },
    );
    const mine = await rig.makeFolder('mine', { x: 'x' });
    await expect(rig.client.uploadDirectory(V1, mine, rig.watch)).rejects.toMatchObject({
      code: 'invalid-response',
      message: expect.stringContaining('"other\\x1b[31m"'),
    });
    expect(uploadEvents(rig)).toEqual(['upload-started', 'upload-aborted']);
    expect(await rig.client.uploadDirectory(V1, mine)).toMatchObject({ published: true });
  });
});

describe('the answer to a completion', () => {
  it('that comes after an abort is believed: the version is published', async () => {
    const rig = await createRig(seed);
    const stop = new AbortController();
    rig.registry.inject(abortedAfter(stop, new Error('enough')), { route: 'complete' });
    const mine = await rig.makeFolder('mine', { x: 'x' });
    const result = await rig.client.uploadDirectory(V1, mine, { ...rig.watch, signal: stop.signal });
    expect(result).toMatchObject({ ...V1, published: true });
    expect(uploadEvents(rig)).toEqual(['upload-started', 'upload-completed']);
  });

  it('that is lost is asked for again, whatever a registry then says of the session that is over', async () => {
    const rig = await createRig(seed);
    rig.registry.inject(lost, { route: 'complete', times: 1 });
    rig.registry.inject(
      async () => {
        const reason = 'project has not been previously locked for upload';
        return Response.json({ status: 'error', reason }, { status: 403 });
      },
      { route: 'abort' },
    );
    let first = true;
    rig.registry.inject(
      async (_request, next) => {
        if (first) {
          first = false;
          return next();
        }
        const reason = 'project has not been previously locked for upload';
        return Response.json({ status: 'error', reason }, { status: 403 });
      },
      { route: 'complete' },
    );
    const mine = await rig.makeFolder('mine', { x: 'x' });
    expect(await rig.client.uploadDirectory(V1, mine, rig.watch)).toMatchObject({ published: true });
    expect(uploadEvents(rig)).toEqual(['upload-started', 'upload-completed']);
  });
});

describe('the answer to an abort', () => {
  it('that is lost is no false alarm: the session is over and nothing is left', async () => {
    const rig = await createRig(seed);
    rig.registry.inject(status(400), { route: 'complete' });
    rig.registry.inject(lost, { route: 'abort', times: 1 });
    const mine = await rig.makeFolder('mine', { x: 'x' });
    await expect(rig.client.uploadDirectory(V1, mine, rig.watch)).rejects.toMatchObject({ code: 'refused' });
    expect(uploadEvents(rig)).toEqual(['upload-started', 'upload-aborted']);
  });
});

describe('an upload that is stopped while it reads digests', () => {
  it('starts nothing', async () => {
    const rig = await createRig(seed);
    const stop = new AbortController();
    const reason = new Error('enough');
    const onEvent = (event: { type: string; task?: string }) => {
      if (event.type === 'start' && event.task === 'digest') stop.abort(reason);
    };
    const mine = await rig.makeFolder('mine', { x: 'x'.repeat(1_000_000) });
    await expect(rig.client.uploadDirectory(V1, mine, { signal: stop.signal, onEvent })).rejects.toBe(reason);
    expect(rig.registry.count({ method: 'POST' })).toBe(0);
  });
});

describe('a cached record', () => {
  it.each(['..manifest', '..summary'])('%s that cannot be read is asked for again', async (name) => {
    const { client, cacheDir, registry } = await createRig({ versions: { 'p/a/v1': { x: 'xx' } } });
    await client.saveVersion(V1);
    await writeFile(join(cacheDir, '.gypsum-client/1/versions/p/a/v1', name), '');
    registry.resetCalls();
    expect(await client.saveVersion(V1)).toMatchObject({ files: 1 });
    expect(registry.calls.map(({ key }) => key)).toEqual([`p/a/v1/${name}`]);
    registry.resetCalls();
    await client.saveVersion(V1);
    expect(registry.calls).toEqual([]);
  });

  it('is ours alone: what other clients write in its place in the bucket is not believed', async () => {
    const { client, cacheDir, registry } = await createRig({ versions: { 'p/a/v1': { x: 'xx' } } });
    await client.saveVersion(V1);
    registry.resetCalls();
    await writeFile(join(cacheDir, 'bucket/p/a/v1/..manifest'), '{}');
    expect(await client.saveVersion(V1)).toMatchObject({ files: 1 });
    expect(registry.calls).toEqual([]);
  });
});

describe('a destination whose name is not UTF-8', () => {
  it.runIf(process.platform === 'linux')(
    'is removed after a failure, and no folder that was there before',
    async () => {
      const { client, folder, registry } = await createRig({ versions: { 'p/a/v1': { x: 'xx' } } });
      await mkdir(join(folder, 'outer/mine'), { recursive: true });
      const stop = new AbortController();
      const onEvent = (event: { type: string; task?: string }) => {
        if (event.type === 'start' && event.task === 'clone') stop.abort(new Error('enough'));
      };
      const destination = join(folder, 'outer/mine/caf\udce9/x');
      await expect(client.cloneVersion(V1, destination, { onEvent, signal: stop.signal })).rejects.toThrow('enough');
      expect(registry.count()).toBeGreaterThan(0);
      expect(existsSync(join(folder, 'outer/mine'))).toBe(true);
      expect(await readdir(join(folder, 'outer/mine'))).toEqual([]);
    },
  );
});

describe('a folder whose own path is not UTF-8', () => {
  it.runIf(process.platform === 'linux')('can be published', async () => {
    const { client, folder } = await createRig(seed);
    const path = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.of(0xe9)]);
    await mkdir(path);
    await writeFile(Buffer.concat([path, Buffer.from('/x.txt')]), 'content');
    expect(await client.uploadDirectory(V1, `${folder}/caf\udce9`)).toMatchObject({ sent: { files: 1, bytes: 7 } });
  });
});

describe('every call', () => {
  it('answers an impossible argument with a rejection, never with a throw', async () => {
    const { client } = await createRig();
    const bad = { project: '..', asset: 'a', version: 'v', path: 'x' };
    const calls: (() => Promise<unknown>)[] = [
      () => client.fetchManifest(bad),
      () => client.fetchSummary(bad),
      () => client.fetchLatest(bad),
      () => client.listAssets('..'),
      () => client.listVersions(bad),
      () => client.listFiles(bad),
      () => client.saveFile(bad),
      () => client.saveVersion(bad),
      () => client.cloneVersion(bad, '/tmp/never'),
      () => client.prepareDirectoryUpload('/nowhere/at/all'),
      () => client.planUpload(bad, '/tmp'),
      () => client.startUpload(bad, []),
      () => client.uploadDirectory(bad, '/tmp'),
      () => client.uploadContents(bad, []),
      () => client.resumeUpload(bad),
      () => client.abortRecordedUpload(bad),
      () => client.createProject('..'),
      () => client.fetchPermissions('..'),
      () => client.setPermissions('..', {}),
      () => client.fetchQuota('..'),
      () => client.setQuota('..', {}),
      () => client.fetchUsage('..'),
      () => client.fetchLock('..'),
      () => client.releaseProject('..'),
      () => client.unlockProject('..'),
      () => client.approveProbation(bad),
      () => client.rejectProbation(bad),
      () => client.refreshLatest(bad),
      () => client.refreshUsage('..'),
      () => client.removeProject('..'),
      () => client.removeAsset(bad),
      () => client.removeVersion(bad),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('takes a signal: one that is aborted already means that nothing is done', async () => {
    const { client, registry, folder, makeFolder } = await createRig({ versions: { 'p/a/v1': { x: 'x' } } });
    const mine = await makeFolder('mine', { y: 'y' });
    const session = await client.startUpload(V2, [{ path: 'x', size: 1, md5sum: '9dd4e461268c8034f5c8564e155c67a6' }]);
    const plan = { ...V2, files: [], links: [] };
    registry.resetCalls();
    const reason = new Error('enough');
    const options = { signal: AbortSignal.abort(reason) };
    const calls: (() => Promise<unknown>)[] = [
      () => client.fetchManifest(V1, options),
      () => client.fetchSummary(V1, options),
      () => client.fetchLatest(V1, options),
      () => client.listProjects(options),
      () => client.listAssets('p', options),
      () => client.listVersions(V1, options),
      () => client.listFiles(V1, options),
      () => client.saveFile({ ...V1, path: 'x' }, options),
      () => client.saveVersion(V1, options),
      () => client.cloneVersion(V1, join(folder, 'clone'), options),
      () => client.prepareDirectoryUpload(mine, options),
      () => client.planUpload(V2, mine, options),
      () => client.applyUpload(plan, options),
      () => client.startUpload(V2, [], options),
      () => client.uploadFiles(session, () => join(mine, 'y'), options),
      () => client.completeUpload(session, options),
      () => client.abortUpload(session, options),
      () => client.uploadDirectory(V2, mine, options),
      () => client.uploadContents(V2, [], options),
      () => client.listUploads(options),
      () => client.resumeUpload(V2, options),
      () => client.abortRecordedUpload(V2, options),
      () => client.createProject('new', options),
      () => client.unlockProject('p', options),
      () => client.fetchPermissions('p', options),
      () => client.setPermissions('p', { owners: ['x'], ...options }),
      () => client.fetchQuota('p', options),
      () => client.setQuota('p', { baseline: 1, ...options }),
      () => client.fetchUsage('p', options),
      () => client.fetchLock('p', options),
      () => client.releaseProject('p', options),
      () => client.approveProbation(V1, options),
      () => client.rejectProbation(V1, options),
      () => client.refreshLatest(V1, options),
      () => client.refreshUsage('p', options),
      () => client.removeProject('p', options),
      () => client.removeAsset(V1, options),
      () => client.removeVersion(V1, options),
      () => client.whoAmI(options),
    ];
    for (const call of calls) await expect(call()).rejects.toBe(reason);
    expect(registry.calls).toEqual([]);
    expect(existsSync(join(folder, 'clone'))).toBe(false);
  });
});
