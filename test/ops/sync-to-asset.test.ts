import {
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { status } from '../../mocks/index.ts';
import type { AssetSyncResult, Client, ReplicateToAssetOptions } from '../../src/index.ts';
import { createUploadStore } from '../../src/state/upload-store.ts';
import { layOut } from '../helpers/files.ts';
import { age, look } from '../helpers/replica.ts';
import { createRig, md5 } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

const ASSET = { project: 'p', asset: 'a' };

/** An empty project, and a folder to be published. */
async function createFolder() {
  const rig = await createRig({ projects: { p: {} } });
  const { client, folder } = rig;
  const src = join(folder, 'src');
  layOut(src, { 'd/a': 'one', 'd/b': 'two', c: 'three', empty: 'folder/', l: { link: 'c' } });
  const sync = (options = {}) => client.syncToAsset(src, ASSET, options);
  let copies = 0;
  /** What a version is when it is copied. */
  const shapeOf = async (version: string) => {
    const copy = join(folder, `copy-${copies++}`);
    await client.getTree({ ...ASSET, version }, copy);
    return treeShape(copy);
  };
  const versions = () => client.listVersions(ASSET);
  return { ...rig, src, sync, shapeOf, versions };
}

const signs = ({ changes }: AssetSyncResult) => changes.map(({ sign, path }) => `${sign} ${path}`);

/** An upload that this process has started and left, as if it had been killed. */
async function leaveUpload(client: Client, stateDir: string, asset: string, version: string): Promise<void> {
  const file = { path: 'x', size: 1, md5sum: md5('x'), source: '/x' };
  const { id = '' } = await client.startUpload({ project: 'p', asset, version }, [file]);
  await createUploadStore(stateDir).leave(id, id);
}

describe('a folder that is published to an asset', () => {
  it('is a version, and the next one where it has changed: unchanged files are links', async () => {
    const { src, sync, shapeOf } = await createFolder();
    expect(await sync()).toMatchObject({ version: '1', published: true, source: src, sent: { files: 3 }, skipped: [] });
    expect(await sync()).toMatchObject({ version: '1', published: false, unchanged: true });
    renameSync(join(src, 'd'), join(src, 'e'));
    rmSync(join(src, 'empty'), { recursive: true });
    writeFileSync(join(src, 'c'), 'another');
    const done = await sync();
    expect(done).toMatchObject({ version: '2', published: true, sent: { files: 1 }, linked: { files: 2 } });
    expect(signs(done)).toEqual(['* c', '- d', '- d/a', '- d/b', '+ e', '+ e/a', '+ e/b', '- empty']);
    // Of what goes, as it was; a folder has none.
    const digests = done.changes.map(({ path, digest }) => [path, digest]);
    expect(digests.slice(0, 3)).toEqual([
      ['c', md5('another')],
      ['d', undefined],
      ['d/a', md5('one')],
    ]);
    expect(await shapeOf('2')).toEqual(treeShape(src));
    expect(Object.keys(await shapeOf('1'))).toContain('d/a');
  });

  it('is a version with the times of its files, though it has nothing else to say of them', async () => {
    const { client, folder } = await createFolder();
    const plain = join(folder, 'plain');
    layOut(plain, { 'd/x': 'x', y: 'y' });
    for (const path of ['d/x', 'd', 'y']) age(join(plain, path));
    await client.syncToAsset(plain, ASSET);
    await client.syncFromAsset(ASSET, join(folder, 'back'));
    expect(await look(join(folder, 'back'))).toEqual(await look(plain));
  });

  it.each([false, true])(
    'is the next version where neither size nor time of a file tells (a copy: %s)',
    async (isCopy) => {
      const { src, sync, client } = await createFolder();
      await sync();
      if (isCopy) {
        rmSync(src, { recursive: true });
        await client.cloneVersion({ ...ASSET, version: '1' }, src, { mode: 'copy' });
      }
      const file = join(src, 'c');
      const { mtimeMs } = lstatSync(file);
      writeFileSync(file, 'THREE', { flag: 'r+' });
      utimesSync(file, mtimeMs / 1000, mtimeMs / 1000);
      expect(await sync()).toMatchObject({ version: '2', published: true });
      expect(readFileSync(await client.saveFile({ ...ASSET, version: '2', path: 'c' }), 'utf8')).toBe('THREE');
    },
  );

  it('is only foreseen in a dry run', async () => {
    const { sync, registry, versions } = await createFolder();
    expect(await sync({ dryRun: true })).toMatchObject({ version: '1', published: false, dryRun: true });
    expect(registry.count({ method: 'POST' })).toBe(0);
    expect(await versions()).toEqual([]);
  });

  it('keeps what is excluded, as in .gitignore, and removes nothing if that is not meant', async () => {
    const { src, sync, shapeOf } = await createFolder();
    await sync();
    rmSync(join(src, 'd'), { recursive: true });
    layOut(src, { d: 'now a file', 'logs/x.log': 'x', 'y.log': 'y' });
    rmSync(join(src, 'c'));
    await sync({ exclude: ['logs/', '*.log'], force: true });
    expect(await shapeOf('2')).toEqual({ d: 'now a file', empty: '/', l: '-> c' });
    rmSync(join(src, 'd'));
    const done = await sync({ exclude: ['logs/', '*.log'], remove: false });
    expect(done.published).toBe(false);
  });

  it('says what cannot be published, and publishes the rest', async () => {
    const { src, sync } = await createFolder();
    writeFileSync(join(src, 'd', 'back\\slash'), '');
    const done = await sync();
    expect(done).toMatchObject({ published: true, files: 3 });
    expect(signs(done)).toContain('E d/back\\slash');
  });

  it('is refused where more than half would be gone, and where it is no folder', async () => {
    const { src, sync, versions, client, folder } = await createFolder();
    await sync();
    renameSync(src, `${src}-away`);
    await expect(sync()).rejects.toMatchObject({ code: 'invalid-argument' });
    mkdirSync(src);
    await expect(sync()).rejects.toMatchObject({ code: 'destination-refused' });
    const written = [join(src, 'log')];
    await expect(sync({ written })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await versions()).toEqual(['1']);
    await client.syncToAsset(src, ASSET, { force: true, stateDir: join(folder, 'state') });
    expect(await versions()).toEqual(['1', '2']);
  });

  it('aborts what a killed upload to the asset has left, and no other one', async () => {
    const { sync, client, stateDir, versions } = await createFolder();
    await leaveUpload(client, stateDir, 'a', '1');
    expect(await sync()).toMatchObject({ version: '1', published: true });
    expect((await client.listUploads()).uploads).toEqual([]);
    await leaveUpload(client, stateDir, 'b', '1');
    await expect(sync({ force: true, exclude: ['c'] })).resolves.toMatchObject({ published: false });
    expect((await client.listUploads()).uploads).toHaveLength(1);
    expect(await versions()).toEqual(['1']);
  });

  it('has nothing of what this program writes meanwhile, though it lies in it', async () => {
    const { src, connect, shapeOf } = await createFolder();
    const [cacheDir, stateDir] = [join(src, 'd/cache'), join(src, 'state')];
    const client = connect({ cacheDir, stateDir });
    for (const published of [true, false]) {
      expect(await client.syncToAsset(src, ASSET, { stateDir })).toMatchObject({ version: '1', published });
    }
    expect(Object.keys(await shapeOf('1'))).toEqual(['c', 'd', 'd/a', 'd/b', 'empty', 'l']);
  });

  it('forgets a start that never came to the registry, and tells of one whose answer was lost', async () => {
    const { client, registry, sync, stateDir, connect } = await createFolder();
    const store = createUploadStore(stateDir);
    const begin = async (version: string) => {
      const id = await store.announce(registry.url, { ...ASSET, version });
      await store.leave(id, id);
    };
    await begin('1');
    expect(await sync()).toMatchObject({ version: '1', published: true });
    expect((await client.listUploads()).uploads).toEqual([]);
    await begin('2');
    await connect({ stateDir: undefined }).startUpload({ ...ASSET, version: '2' }, []);
    await expect(sync()).rejects.toMatchObject({ code: 'project-locked', hint: expect.stringContaining('unlock') });
    await client.unlockProject('p');
    expect(await sync()).toMatchObject({ version: '1', unchanged: true });
    expect((await client.listUploads()).uploads).toEqual([]);
  });

  it('is one process’s', async () => {
    const { src, client, stateDir, sync } = await createFolder();
    const end = new AbortController();
    const kept = client.replicateToAsset(src, ASSET, {
      every: 5,
      settle: 60_000,
      watch: false,
      stateDir,
      until: end.signal,
    });
    await expect(sync({ stateDir })).rejects.toMatchObject({ code: 'in-use' });
    end.abort();
    await kept;
    await expect(sync({ stateDir })).resolves.toMatchObject({ published: true });
  });
});

/** A folder that is published whenever it has come to rest. */
function keep(client: Client, src: string, options: Partial<ReplicateToAssetOptions> = {}) {
  const results: AssetSyncResult[] = [];
  const errors: unknown[] = [];
  const end = new AbortController();
  const ended = client.replicateToAsset(src, ASSET, {
    every: 5,
    settle: 50,
    watch: false,
    until: end.signal,
    onResult: (result) => results.push(result),
    onError: (error) => errors.push(error),
    ...options,
  });
  ended.catch((error) => errors.push(error));
  const stop = async () => {
    end.abort();
    await ended;
  };
  onTestFinished(() => stop().catch(() => {}));
  const made = (version: string) => expect.poll(() => results.at(-1)?.version, { timeout: 20_000 }).toBe(version);
  return { results, errors, made, stop, ended };
}

describe('a folder that is published whenever it has changed', () => {
  it('is a version each time, and none where nothing has changed', async () => {
    const { src, client, shapeOf, versions, registry } = await createFolder();
    const kept = keep(client, src);
    await kept.made('1');
    expect(await shapeOf('1')).toEqual(treeShape(src));
    registry.resetCalls();
    writeFileSync(join(src, 'c'), 'three');
    await expect.poll(() => registry.count({ key: 'p/a/..latest' })).toBeGreaterThan(0);
    rmSync(join(src, 'l'));
    symlinkSync('d', join(src, 'l'));
    await kept.made('2');
    expect(await shapeOf('2')).toEqual(treeShape(src));
    await kept.stop();
    expect(await versions()).toEqual(['1', '2']);
    expect(kept.errors).toEqual([]);
  });

  it('waits until nothing has changed for a while', async () => {
    const { src, client, versions } = await createFolder();
    const kept = keep(client, src, { settle: 60_000 });
    // Long enough for many a look at it.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await kept.stop();
    expect(await versions()).toEqual([]);
  });

  it('has rest though what is left out of it never rests', async () => {
    const { src, client, shapeOf } = await createFolder();
    layOut(src, { '.gypsumignore': '*.log' });
    const talk = setInterval(() => {
      writeFileSync(join(src, 'd', `${performance.now()}.log`), '');
      writeFileSync(join(src, 'talk'), `${performance.now()}`);
    }, 10);
    onTestFinished(() => clearInterval(talk));
    const kept = keep(client, src, { exclude: ['talk'], settle: 200 });
    await kept.made('1');
    expect(Object.keys(await shapeOf('1'))).toEqual(['c', 'd', 'd/a', 'd/b', 'empty', 'l']);
  });

  it('goes on after a restart, also after a kill between start and complete', async () => {
    const { src, client, stateDir, shapeOf, versions } = await createFolder();
    const first = keep(client, src, { stateDir });
    await first.made('1');
    await first.stop();
    await leaveUpload(client, stateDir, 'a', '2');
    writeFileSync(join(src, 'c'), 'another');
    const second = keep(client, src, { stateDir });
    await second.made('2');
    expect(await shapeOf('2')).toEqual(treeShape(src));
    expect(await versions()).toEqual(['1', '2']);
    expect(second.errors).toEqual([]);
  });

  it('tries again where the registry is away, or somebody else uploads', async () => {
    const { src, client, registry, connect, versions, makeFolder } = await createFolder();
    registry.inject(status(503), { route: 'start', times: 12 });
    const kept = keep(client, src);
    await kept.made('1');
    expect(kept.errors[0]).toMatchObject({ code: 'unavailable' });
    const other = connect({ stateDir: undefined });
    await makeFolder('other', { x: 'x' });
    const session = await other.startUpload({ project: 'p', asset: 'b', version: '1' }, []);
    writeFileSync(join(src, 'c'), 'another');
    await expect
      .poll(() => kept.errors, { timeout: 20_000 })
      .toContainEqual(expect.objectContaining({ code: 'project-locked' }));
    await other.abortUpload(session);
    await kept.made('2');
    expect(await versions()).toEqual(['1', '2']);
  });

  it('takes up an upload that broke off with the registry, and a folder that comes back', async () => {
    const { src, client, registry, shapeOf, stateDir } = await createFolder();
    const kept = keep(client, src, { stateDir });
    await kept.made('1');
    for (const route of ['put', 'abort'] as const) registry.inject(status(503), { route });
    writeFileSync(join(src, 'c'), 'another');
    await expect.poll(() => kept.errors.length, { timeout: 20_000 }).toBeGreaterThan(0);
    registry.clearFaults();
    await kept.made('2');
    expect(await shapeOf('2')).toEqual(treeShape(src));
    const before = kept.errors.length;
    renameSync(src, `${src}-away`);
    await expect.poll(() => kept.errors.length, { timeout: 20_000 }).toBeGreaterThan(before);
    writeFileSync(join(`${src}-away`, 'c'), 'one more');
    renameSync(`${src}-away`, src);
    await kept.made('3');
    expect(kept.errors.at(-1)).toMatchObject({ code: 'invalid-argument' });
  });

  it('waits for a quota that has room', async () => {
    const { src, client, versions } = await createFolder();
    await client.setQuota('p', { baseline: 5, growthRate: 0 });
    const kept = keep(client, src);
    await expect.poll(() => kept.errors.length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(await versions()).toEqual([]);
    await client.setQuota('p', { baseline: 1e6 });
    await kept.made('1');
    expect(kept.errors[0]).toMatchObject({ message: expect.stringContaining('quota') });
  });

  it('ends where it is wrong from the beginning', async () => {
    const { src, connect } = await createFolder();
    const kept = keep(connect({ token: undefined }), src);
    await expect(kept.ended).rejects.toMatchObject({ code: 'unauthorized' });
  });
});
