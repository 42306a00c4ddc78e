import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bytes, type Fault, status } from '../../mocks/index.ts';
import type { ReplicateOptions } from '../../src/index.ts';
import { layOut } from '../helpers/files.ts';
import { age, look, words } from '../helpers/replica.ts';
import { createRig, type Rig } from '../helpers/rig.ts';
import { snapshot } from '../helpers/snapshot.ts';

const ASSET = { project: 'p', asset: 'a' };

/** A folder that is version 1, and a place for its replica. */
async function createAsset() {
  const rig = await createRig({ projects: { p: {} } });
  const root = join(rig.folder, 'original');
  const dst = join(rig.folder, 'replica');
  layOut(root, { 'd/a': 'one', 'd/b': 'two', run: 'a program', empty: 'folder/', l: { link: '../no/where' } });
  chmodSync(join(root, 'run'), 0o750);
  for (const path of ['d/a', 'd/b', 'run', 'l']) age(join(root, path));
  // Times tell nothing: neither that a file has changed, nor that it has not.
  const edit = (path: string, content: string) => {
    writeFileSync(join(root, path), content);
    age(join(root, path));
  };
  const put = () => rig.client.putTree(ASSET, `${root}/`, { delete: true });
  await put();
  rig.registry.resetCalls();
  const sync = (options = {}) => rig.client.syncFromAsset(ASSET, dst, { force: true, ...options });
  return { ...rig, root, dst, edit, put, sync };
}

/** What is requested of contents of files that are no record. */
const fetched = ({ registry }: Pick<Rig, 'registry'>) =>
  registry.calls.filter(({ route, key }) => route === 'file' && !/\/\.\.|\.gypsum-tree/.test(key ?? '')).length;

describe('a folder that is a replica of an asset', () => {
  it('has its contents, symlinks, empty folders, modes and times', async () => {
    const { root, dst, sync } = await createAsset();
    const done = await sync();
    expect(done).toMatchObject({ source: 'gypsum:p/a', destination: dst, failures: [] });
    expect(await look(dst)).toEqual(await look(root));
    expect((await sync()).operations).toEqual([]);
    expect((await sync({ checksum: true })).operations).toEqual([]);
  });

  it('is foreseen without a content, and fetches only what it lacks', async () => {
    const rig = await createAsset();
    const { dst, sync, put, root, edit } = rig;
    expect((await sync({ dryRun: true })).operations).toHaveLength(6);
    expect(fetched(rig)).toBe(0);
    await sync();
    expect(fetched(rig)).toBe(3);
    renameSync(join(root, 'd'), join(root, 'e'));
    edit('run', 'another');
    await put();
    rig.registry.resetCalls();
    const { operations } = await sync();
    expect(words({ operations })).toContain('move d e');
    expect(words({ operations })).toContain('modify run');
    expect(fetched(rig)).toBe(1);
    expect(await look(dst)).toEqual(await look(root));
  });

  it('has its digests by MD5, as the manifest has them', async () => {
    const { sync } = await createAsset();
    const digests: (string | undefined)[] = [];
    await sync({ digests: true, onOperation: (_: unknown, digest?: string) => digests.push(digest) });
    // MD5 of "one".
    expect(digests).toContain('f97c5d29941bfb1b2fdab0874906ab82');
  });

  it('is what the version says where the cache was edited, and where the folder was', async () => {
    const { client, dst, sync, root } = await createAsset();
    const cached = await client.saveFile({ ...ASSET, version: '1', path: 'd/a' });
    chmodSync(cached, 0o644);
    writeFileSync(cached, 'ONE');
    await sync();
    expect(readFileSync(join(dst, 'd/a'), 'utf8')).toBe('one');
    writeFileSync(join(dst, 'd/b'), 'TWO');
    age(join(dst, 'd/b'));
    await sync({ checksum: true });
    expect(await look(dst)).toEqual(await look(root));
  });

  it('knows a file of one size and time that has another content, and reads none twice', async () => {
    const { dst, sync, root, put, edit, stateDir } = await createAsset();
    await sync();
    edit('d/a', 'ONE');
    await put();
    expect(words(await sync())).toEqual(['modify d/a']);
    rmSync(dst, { recursive: true });
    await sync({ stateDir });
    edit('d/a', 'Two');
    await put();
    const read: unknown[] = [];
    const onEvent = (event: { type: string; task?: string }) => event.task === 'digest' && read.push(event);
    expect(words(await sync({ stateDir, onEvent }))).toEqual(['modify d/a']);
    expect(read).toEqual([]);
    await sync({ stateDir, checksum: true, onEvent });
    expect(read).not.toEqual([]);
    expect(await look(dst)).toEqual(await look(root));
  });

  it('leaves out what is excluded, on both sides', async () => {
    const { dst, sync } = await createAsset();
    mkdirSync(dst);
    layOut(dst, { 'd/own': 'mine' });
    await sync({ exclude: ['d/'] });
    expect(lstatSync(join(dst, 'run')).isFile()).toBe(true);
    expect(readFileSync(join(dst, 'd/own'), 'utf8')).toBe('mine');
    expect(lstatSync(join(dst, 'd/a'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('writes through no symlink', async () => {
    const { dst, folder, sync, root } = await createAsset();
    const outside = join(folder, 'outside');
    layOut(folder, { 'outside/a': 'canary', replica: 'folder/' });
    symlinkSync(outside, join(dst, 'd'));
    await sync();
    expect(readFileSync(join(outside, 'a'), 'utf8')).toBe('canary');
    expect(await look(dst)).toEqual(await look(root));
  });

  it.each<[string, Fault, string]>([
    ['is not to be had', status(404), 'not-found'],
    ['is another one', bytes('FOUR'), 'wrong-content'],
  ])('stays as it was where one of the contents %s', async (_, fault, code) => {
    const { dst, put, root, sync, registry, edit } = await createAsset();
    await sync();
    edit('d/a', 'three');
    edit('d/b', 'four');
    await put();
    const before = snapshot(dst);
    registry.inject(fault, { route: 'file', key: 'p/a/2/d/b' });
    await expect(sync()).rejects.toMatchObject({ code });
    expect(snapshot(dst)).toEqual(before);
    registry.clearFaults();
    await sync();
    expect(await look(dst)).toEqual(await look(root));
  });

  it('needs no registry for a version that is named and in the cache', async () => {
    const { client, dst, connect, root } = await createAsset();
    await client.saveVersion({ ...ASSET, version: '1' });
    const offline = connect({ offline: true });
    await offline.syncFromAsset({ ...ASSET, version: '1' }, dst);
    expect(await look(dst)).toEqual(await look(root));
    await expect(offline.syncFromAsset(ASSET, dst)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each<[string, (paths: { folder: string; cacheDir: string }) => string, object, string]>([
    ['the cache', ({ cacheDir }) => cacheDir, {}, 'invalid-argument'],
    ['a folder in the cache', ({ cacheDir }) => join(cacheDir, 'bucket'), {}, 'invalid-argument'],
    ['a folder that holds the cache', ({ folder }) => folder, {}, 'invalid-argument'],
    ['no folder', ({ folder }) => join(folder, 'original/run'), {}, 'destination-refused'],
    ['symlinks that are to be followed', ({ folder }) => join(folder, 'x'), { followLinks: true }, 'invalid-argument'],
  ])('is refused: %s', async (_, place, options, code) => {
    const { client, folder, cacheDir } = await createAsset();
    const before = snapshot(folder);
    await expect(client.syncFromAsset(ASSET, place({ folder, cacheDir }), options)).rejects.toMatchObject({ code });
    expect(snapshot(folder)).toEqual(before);
  });

  it('keeps more than half of what it has, unless that is meant', async () => {
    const { root, dst, put, client } = await createAsset();
    await client.syncFromAsset(ASSET, dst);
    for (const path of ['d', 'empty', 'l']) rmSync(join(root, path), { recursive: true });
    await put();
    await expect(client.syncFromAsset(ASSET, dst)).rejects.toMatchObject({ code: 'destination-refused' });
    await client.syncFromAsset({ ...ASSET, version: '1' }, dst);
  });

  it('has the time of its version where the version says none', async () => {
    const { registry, client, folder } = await createAsset();
    await registry.publish({ versions: { 'q/a/v1': { 'd/x': 'x' } } });
    const dst = join(folder, 'other');
    await client.syncFromAsset({ project: 'q', asset: 'a' }, dst);
    const { uploadFinish } = await client.fetchSummary({ project: 'q', asset: 'a', version: 'v1' });
    // To the microsecond: a double has room for no more.
    expect(Math.floor(lstatSync(join(dst, 'd/x')).mtimeMs)).toBe(uploadFinish?.getTime());
    expect(lstatSync(join(dst, 'd/x')).mode & 0o777).toBe(0o644);
    expect((await client.syncFromAsset({ project: 'q', asset: 'a' }, dst)).operations).toEqual([]);
  });
});

/** A replica that follows. */
async function keep(
  { client, dst }: Pick<Awaited<ReturnType<typeof createAsset>>, 'client' | 'dst'>,
  options: Partial<ReplicateOptions> = {},
  ref: { project: string; asset: string; version?: string } = ASSET,
) {
  const done: string[] = [];
  const errors: unknown[] = [];
  const end = new AbortController();
  const ended = client.replicateFromAsset(ref, dst, {
    every: 10,
    watch: false,
    force: true,
    until: end.signal,
    onOperation: ({ op, path }, _, guard) => done.push(`${guard ?? op} ${path}`),
    onError: (error) => errors.push(error),
    ...options,
  });
  ended.catch((error) => errors.push(error));
  const stop = async () => {
    end.abort();
    await ended;
  };
  onTestFinished(() => stop().catch(() => {}));
  const settle = async (root: string) =>
    expect
      .poll(async () => lstatSync(dst, { throwIfNoEntry: false }) && (await look(dst)), { timeout: 20_000 })
      .toEqual(await look(root));
  return { done, errors, settle, stop };
}

describe('a folder that stays a replica of an asset', () => {
  it('follows its versions, one after the other, and undoes what others do', async () => {
    const asset = await createAsset();
    const { root, dst, put, edit } = asset;
    const kept = await keep(asset);
    await kept.settle(root);
    edit('d/a', 'another');
    await put();
    await kept.settle(root);
    expect(kept.done).toContain('modify d/a');
    writeFileSync(join(dst, 'd/b'), 'oops');
    await kept.settle(root);
    expect(kept.done).toContain('restore d/b');
    await kept.stop();
    expect(kept.errors).toEqual([]);
  });

  it('goes on where it was: what it had is not read or fetched again', async () => {
    const asset = await createAsset();
    const { root, stateDir, registry } = asset;
    const first = await keep(asset, { stateDir });
    await first.settle(root);
    await first.stop();
    registry.resetCalls();
    const again = await keep(asset, { stateDir });
    await expect.poll(() => registry.count({ key: 'p/a/..latest' })).toBeGreaterThan(3);
    await again.stop();
    expect(again.done).toEqual([]);
    expect(fetched(asset)).toBe(0);
  });

  it('guards what it has while the registry is away, and follows when it is back', async () => {
    const asset = await createAsset();
    const { root, dst, put, registry, edit } = asset;
    const kept = await keep(asset);
    await kept.settle(root);
    registry.inject(status(503), { key: 'p/a/..latest' });
    await expect.poll(() => kept.errors.length, { timeout: 20_000 }).toBeGreaterThan(0);
    writeFileSync(join(dst, 'd/b'), 'oops');
    await kept.settle(root);
    registry.clearFaults();
    edit('d/a', 'another');
    await put();
    await kept.settle(root);
    expect(kept.errors[0]).toMatchObject({ code: 'unavailable' });
  });

  it('waits for a registry that is away when it begins, and for nothing that is wrong', async () => {
    const asset = await createAsset();
    asset.registry.inject(status(503), { key: 'p/a/..latest', times: 20 });
    const kept = await keep(asset);
    await kept.settle(asset.root);
    expect(kept.errors[0]).toMatchObject({ code: 'unavailable' });
    const { client, folder } = asset;
    const until = new AbortController().signal;
    const nowhere = client.replicateFromAsset({ project: 'p', asset: 'none' }, join(folder, 'x'), { every: 10, until });
    await expect(nowhere).rejects.toMatchObject({ code: 'not-found' });
    const offline = asset.connect({ offline: true }).replicateFromAsset(ASSET, join(folder, 'x'), { every: 10, until });
    await expect(offline).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('stays at a version that is named', async () => {
    const asset = await createAsset();
    const { root, put, registry, dst, edit } = asset;
    const kept = await keep(asset, {}, { ...ASSET, version: '1' });
    await kept.settle(root);
    edit('d/a', 'another');
    await put();
    registry.resetCalls();
    rmSync(join(dst, 'run'));
    await expect.poll(() => kept.done.includes('restore run')).toBe(true);
    expect(readFileSync(join(dst, 'd/a'), 'utf8')).toBe('one');
    expect(registry.count({ key: 'p/a/..latest' })).toBe(0);
  });
});
