import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Client, createClient } from '../../src/index.ts';
import { createRig, type Rig, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { 'a.csv': 'content of a', 'raw/b.bin': 'large content', 'raw/c.csv': 'content of c', '.d': 'dot' };
const seed = { versions: { 'p/a/v1': FILES, 'p/a/v2': { 'a.csv': 'new' } } };

/** A client that makes no request; the registry is watched, and so is every try to reach anything. */
function goOffline(rig: Rig): Client {
  const tries: unknown[] = [];
  const onTry = (message: unknown) => void tries.push(message);
  rig.registry.resetCalls();
  for (const channel of ['undici:client:beforeConnect', 'undici:request:create']) {
    subscribe(channel, onTry);
    onTestFinished(() => void unsubscribe(channel, onTry));
  }
  onTestFinished(() => {
    expect(tries).toEqual([]);
    expect(rig.registry.calls).toEqual([]);
  });
  return rig.connect({ offline: true });
}

const refusal = (message: string, hint = '--offline') => ({
  code: 'unavailable',
  message: expect.stringContaining(message),
  hint: expect.stringContaining(hint),
});

describe('offline', () => {
  it('all that is cached can be saved, cloned, listed and prepared', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    const client = goOffline(rig);
    expect(await client.saveVersion(V1)).toMatchObject({ files: 4, fetched: { contents: 0 } });
    expect(await client.saveFile({ ...V1, path: 'a.csv' })).toBe(join(rig.cacheDir, 'bucket/p/a/v1/a.csv'));
    expect(Object.keys(await client.fetchManifest(V1))).toHaveLength(4);
    expect((await client.fetchSummary(V1)).uploadFinish).toBeInstanceOf(Date);
    const clone = join(rig.folder, 'clone');
    await client.cloneVersion(V1, clone);
    expect(await readFile(join(clone, 'raw/b.bin'), 'utf8')).toBe('large content');
    await writeFile(join(clone, 'new'), 'new');
    expect(await client.prepareDirectoryUpload(clone)).toMatchObject({
      files: [{ path: 'new' }],
      links: { length: 4 },
    });
    expect(await client.listCache()).toHaveLength(1);
    await client.dropFiles([join(clone, 'a.csv')]);
    for (const bring of [() => client.fetchFiles([clone]), () => client.saveFile({ ...V1, path: 'a.csv' })]) {
      await expect(bring()).rejects.toMatchObject({
        ...refusal('1 file of p/a/v1 (12 bytes) is not in'),
        // They are left out already.
        hint: expect.not.stringContaining('--exclude'),
      });
    }
  });

  it('what the cache has in part is named, how many files and how large, and nothing is made', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1, { include: ['a.csv'] });
    const client = goOffline(rig);
    const message = '3 files of p/a/v1 (28 bytes) are not in the cache: .d, raw/b.bin, raw/c.csv.';
    await expect(client.saveVersion(V1)).rejects.toMatchObject({
      ...refusal(message, '--exclude'),
      details: { ...V1, files: ['.d', 'raw/b.bin', 'raw/c.csv'], bytes: 28 },
    });
    const clone = join(rig.folder, 'clone');
    await expect(client.cloneVersion(V1, clone)).rejects.toMatchObject(refusal(message));
    expect(existsSync(clone)).toBe(false);
    expect(await client.cloneVersion(V1, clone, { include: ['a.csv'] })).toMatchObject({ leftOut: { files: 3 } });
    await rm(clone, { recursive: true });
    await client.cloneVersion(V1, clone, { download: false });
    expect(Object.keys(await readTree(clone))).toHaveLength(4);
  });

  it('of many missing files the first are named', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `f${String(index).padStart(4, '0')}`);
    const rig = await createRig({ versions: { 'p/a/v1': Object.fromEntries(names.map((name) => [name, name])) } });
    await rig.client.fetchManifest(V1);
    await expect(goOffline(rig).saveVersion(V1)).rejects.toThrow(
      '12 files of p/a/v1 (60 bytes) are not in the cache: f0000, f0001, f0002, f0003, f0004 and 7 more.',
    );
  });

  it('content that proves wrong is missing', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    const cached = join(rig.cacheDir, 'bucket/p/a/v1/a.csv');
    await chmod(cached, 0o644);
    await writeFile(cached, 'CONTENT of A');
    await expect(goOffline(rig).saveVersion(V1, { ...rig.watch })).rejects.toMatchObject(
      refusal('1 file of p/a/v1 (12 bytes) is not in the cache: a.csv.'),
    );
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'damaged' }));
  });

  it('a version that the cache does not know is named with the document that is missing', async () => {
    const rig = await createRig(seed);
    const client = goOffline(rig);
    for (const action of [
      () => client.saveVersion(V1),
      () => client.fetchManifest(V1),
      () => client.fetchSummary(V1),
      () => client.cloneVersion(V1, join(rig.folder, 'clone')),
    ]) {
      await expect(action()).rejects.toMatchObject({
        ...refusal('The summary of p/a/v1 is not in the cache.', 'gypsum cache ls'),
        details: { ...V1, document: 'summary' },
      });
    }
    expect(existsSync(rig.cacheDir)).toBe(false);
  });

  it('a version of which the cache knows the summary alone lacks its manifest', async () => {
    const rig = await createRig(seed);
    await rig.client.fetchSummary(V1);
    await expect(goOffline(rig).fetchManifest(V1)).rejects.toMatchObject(refusal('The manifest of p/a/v1'));
  });

  it('what another client has left is used', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    await rm(join(rig.cacheDir, '.gypsum-client/1/versions'), { recursive: true });
    await rm(join(rig.cacheDir, '.gypsum-client/1/verified'), { recursive: true });
    const client = goOffline(rig);
    expect(await client.saveVersion(V1)).toMatchObject({ files: 4, fetched: { contents: 0 } });
    const summary = join(rig.cacheDir, 'bucket/p/a/v1/..summary');
    const { upload_finish: _, ...unfinished } = JSON.parse(await readFile(summary, 'utf8'));
    await writeFile(summary, JSON.stringify(unfinished));
    await expect(client.saveVersion(V1)).rejects.toMatchObject(refusal('The summary of p/a/v1 is not in the cache'));
  });

  it('no version is taken for the latest: those that are known are named, the newest first', async () => {
    const rig = await createRig({ versions: { ...seed.versions, 'p/b/v1': {} } });
    await rig.client.saveVersion(V1);
    await rig.client.saveVersion(V2);
    const client = goOffline(rig);
    await expect(client.fetchLatest(V1)).rejects.toMatchObject({
      ...refusal(
        'Which version of p/a is the latest is for the registry to say.',
        'such as p/a/v2, the newest of them',
      ),
      details: { project: 'p', asset: 'a', versions: ['v2', 'v1'] },
    });
    const other = client.fetchLatest({ project: 'p', asset: 'b' });
    await expect(other).rejects.toMatchObject(refusal('p/b', 'The cache knows no version of p/b.'));
  });

  it('nothing is published, changed, or asked anew', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    const folder = await rig.makeFolder('mine', { x: 'x' });
    const client = goOffline(rig);
    const V3 = { ...V1, version: 'v3' };
    const publishing = refusal('Publishing p/a/v3 needs the registry.');
    await expect(client.uploadDirectory(V3, folder)).rejects.toMatchObject(publishing);
    await expect(client.planUpload(V3, folder)).rejects.toMatchObject(publishing);
    await expect(client.uploadContents(V3, [{ path: 'x', content: 'x' }])).rejects.toMatchObject(publishing);
    await expect(client.startUpload(V3, [])).rejects.toMatchObject(publishing);
    for (const action of [
      () => client.saveVersion(V1, { overwrite: true }),
      () => client.listProjects(),
      () => client.listFiles(V1),
      () => client.createProject('q'),
      () => client.removeVersion(V1),
      () => client.refreshLatest(V1),
      () => client.fetchUsage('p'),
      () => client.publicS3Config(),
    ]) {
      await expect(action()).rejects.toMatchObject(refusal('needs a request. No request is made'));
    }
    const whose = refusal(`Whose token it is, only ${rig.registry.url} can say. No request is made`);
    await expect(client.whoAmI()).rejects.toMatchObject(whose);
  });

  it('a registry whose name nobody knows is not looked for', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    const url = 'https://nowhere.invalid';
    await writeFile(join(rig.cacheDir, '.gypsum-client/1/registry.json'), JSON.stringify({ url }));
    goOffline(rig);
    const client = createClient({ url, cacheDir: rig.cacheDir, offline: true });
    expect((await client.saveVersion(V1)).files).toBe(4);
    await expect(client.saveVersion(V2)).rejects.toMatchObject(refusal('p/a/v2'));
    await client.close();
  });

  it('a signal comes first', async () => {
    const rig = await createRig(seed);
    const signal = AbortSignal.abort('enough');
    await expect(goOffline(rig).listProjects({ signal })).rejects.toBe('enough');
  });
});
