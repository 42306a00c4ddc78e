import { appendFileSync } from 'node:fs';
import { appendFile, readFile, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cutOff, delay, disconnected, type Fault, status } from '../../mocks/index.ts';
import type { GypsumEvent } from '../../src/index.ts';
import { createRig, md5, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { 'a.txt': 'content of a', 'sub/b.txt': 'content of b', empty: '', 'ünï/é %41 #1?.txt': 'names' };
const seed = { projects: { p: {} } };

describe('publishing a folder', () => {
  it('makes a version with its files, whatever their names', async () => {
    const { client, makeFolder, folder, connect } = await createRig(seed);
    const files = { ...FILES, '日本/語.txt': 'Namen' };
    const result = await client.uploadDirectory(V1, await makeFolder('mine', files));
    expect(result).toEqual({
      ...V1,
      published: true,
      files: 5,
      bytes: 34,
      sent: { files: 5, bytes: 34 },
      linked: { files: 0, bytes: 0 },
    });
    await connect({ cacheDir: join(folder, 'other') }).saveVersion(V1);
    const tree = await readTree(join(folder, 'other/bucket/p/a/v1'));
    expect(tree).toMatchObject(files);
    expect(await client.fetchLatest(V1)).toEqual(V1);
    expect((await client.fetchSummary(V1)).uploadFinish).toBeInstanceOf(Date);
  });

  it('asks whether the version exists before it starts, and never starts one that does', async () => {
    const { client, makeFolder, registry } = await createRig({ versions: { 'p/a/v1': FILES } });
    const mine = await makeFolder('mine', { x: 'x' });
    await expect(client.uploadDirectory(V1, mine)).rejects.toMatchObject({ code: 'version-exists' });
    expect(registry.calls.map(({ route, key }) => [route, key])).toEqual([['file', 'p/a/v1/..summary']]);
    await expect(client.startUpload(V1, [])).rejects.toMatchObject({ code: 'version-exists' });
    expect(registry.count({ route: 'start' })).toBe(0);
  });

  it('sends of an edited clone what was edited alone', async () => {
    const { client, folder, registry, connect } = await createRig({ versions: { 'p/a/v1': FILES } });
    const clone = join(folder, 'clone');
    await client.cloneVersion(V1, clone, { download: false });
    await unlink(join(clone, 'a.txt'));
    await writeFile(join(clone, 'a.txt'), 'edited');
    const result = await client.uploadDirectory(V2, clone);
    expect(result).toMatchObject({ files: 4, sent: { files: 1, bytes: 6 }, linked: { files: 3, bytes: 17 } });
    expect(registry.count({ route: 'put' })).toBe(1);
    expect(await client.fetchManifest(V2)).toEqual({
      'a.txt': { size: 6, md5sum: md5('edited') },
      empty: { size: 0, md5sum: md5(''), link: { ...V1, path: 'empty' } },
      'sub/b.txt': { size: 12, md5sum: md5('content of b'), link: { ...V1, path: 'sub/b.txt' } },
      'ünï/é %41 #1?.txt': { size: 5, md5sum: md5('names'), link: { ...V1, path: 'ünï/é %41 #1?.txt' } },
    });
    await connect({ cacheDir: join(folder, 'other') }).saveVersion(V2);
    const tree = await readTree(join(folder, 'other/bucket/p/a/v2'));
    expect(tree).toMatchObject({ ...FILES, 'a.txt': 'edited' });
  });

  it('links what a symlink to a folder of the cache stands for, also where that is not in the cache', async () => {
    const { client, makeFolder, cacheDir, registry } = await createRig({ versions: { 'p/a/v1': FILES } });
    const mine = await makeFolder('mine', { new: 'new' });
    await symlink(join(cacheDir, 'bucket/p/a/v1'), join(mine, 'old'));
    expect(await client.uploadDirectory(V2, mine)).toMatchObject({ sent: { files: 1 }, linked: { files: 4 } });
    await client.saveFile({ ...V1, path: 'a.txt' });
    await writeFile(join(mine, 'new'), 'newer');
    const v3 = { ...V1, version: 'v3' };
    expect(await client.uploadDirectory(v3, mine)).toMatchObject({ sent: { files: 1 }, linked: { files: 4 } });
    const plan = await client.planUpload({ ...V1, version: 'v4' }, mine);
    await unlink(join(mine, 'old'));
    registry.resetCalls();
    await expect(client.applyUpload(plan)).rejects.toMatchObject({ code: 'file-changed' });
    expect(registry.count({ route: 'start' })).toBe(0);
  });

  it('lets the registry make links of what the latest version has, unless told not to', async () => {
    const { client, makeFolder } = await createRig({ versions: { 'p/a/v1': FILES } });
    const mine = await makeFolder('mine', { ...FILES, 'new.txt': 'new' });
    expect(await client.uploadDirectory(V2, mine)).toMatchObject({ sent: { files: 1 }, linked: { files: 4 } });
    const v3 = { ...V1, version: 'v3' };
    expect(await client.uploadDirectory(v3, mine, { deduplicate: false })).toMatchObject({ sent: { files: 5 } });
  });

  it('counts what it sends in events', async () => {
    const { client, makeFolder, events, watch } = await createRig(seed);
    await client.uploadDirectory(V1, await makeFolder('mine', FILES), watch);
    const sum = (task: string) =>
      events.reduce(
        ({ files, bytes }, event) =>
          event.type === 'progress' && event.task === task
            ? { files: files + event.files, bytes: bytes + event.bytes }
            : { files, bytes },
        { files: 0, bytes: 0 },
      );
    expect(sum('digest')).toEqual({ files: 4, bytes: 29 });
    expect(sum('send')).toEqual({ files: 4, bytes: 29 });
    expect(events.filter(({ type }) => type.startsWith('upload'))).toEqual([
      { type: 'upload-started', ref: V1 },
      { type: 'upload-completed', ref: V1 },
    ]);
  });
});

describe('a slow registry', () => {
  it('gets every byte, once: none is read before there is a connection for it', async () => {
    const { client, makeFolder, registry, events, watch } = await createRig(seed);
    registry.inject(delay(50), { route: 'put' });
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, `${n}`.repeat(20_000)]));
    await client.uploadDirectory(V1, await makeFolder('mine', files), watch);
    expect(events.filter(({ type }) => type === 'retry')).toEqual([]);
    expect(registry.count({ route: 'put' })).toBe(40);
  });
});

describe('names with spaces, percent signs and plus signs', () => {
  it.each([
    ['my project', 'an asset', '1.0 beta'],
    ['p+q', '50%', 'v%2F1'],
    ['é', '日本', 'v#1?x=y'],
  ])('come through: %s/%s/%s', async (project, asset, version) => {
    const { client, makeFolder } = await createRig();
    const ref = { project, asset, version };
    await client.createProject(project);
    await client.uploadDirectory(ref, await makeFolder('mine', FILES));
    expect(await client.listVersions(ref)).toEqual([version]);
    expect(await client.saveVersion(ref)).toMatchObject({ files: 4 });
  });
});

describe('a faulty registry', () => {
  const faults: [string, Fault][] = [
    ['a dropped connection', disconnected()],
    ['an answer that breaks off', cutOff(0)],
    ['a busy server', status(503)],
  ];

  it.each(faults)('is tried again after %s while sending', async (_name, fault) => {
    const { client, makeFolder, registry, events, watch } = await createRig(seed);
    registry.inject(fault, { route: 'put', times: 2 });
    registry.inject(fault, { route: 'presign', times: 2 });
    await client.uploadDirectory(V1, await makeFolder('mine', FILES), watch);
    expect(await client.saveVersion(V1)).toMatchObject({ files: 4, bytes: 29 });
    const sent = events.filter((event) => event.type === 'progress' && event.task === 'send');
    expect(sent.reduce((sum, event) => sum + (event.type === 'progress' ? event.bytes : 0), 0)).toBe(29);
  });

  it('that has completed but could not say so is believed', async () => {
    const { client, makeFolder, registry } = await createRig(seed);
    registry.inject(
      async (_request, next) => {
        await next();
        return Response.error();
      },
      { route: 'complete', times: 1 },
    );
    await client.uploadDirectory(V1, await makeFolder('mine', FILES));
    expect(await client.saveVersion(V1)).toMatchObject({ files: 4 });
    expect(registry.count({ route: 'abort' })).toBe(0);
  });

  it('is asked to start once: nobody would hold the token of a second start', async () => {
    const { client, makeFolder, registry } = await createRig(seed);
    registry.inject(disconnected(), { route: 'start' });
    await expect(client.uploadDirectory(V1, await makeFolder('mine', FILES))).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(registry.count({ route: 'start' })).toBe(1);
  });
});

describe('a failure after the start', () => {
  /** The project is unlocked, nothing of the version is left, and it can be published after all. */
  async function expectNothingLeft(rig: Awaited<ReturnType<typeof createRig>>) {
    rig.registry.clearFaults();
    expect(rig.events.map(({ type }) => type).filter((type) => type.startsWith('upload'))).toEqual([
      'upload-started',
      'upload-aborted',
    ]);
    expect(await rig.client.listVersions(V1)).toEqual([]);
    await expect(rig.client.fetchSummary(V1)).rejects.toMatchObject({ code: 'not-found' });
    const again = await rig.makeFolder('again', FILES);
    expect(await rig.client.uploadDirectory(V1, again)).toMatchObject({ files: 4 });
  }

  it('aborts the session', async () => {
    const rig = await createRig(seed);
    rig.registry.inject(status(500), { route: 'put', key: /b\.txt/ });
    const mine = await rig.makeFolder('mine', FILES);
    await expect(rig.connect({ retries: 1 }).uploadDirectory(V1, mine, rig.watch)).rejects.toMatchObject({
      code: 'unavailable',
    });
    await expectNothingLeft(rig);
  });

  it('aborts the session when completing fails', async () => {
    const rig = await createRig(seed);
    rig.registry.inject(status(400), { route: 'complete' });
    const mine = await rig.makeFolder('mine', FILES);
    await expect(rig.client.uploadDirectory(V1, mine, rig.watch)).rejects.toMatchObject({ code: 'refused' });
    await expectNothingLeft(rig);
  });

  it('aborts the session when the signal does, and throws its reason', async () => {
    const rig = await createRig(seed);
    const stop = new AbortController();
    const reason = new Error('enough');
    rig.registry.inject(
      async (_request, next) => {
        stop.abort(reason);
        return next();
      },
      { route: 'put' },
    );
    const mine = await rig.makeFolder('mine', FILES);
    await expect(rig.client.uploadDirectory(V1, mine, { ...rig.watch, signal: stop.signal })).rejects.toBe(reason);
    await expectNothingLeft(rig);
  });

  const small = FILES['sub/b.txt'];
  const large = small.repeat(100_000);
  const changes: readonly [string, (file: string, content: string) => Promise<unknown>][] = [
    ['changed', (file, content) => writeFile(file, content.toUpperCase())],
    ['grew', (file) => appendFile(file, 'more')],
    ['shrank', (file) => truncate(file, 3)],
    ['vanished', (file) => rm(file)],
  ];
  it.each(
    changes.flatMap(([what, change]) => [
      { what: `a small file that ${what}`, content: small, change },
      { what: `a large file that ${what}`, content: large, change },
    ]),
  )('is $what meanwhile: never a corrupt version', async ({ content, change }) => {
    const rig = await createRig(seed);
    const mine = await rig.makeFolder('mine', { ...FILES, 'sub/b.txt': content });
    rig.registry.inject(
      async (_request, next) => {
        await change(join(mine, 'sub/b.txt'), content);
        return next();
      },
      { route: 'start' },
    );
    await expect(rig.client.uploadDirectory(V1, mine, rig.watch)).rejects.toMatchObject({
      code: 'file-changed',
      message: expect.stringContaining('sub/b.txt'),
    });
    await expectNothingLeft(rig);
  });

  it('is none when a file changes before the start: then there is no start', async () => {
    const { client, makeFolder, registry } = await createRig(seed);
    const mine = await makeFolder('mine', FILES);
    const onEvent = (event: GypsumEvent) => {
      if (event.type === 'start' && event.task === 'digest') appendFileSync(join(mine, 'a.txt'), 'more');
    };
    await expect(client.uploadDirectory(V1, mine, { onEvent })).rejects.toMatchObject({ code: 'file-changed' });
    expect(registry.count({ route: 'start' })).toBe(0);
  });

  it('says so when not even the abort works', async () => {
    const { connect, makeFolder, registry, events, watch } = await createRig(seed);
    registry.inject(status(500), { route: 'put' });
    registry.inject(disconnected(), { route: 'abort' });
    const upload = connect({ retries: 1 }).uploadDirectory(V1, await makeFolder('mine', FILES), watch);
    await expect(upload).rejects.toMatchObject({ message: expect.stringContaining('Sending') });
    expect(events.at(-1)).toMatchObject({ type: 'upload-abandoned', ref: V1, error: { code: 'unavailable' } });
  });
});

describe('what the registry refuses', () => {
  it('without a token is refused before any request', async () => {
    const { connect, makeFolder, registry } = await createRig(seed);
    const mine = await makeFolder('mine', FILES);
    await expect(connect({ token: undefined }).uploadDirectory(V1, mine)).rejects.toMatchObject({
      code: 'unauthorized',
    });
    expect(registry.calls).toEqual([]);
  });

  it('has a code of its own for a wrong token, no permission, and a locked project', async () => {
    const { client, connect, makeFolder, registry } = await createRig(seed);
    const mine = await makeFolder('mine', FILES);
    await expect(connect({ token: 'wrong' }).uploadDirectory(V1, mine)).rejects.toMatchObject({ code: 'unauthorized' });
    const token = await registry.addUser('somebody');
    await expect(connect({ token }).uploadDirectory(V1, mine)).rejects.toMatchObject({ code: 'forbidden' });
    const session = await client.startUpload(V2, []);
    await expect(client.uploadDirectory(V1, mine)).rejects.toMatchObject({ code: 'project-locked' });
    await client.abortUpload(session);
    expect(await client.uploadDirectory(V1, mine)).toMatchObject({ files: 4 });
  });

  it('is a project that does not exist: it is told before anything is sent, also by a plan', async () => {
    const { client, makeFolder, registry } = await createRig(seed);
    const mine = await makeFolder('mine', FILES);
    const missing = {
      code: 'not-found',
      details: { project: 'pp' },
      hint: expect.stringContaining('project create pp'),
    };
    await expect(client.planUpload({ ...V1, project: 'pp' }, mine)).rejects.toMatchObject(missing);
    await expect(client.uploadDirectory({ ...V1, project: 'pp' }, mine)).rejects.toMatchObject(missing);
    await expect(client.unlockProject('pp')).rejects.toMatchObject(missing);
    expect(registry.count({ method: 'POST' })).toBe(0);
  });

  it('for want of space is not asked for again', async () => {
    const { client, makeFolder, registry } = await createRig(seed);
    registry.inject(status(507), { route: 'put' });
    await expect(client.uploadDirectory(V1, await makeFolder('mine', { x: 'x' }))).rejects.toMatchObject({
      code: 'refused',
      hint: expect.stringContaining('its disk is full'),
    });
    expect(registry.count({ route: 'put' })).toBe(1);
  });

  it('never shows a token in an error', async () => {
    const { connect, makeFolder } = await createRig(seed);
    const token = 'a-token-that-is-secret';
    const error: unknown = await connect({ token })
      .uploadDirectory(V1, await makeFolder('mine', FILES))
      .catch((caught: unknown) => caught);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(token);
  });
});

describe('the steps by themselves', () => {
  it('start, send and complete a version out of files in any place', async () => {
    const { client, makeFolder, cacheDir } = await createRig(seed);
    const mine = await makeFolder('mine', { anywhere: 'content' });
    const files = [{ path: 'in/version.txt', size: 7, md5sum: md5('content') }];
    const session = await client.startUpload(V1, files);
    expect(session.files.map(({ path }) => path)).toEqual(['in/version.txt']);
    await client.uploadFiles(session, () => join(mine, 'anywhere'));
    await client.completeUpload(session);
    await client.saveVersion(V1);
    expect(await readFile(join(cacheDir, 'bucket/p/a/v1/in/version.txt'), 'utf8')).toBe('content');
  });

  it('take paths in place of sizes and digests, beside files that have them, and send from the same folder', async () => {
    const { client, makeFolder, cacheDir, registry } = await createRig(seed);
    const mine = await makeFolder('mine', { 'a.txt': 'aa', 'sub/b.txt': 'bbb', 'c.txt': 'c' });
    const files = ['sub/b.txt', { path: 'c.txt', size: 1, md5sum: md5('c') }, 'a.txt'];
    const session = await client.startUpload(V1, files, { directory: mine });
    expect(session.files.map(({ path, size, md5sum }) => [path, size, md5sum])).toEqual([
      ['sub/b.txt', 3, md5('bbb')],
      ['c.txt', 1, md5('c')],
      ['a.txt', 2, md5('aa')],
    ]);
    await client.uploadFiles(session, mine);
    await client.completeUpload(session);
    await client.saveVersion(V1);
    expect(await readFile(join(cacheDir, 'bucket/p/a/v1/sub/b.txt'), 'utf8')).toBe('bbb');
    registry.resetCalls();
    const starting = client.startUpload(V2, ['a.txt', 'sub'], { directory: mine });
    await expect(starting).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/sub is not a file/),
    });
    expect(registry.calls).toEqual([]);
  });

  it.each([
    ['given with its digest', [{ path: '../x', size: 7, md5sum: md5('content') }]],
    ['alone', ['../x']],
  ])('refuse a hostile path %s before the registry is asked', async (_how, files) => {
    const { client, registry } = await createRig(seed);
    await expect((async () => client.startUpload(V1, files))()).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(registry.calls).toEqual([]);
  });

  it('are stopped by the signal while the registry is slow', async () => {
    const { client, registry } = await createRig(seed);
    registry.inject(delay(60_000), { route: 'start' });
    const stop = new AbortController();
    const started = client.startUpload(V1, [], { signal: stop.signal });
    const reason = new Error('enough');
    setTimeout(() => stop.abort(reason), 20);
    await expect(started).rejects.toBe(reason);
  });
});
