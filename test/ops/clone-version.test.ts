import { lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cutOff, status } from '../../mocks/index.ts';
import { freshName } from '../../src/tree/put-file.ts';
import { leftoverName } from '../helpers/leftover-name.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const FILES = { 'a.txt': 'content of a', 'sub/b.txt': 'content of b', 'sub/deep/er.txt': 'deep', '.hidden': 'h' };
const seed = { versions: { 'p/a/v1': FILES } };

const linksTo = (cacheDir: string) =>
  Object.fromEntries(Object.keys(FILES).map((path) => [path, `-> ${join(cacheDir, 'bucket/p/a/v1', path)}`]));

describe('a clone', () => {
  it('is a tree of absolute symlinks to the cached files', async () => {
    const { client, folder, cacheDir } = await createRig(seed);
    const destination = join(folder, 'new/clone');
    const result = await client.cloneVersion(V1, destination);
    expect(result).toMatchObject({
      ...V1,
      destination,
      files: 4,
      bytes: 29,
      links: { made: 4, unchanged: 0 },
      conflicts: [],
    });
    expect(await readTree(destination)).toEqual(linksTo(cacheDir));
    for (const [path, content] of Object.entries(FILES)) {
      expect(await readFile(join(destination, path), 'utf8')).toBe(content);
    }
  });

  it('asks for the summary, the manifest and each distinct content, and no more', async () => {
    const { client, folder, registry } = await createRig({ versions: { 'p/a/v1': { ...FILES, 'again.txt': 'deep' } } });
    await client.cloneVersion(V1, join(folder, 'clone'));
    expect(registry.count()).toBe(2 + 4);
    expect(registry.count({ key: /v1\/\.\.(summary|manifest)$/ })).toBe(2);
  });

  it('makes no request when the version is finished and cached', async () => {
    const { client, folder, registry } = await createRig(seed);
    await client.cloneVersion(V1, join(folder, 'one'));
    registry.resetCalls();
    await client.cloneVersion(V1, join(folder, 'two'));
    expect(registry.calls).toEqual([]);
  });

  it('dangles with `download: false`, for two requests', async () => {
    const { client, folder, registry, cacheDir } = await createRig(seed);
    const result = await client.cloneVersion(V1, join(folder, 'clone'), { download: false });
    expect(result.saved).toBeUndefined();
    expect(registry.calls.map(({ key }) => key)).toEqual(['p/a/v1/..summary', 'p/a/v1/..manifest']);
    expect(await readTree(join(folder, 'clone'))).toEqual(linksTo(cacheDir));
    await expect(readFile(join(folder, 'clone/a.txt'))).rejects.toThrow('ENOENT');
    await expect(lstat(join(cacheDir, 'status'))).rejects.toThrow('ENOENT');
  });

  it('has a receipt in the cache and nothing of ours in the folder', async () => {
    const { client, folder, cacheDir } = await createRig(seed);
    const destination = join(folder, 'clone');
    await client.cloneVersion(V1, destination);
    const receipts = await readdir(join(cacheDir, '.gypsum-client/1/clones'));
    expect(receipts).toHaveLength(1);
    const { ino, dev } = await lstat(destination);
    const receipt = JSON.parse(await readFile(join(cacheDir, '.gypsum-client/1/clones', receipts[0] ?? ''), 'utf8'));
    expect(receipt).toMatchObject({ ...V1, destination, inode: ino, device: dev, mode: 'symlink' });
    expect(Date.parse(receipt.createdAt)).toBeGreaterThan(0);
  });

  it('passes the options of save on', async () => {
    const { client, folder, watch, events } = await createRig(seed);
    await client.cloneVersion(V1, join(folder, 'clone'), { concurrency: 1, ...watch });
    expect(events.filter(({ type }) => type === 'start')).toEqual([
      { type: 'start', task: 'fetch', files: 4, bytes: 29 },
      { type: 'start', task: 'clone', files: 6, bytes: 0 },
    ]);
  });

  it('goes into an empty folder that is there', async () => {
    const { client, makeFolder, cacheDir } = await createRig(seed);
    const empty = await makeFolder('empty', {});
    const { ino } = await lstat(empty);
    await client.cloneVersion(V1, empty);
    expect((await lstat(empty)).ino).toBe(ino);
    expect(await readTree(empty)).toEqual(linksTo(cacheDir));
  });

  it.runIf(process.platform === 'linux')('may stand in a folder whose name is not UTF-8', async () => {
    const { client, folder } = await createRig(seed);
    const name = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.of(0xe9)]);
    await mkdir(name);
    const result = await client.cloneVersion(V1, `${folder}/caf\udce9`);
    expect(result.files).toBe(4);
    const path = Buffer.concat([name, Buffer.from('/a.txt')]);
    expect(await readFile(path, 'utf8')).toBe('content of a');
  });
});

describe('a destination', () => {
  it('that holds anything is refused, without a request, and is left as it was', async () => {
    const { client, makeFolder, registry } = await createRig(seed);
    const folder = await makeFolder('mine', { 'my.txt': 'mine' });
    const refused = { code: 'destination-refused', hint: expect.stringContaining('--merge') };
    await expect((async () => client.cloneVersion(V1, folder))()).rejects.toMatchObject(refused);
    expect(await readTree(folder)).toEqual({ 'my.txt': 'mine' });
    expect(registry.calls).toEqual([]);
  });

  it.each([
    ['the cache itself', 'cache'],
    ['a folder in the cache', 'cache/clones/x'],
    ['a folder that holds the cache', '.'],
    ['a way into the cache through a symlink', 'way/x'],
  ])('that is %s is refused', async (_name, destination) => {
    const { client, folder, cacheDir, registry } = await createRig(seed);
    await mkdir(cacheDir);
    await symlink(cacheDir, join(folder, 'way'));
    await expect(
      (async () => client.cloneVersion(V1, join(folder, destination), { merge: true }))(),
    ).rejects.toMatchObject({
      code: 'destination-refused',
    });
    expect(await readdir(cacheDir)).toEqual([]);
    expect(registry.calls).toEqual([]);
  });

  it('that is a file is refused', async () => {
    const { client, makeFolder } = await createRig(seed);
    const folder = await makeFolder('mine', { file: 'x' });
    await expect((async () => client.cloneVersion(V1, join(folder, 'file')))()).rejects.toMatchObject({
      code: 'destination-refused',
    });
  });

  it.each([
    ['an unknown version', { ...V1, version: 'v9' }, 'not-found'],
    ['an impossible name', { ...V1, version: '..' }, 'invalid-argument'],
  ])('is not made for %s', async (_name, ref, code) => {
    const { client, folder } = await createRig(seed);
    await expect((async () => client.cloneVersion(ref, join(folder, 'x/y')))()).rejects.toMatchObject({ code });
    expect(await readdir(folder)).not.toContain('x');
  });

  it('is as it was when fetching fails', async () => {
    const { connect, folder, registry } = await createRig(seed);
    registry.inject(cutOff('half'), { key: 'p/a/v1/a.txt' });
    await expect(connect({ retries: 1 }).cloneVersion(V1, join(folder, 'x/y'))).rejects.toThrow();
    expect(await readdir(folder)).not.toContain('x');
  });

  it.each([
    ['a folder with local files', true],
    ['no folder at all', false],
  ])('that was %s is so again when the clone is aborted between two links', async (_name, merge) => {
    const files = Object.fromEntries(
      Array.from({ length: 30_000 }, (_, n) => [`d${n % 100}/f${n}`, { link: 'p/a/v1:/a.txt' }]),
    );
    const { client, folder, makeFolder, cacheDir } = await createRig({
      versions: { ...seed.versions, 'p/a/many': files },
    });
    const stop = new AbortController();
    const reason = new Error('enough');
    if (merge) await makeFolder('mine', { 'my.txt': 'mine' });
    const onEvent = (event: { type: string; task?: string }) => {
      if (event.type === 'progress' && event.task === 'clone') stop.abort(reason);
    };
    const options = { download: false, merge, signal: stop.signal, onEvent };
    const clone = client.cloneVersion({ ...V1, version: 'many' }, join(folder, 'mine'), options);
    await expect(clone).rejects.toBe(reason);
    if (merge) expect(await readdir(join(folder, 'mine'))).toEqual(['my.txt']);
    else expect(await readdir(folder)).toEqual(['cache']);
    expect(await readdir(join(cacheDir, '.gypsum-client/1/clones'))).toEqual([]);
  });
});

describe('`merge`', () => {
  it('keeps local files, reports what is in the way, and completes the rest', async () => {
    const { client, makeFolder, cacheDir } = await createRig(seed);
    const folder = await makeFolder('mine', {
      'a.txt': 'mine',
      'own.txt': 'own',
      'sub/deep': 'a file where a folder should be',
    });
    const result = await client.cloneVersion(V1, folder, { merge: true });
    expect(result).toMatchObject({ links: { made: 2, unchanged: 0 }, conflicts: ['a.txt', 'sub/deep/er.txt'] });
    const links = linksTo(cacheDir);
    expect(await readTree(folder)).toEqual({
      '.hidden': links['.hidden'],
      'a.txt': 'mine',
      'own.txt': 'own',
      'sub/b.txt': links['sub/b.txt'],
      'sub/deep': 'a file where a folder should be',
    });
  });

  it('takes away what killed processes have left, and nothing of others', async () => {
    const { client, makeFolder, cacheDir } = await createRig(seed);
    const living = freshName('sub');
    const folder = await makeFolder('mine', {
      [leftoverName()]: 'half',
      [`sub/${leftoverName()}`]: '',
      [living]: 'now',
    });
    await client.cloneVersion(V1, folder, { merge: true });
    expect(await readTree(folder)).toEqual({ ...linksTo(cacheDir), [living]: 'now' });
  });

  it('finds what is there also among names that are whole numbers', async () => {
    const files = { b: 'b', '10': 'ten', '9': 'nine', 'a/2': 'two', 'a/x': 'x' };
    const { client, folder } = await createRig({ versions: { 'p/a/v1': files } });
    const clone = join(folder, 'clone');
    await client.cloneVersion(V1, clone);
    await rm(join(clone, 'a/x'));
    const result = await client.cloneVersion(V1, clone, { merge: true });
    expect(result).toMatchObject({ links: { made: 1, unchanged: 4 }, conflicts: [] });
  });

  it('finishes a clone that was broken off', async () => {
    const { client, folder, cacheDir } = await createRig(seed);
    await client.cloneVersion(V1, join(folder, 'clone'));
    await rm(join(folder, 'clone/sub'), { recursive: true });
    const result = await client.cloneVersion(V1, join(folder, 'clone'), { merge: true });
    expect(result.links).toEqual({ made: 2, unchanged: 2 });
    expect(await readTree(join(folder, 'clone'))).toEqual(linksTo(cacheDir));
  });

  it('never writes through a symlink that stands where a folder should be', async () => {
    const { client, makeFolder } = await createRig(seed);
    const elsewhere = await makeFolder('elsewhere', {});
    const folder = await makeFolder('mine', {});
    await symlink(elsewhere, join(folder, 'sub'));
    const result = await client.cloneVersion(V1, folder, { merge: true });
    expect(result.conflicts).toEqual(['sub/b.txt', 'sub/deep/er.txt']);
    expect(await readdir(elsewhere)).toEqual([]);
    expect(await readlink(join(folder, 'sub'))).toBe(elsewhere);
  });
});

describe('a cache', () => {
  it('is refused for another registry: equal names may mean other data', async () => {
    const { client, connect, folder } = await createRig(seed);
    await client.cloneVersion(V1, join(folder, 'clone'));
    const other = await createRig({ versions: { 'p/a/v1': { 'a.txt': 'another one’s' } } });
    const confused = connect({ url: other.registry.url });
    await expect(confused.cloneVersion(V1, join(folder, 'other'))).rejects.toMatchObject({
      code: 'cache-mismatch',
      message: expect.stringContaining('belongs to the registry'),
    });
    expect(other.registry.calls).toEqual([]);
  });

  it('does not remember what a busy registry could not answer', async () => {
    const { connect, client, folder, registry } = await createRig(seed);
    registry.inject(status(503), { key: /summary/ });
    await expect(connect({ retries: 0 }).cloneVersion(V1, join(folder, 'x'))).rejects.toMatchObject({
      code: 'unavailable',
    });
    registry.clearFaults();
    await writeFile(join(folder, 'canary'), '');
    expect(await client.cloneVersion(V1, join(folder, 'x'))).toMatchObject({ files: 4 });
  });
});
