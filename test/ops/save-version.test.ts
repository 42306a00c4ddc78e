import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytes, cutOff, disconnected, type Fault, flipped, status, wrongLength } from '../../mocks/index.ts';
import { openFingerprints } from '../../src/cache/fingerprints.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { preparePauses } from '../helpers/pause-at-call.ts';
import { createRig, md5, type Rig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const FILES = { 'a.txt': 'content of a', 'sub/b.txt': 'content of b', 'sub/same.txt': 'content of b', empty: '' };
const seed = { versions: { 'p/a/v1': FILES } };

const bucket = (rig: Rig, path: string) => join(rig.cacheDir, 'bucket/p/a/v1', path);

describe('a cold save', () => {
  it('asks for the summary, the manifest and each distinct content once', async () => {
    const { client, registry, cacheDir } = await createRig(seed);
    const result = await client.saveVersion(V1);
    expect(result).toMatchObject({ files: 4, bytes: 36, fetched: { contents: 3, bytes: 24 } });
    expect(registry.calls.map(({ key }) => key).sort()).toEqual([
      'p/a/v1/..manifest',
      'p/a/v1/..summary',
      'p/a/v1/a.txt',
      'p/a/v1/empty',
      'p/a/v1/sub/b.txt',
    ]);
    for (const [path, content] of Object.entries(FILES)) {
      const file = join(cacheDir, 'bucket/p/a/v1', path);
      expect(await readFile(file, 'utf8')).toBe(content);
      expect((await lstat(file)).mode & 0o777).toBe(0o444);
    }
  });

  it('stores equal contents as one inode', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    const [one, other] = await Promise.all([lstat(bucket(rig, 'sub/b.txt')), lstat(bucket(rig, 'sub/same.txt'))]);
    expect(one.ino).toBe(other.ino);
  });

  it('leaves what the R and Python clients look for', async () => {
    const { client, cacheDir, registry } = await createRig(seed);
    await client.saveVersion(V1);
    expect(await readFile(join(cacheDir, 'status/p/a/v1/COMPLETE'), 'utf8')).toBe('');
    const sent = await fetch(`${registry.url}/file/${encodeURIComponent('p/a/v1/..manifest')}`);
    expect(await readFile(join(cacheDir, 'bucket/p/a/v1/..manifest'), 'utf8')).toBe(await sent.text());
    expect(await readFile(join(cacheDir, 'CACHEDIR.TAG'), 'utf8')).toMatch(
      /^Signature: 8a477f597d28d172789f06886806bc55\n/,
    );
  });

  it('leaves nothing unverified behind', async () => {
    const { client, cacheDir } = await createRig(seed);
    await client.saveVersion(V1);
    expect(await readdir(join(cacheDir, '.gypsum-client/1/incoming'))).toEqual([]);
  });

  it('goes on with more than 16 contents at once, and without a warning', async () => {
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`f${n}`, `${n}`.padEnd(64 * 1024)]));
    const warnings: Error[] = [];
    const listen = (warning: Error) => void warnings.push(warning);
    process.on('warning', listen);
    const { client, registry } = await createRig({ versions: { 'p/a/v1': files } });
    await client.saveVersion(V1, { concurrency: 32 });
    process.off('warning', listen);
    expect(registry.count({ route: 'file' })).toBe(62);
    expect(warnings).toEqual([]);
  });
});

describe('a warm save', () => {
  it('makes no request for a finished version, also from another process', async () => {
    const { client, connect, registry } = await createRig(seed);
    await client.saveVersion(V1);
    registry.resetCalls();
    expect(await client.saveVersion(V1)).toMatchObject({ files: 4, fetched: { contents: 0 } });
    expect(await connect().saveVersion(V1)).toMatchObject({ files: 4, fetched: { contents: 0 } });
    expect(registry.calls).toEqual([]);
  });

  it('needs no registry at all', async () => {
    const { client, connect, registry } = await createRig(seed);
    await client.saveVersion(V1);
    registry.inject(disconnected());
    expect(await connect({ retries: 0 }).saveVersion(V1)).toMatchObject({ files: 4 });
  });

  it('reads no content: each file is known by its inode and times, whatever links were made since', async () => {
    const rig = await createRig({ versions: { ...seed.versions, 'p/a/v2': { ...FILES, 'more.txt': 'content of a' } } });
    await rig.client.saveVersion(V1);
    await rig.client.saveVersion({ ...V1, version: 'v2' });
    const layout = createLayout(rig.cacheDir);
    for (const [path, content] of Object.entries(FILES)) {
      const prints = await openFingerprints(layout, 'p', [md5(content)]);
      expect(prints.check(md5(content), await lstat(bucket(rig, path)))).toBe('same');
    }
  });

  it('fetches again what was removed, and only that', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    rig.registry.resetCalls();
    await rm(bucket(rig, 'a.txt'));
    await rm(join(rig.cacheDir, '.gypsum-client/1/blobs'), { recursive: true });
    await rig.client.saveVersion(V1);
    expect(rig.registry.calls.map(({ key }) => key)).toEqual(['p/a/v1/a.txt']);
  });

  it('links again what was removed from the bucket alone', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    rig.registry.resetCalls();
    await rm(bucket(rig, 'sub'), { recursive: true });
    await rig.client.saveVersion(V1);
    expect(rig.registry.calls).toEqual([]);
    expect(await readFile(bucket(rig, 'sub/same.txt'), 'utf8')).toBe('content of b');
  });

  it('shares content between versions of a project', async () => {
    const { client, registry } = await createRig({
      versions: { ...seed.versions, 'p/a/v2': { 'moved.txt': 'content of a', 'new.txt': 'new' } },
    });
    await client.saveVersion(V1);
    registry.resetCalls();
    await client.saveVersion({ ...V1, version: 'v2' });
    expect(registry.calls.map(({ key }) => key)).toEqual(['p/a/v2/..summary', 'p/a/v2/..manifest', 'p/a/v2/new.txt']);
    registry.resetCalls();
    // Linking changed the inode that the first version shares: that must not cost it anything.
    await client.saveVersion(V1);
    expect(registry.calls).toEqual([]);
  });

  it('does not share content between projects, where an MD5 may have been forged', async () => {
    const { client, registry } = await createRig({
      versions: { ...seed.versions, 'q/a/v1': { 'x.txt': 'content of a' } },
    });
    await client.saveVersion(V1);
    registry.resetCalls();
    await client.saveVersion({ ...V1, project: 'q' });
    expect(registry.count({ key: 'q/a/v1/x.txt' })).toBe(1);
  });
});

describe('links', () => {
  const linked = {
    versions: {
      ...seed.versions,
      'q/b/v1': { 'one.txt': { link: 'p/a/v1:/a.txt' } },
      'q/b/v2': { 'two.txt': { link: 'q/b/v1:/one.txt' }, 'again.txt': { link: 'q/b/v1:/one.txt' } },
    },
  };

  it('are followed to their ancestor, once', async () => {
    const { client, registry, cacheDir } = await createRig(linked);
    await client.saveVersion({ project: 'q', asset: 'b', version: 'v2' });
    expect(registry.calls.map(({ key }) => key)).toEqual(['q/b/v2/..summary', 'q/b/v2/..manifest', 'p/a/v1/a.txt']);
    expect(await readFile(join(cacheDir, 'bucket/q/b/v2/two.txt'), 'utf8')).toBe('content of a');
  });

  it('are followed by the targets’ own manifests where an ancestor is not named', async () => {
    const { client, registry, cacheDir } = await createRig(linked);
    const key = 'q/b/v2/..manifest';
    const manifest = await (await fetch(`${registry.url}/file/${encodeURIComponent(key)}`)).json();
    for (const entry of Object.values(manifest as Record<string, { link: { ancestor?: unknown } }>))
      delete entry.link.ancestor;
    registry.inject(bytes(JSON.stringify(manifest)), { key });
    await client.saveVersion({ project: 'q', asset: 'b', version: 'v2' });
    expect(await readFile(join(cacheDir, 'bucket/q/b/v2/two.txt'), 'utf8')).toBe('content of a');
  });

  it('to what is gone are a clear error', async () => {
    const { client, registry } = await createRig(linked);
    registry.inject(status(404), { key: /^p\// });
    await expect(client.saveVersion({ project: 'q', asset: 'b', version: 'v1' })).rejects.toMatchObject({
      code: 'not-found',
      message: 'The content of q/b/v1:/one.txt is not in the registry: p/a/v1:/a.txt does not exist.',
    });
  });
});

describe('a faulty registry', () => {
  const faults: [string, Fault, string][] = [
    ['a dropped connection', disconnected(), 'unavailable'],
    ['a body that breaks off', cutOff('half'), 'unavailable'],
    ['a busy server', status(503), 'unavailable'],
    ['a flipped bit', flipped(), 'wrong-content'],
    ['other bytes', bytes('HOOT'), 'wrong-content'],
    ['too many bytes', bytes('content of a, and more'), 'wrong-content'],
    ['a length that is too large', wrongLength(5), 'unavailable'],
    ['a length that is too small', wrongLength(-5), 'wrong-content'],
  ];

  it.each(faults)('is tried again after %s', async (_name, fault) => {
    const { client, registry, events, watch, cacheDir } = await createRig(seed);
    registry.inject(fault, { key: 'p/a/v1/a.txt', times: 2 });
    await client.saveVersion(V1, watch);
    expect(registry.count({ key: 'p/a/v1/a.txt' })).toBe(3);
    expect(await readFile(join(cacheDir, 'bucket/p/a/v1/a.txt'), 'utf8')).toBe('content of a');
    const fetched = events.filter((event) => event.type === 'progress' && event.task === 'fetch');
    expect(fetched.reduce((sum, event) => sum + (event.type === 'progress' ? event.bytes : 0), 0)).toBe(24);
    expect(events.filter(({ type }) => type === 'retry')).toHaveLength(2);
  });

  it.each(faults)(
    'gets a clear error if %s does not pass, and nothing wrong is in the cache',
    async (_name, fault, code) => {
      const rig = await createRig(seed);
      const { registry, cacheDir, connect } = rig;
      registry.inject(fault, { key: 'p/a/v1/a.txt' });
      await expect(connect({ retries: 2 }).saveVersion(V1)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(/p\/a\/v1:?\/a\.txt/),
      });
      expect(registry.count({ key: 'p/a/v1/a.txt' })).toBe(3);
      await expect(lstat(bucket(rig, 'a.txt'))).rejects.toThrow('ENOENT');
      expect(await readdir(join(cacheDir, '.gypsum-client/1/incoming'))).toEqual([]);
      await expect(lstat(join(cacheDir, 'status'))).rejects.toThrow('ENOENT');
      registry.clearFaults();
      expect(await rig.client.saveVersion(V1)).toMatchObject({ files: 4 });
    },
  );

  it('is not asked again for what it does not have', async () => {
    const { client, registry } = await createRig(seed);
    await expect(client.saveVersion({ ...V1, version: 'nope' })).rejects.toMatchObject({ code: 'not-found' });
    expect(registry.calls).toHaveLength(1);
  });
});

describe('a version that is not finished or not official', () => {
  it('is refused while its upload is in progress', async () => {
    const { client } = await createRig(seed);
    await client.startUpload({ ...V1, version: 'v2' }, []);
    await expect(client.saveVersion({ ...V1, version: 'v2' })).rejects.toMatchObject({ code: 'version-unfinished' });
  });

  it('is asked for each time while it is on probation', async () => {
    const { client, registry, makeFolder, cacheDir } = await createRig(seed);
    const folder = await makeFolder('new', { 'n.txt': 'n' });
    await client.uploadDirectory({ ...V1, version: 'v2' }, folder, { probation: true });
    await client.saveVersion({ ...V1, version: 'v2' });
    registry.resetCalls();
    await client.saveVersion({ ...V1, version: 'v2' });
    expect(registry.calls.map(({ key }) => key)).toEqual(['p/a/v2/..summary', 'p/a/v2/..manifest']);
    await expect(lstat(join(cacheDir, 'status/p/a/v2'))).rejects.toThrow('ENOENT');
  });
});

describe('a cache that other clients filled', () => {
  /** As the R and Python clients leave a version: their layout, their modes, and nothing of ours. */
  async function fillLikeOthers({ cacheDir, registry }: Rig, files: Record<string, string> = FILES): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      const file = join(cacheDir, 'bucket/p/a/v1', path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    const manifest = await fetch(`${registry.url}/file/${encodeURIComponent('p/a/v1/..manifest')}`);
    await writeFile(join(cacheDir, 'bucket/p/a/v1/..manifest'), await manifest.text());
    await mkdir(join(cacheDir, 'status/p/a/v1'), { recursive: true });
    await writeFile(join(cacheDir, 'status/p/a/v1/COMPLETE'), '');
    registry.resetCalls();
  }

  it('is taken over after verification, and not fetched again', async () => {
    const rig = await createRig(seed);
    await fillLikeOthers(rig);
    const before = await lstat(bucket(rig, 'a.txt'));
    const result = await rig.client.saveVersion(V1);
    expect(result).toMatchObject({ fetched: { contents: 0 }, adopted: { contents: 3, bytes: 24 } });
    expect(rig.registry.calls.map(({ key }) => key)).toEqual(['p/a/v1/..summary', 'p/a/v1/..manifest']);
    const after = await lstat(bucket(rig, 'a.txt'));
    expect(after.ino).toBe(before.ino);
    expect(after.mode & 0o777).toBe(0o444);
    rig.registry.resetCalls();
    await rig.client.saveVersion(V1);
    expect(rig.registry.calls).toEqual([]);
  });

  it('is not believed: wrong files are moved aside and fetched', async () => {
    const rig = await createRig(seed);
    await fillLikeOthers(rig, { ...FILES, 'a.txt': 'Content of a' });
    const result = await rig.client.saveVersion(V1, rig.watch);
    expect(result.fetched).toEqual({ contents: 1, bytes: 12 });
    expect(await readFile(bucket(rig, 'a.txt'), 'utf8')).toBe('content of a');
    const damaged = rig.events.find((event) => event.type === 'damaged');
    expect(damaged).toMatchObject({ file: { ...V1, path: 'a.txt' }, path: bucket(rig, 'a.txt') });
    expect(await readFile(damaged?.type === 'damaged' ? damaged.movedTo : '', 'utf8')).toBe('Content of a');
  });

  it('may be half filled, and hold links and folders in the places of files', async () => {
    const rig = await createRig(seed);
    await mkdir(bucket(rig, 'a.txt'), { recursive: true });
    await mkdir(bucket(rig, 'sub'));
    await symlink('../elsewhere', bucket(rig, 'sub/b.txt'));
    await rig.client.saveVersion(V1);
    expect(await readFile(bucket(rig, 'a.txt'), 'utf8')).toBe('content of a');
    expect((await lstat(bucket(rig, 'sub/b.txt'))).isFile()).toBe(true);
  });
});

describe('a file that was edited through a link', () => {
  it('is noticed even if its size and time are as before; the edit is kept aside', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    const file = bucket(rig, 'a.txt');
    await chmod(file, 0o644);
    // Whole seconds come through exactly, so that nothing but the change time can give the edit away.
    await utimes(file, 1e9, 1e9);
    await rig.client.saveVersion(V1);
    await writeFile(file, 'CONTENT OF A');
    await utimes(file, 1e9, 1e9);
    rig.registry.resetCalls();
    await rig.client.saveVersion(V1, rig.watch);
    expect(rig.registry.calls.map(({ key }) => key)).toEqual(['p/a/v1/a.txt']);
    expect(await readFile(file, 'utf8')).toBe('content of a');
    const damaged = rig.events.find((event) => event.type === 'damaged');
    expect(await readFile(damaged?.type === 'damaged' ? damaged.movedTo : '', 'utf8')).toBe('CONTENT OF A');
  });

  it('is told of once, and kept once, with the equal files that show it, also where the content does not come', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    await chmod(bucket(rig, 'sub/b.txt'), 0o644);
    await writeFile(bucket(rig, 'sub/b.txt'), 'an edit');
    rig.registry.inject(disconnected(), { key: 'p/a/v1/sub/b.txt' });
    await expect(rig.connect({ retries: 0 }).saveVersion(V1, rig.watch)).rejects.toMatchObject({ code: 'unavailable' });
    rig.registry.clearFaults();
    await rig.client.saveVersion(V1, rig.watch);
    const [damaged, ...more] = rig.events.filter((event) => event.type === 'damaged');
    expect(more).toEqual([]);
    expect(damaged).toMatchObject({
      file: { ...V1, path: 'sub/b.txt' },
      equal: [{ ...V1, path: 'sub/same.txt' }],
    });
    expect(await readFile(damaged?.movedTo ?? '', 'utf8')).toBe('an edit');
    expect(await readdir(join(rig.cacheDir, '.gypsum-client/1/damaged'))).toHaveLength(1);
    for (const path of ['sub/b.txt', 'sub/same.txt'])
      expect(await readFile(bucket(rig, path), 'utf8')).toBe('content of b');
  });

  it('is told of each time where equal files were changed each for itself', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    for (const path of ['sub/b.txt', 'sub/same.txt']) {
      await rm(bucket(rig, path));
      await writeFile(bucket(rig, path), `an edit of ${path}`);
    }
    await rig.client.saveVersion(V1, rig.watch);
    const damaged = rig.events.filter((event) => event.type === 'damaged');
    expect(damaged.map(({ file, equal }) => [file.path, equal])).toEqual([
      ['sub/b.txt', undefined],
      ['sub/same.txt', undefined],
    ]);
  });

  it('is not confused with one that was merely linked once more', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    await link(bucket(rig, 'a.txt'), join(rig.folder, 'another-name'));
    rig.registry.resetCalls();
    await rig.client.saveVersion(V1, rig.watch);
    expect(rig.registry.calls).toEqual([]);
    expect(rig.events.filter(({ type }) => type === 'damaged')).toEqual([]);
  });

  it('is noticed when it was cut short', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    await chmod(bucket(rig, 'a.txt'), 0o644);
    await truncate(bucket(rig, 'a.txt'), 3);
    await rig.client.saveVersion(V1);
    expect(await readFile(bucket(rig, 'a.txt'), 'utf8')).toBe('content of a');
  });
});

describe('"overwrite"', () => {
  it('asks for everything anew, and replaces it once it has been verified', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    const before = await lstat(bucket(rig, 'a.txt'));
    rig.registry.resetCalls();
    const again = await rig.client.saveVersion(V1, { overwrite: true, ...rig.watch });
    expect(again).toMatchObject({ files: 4, fetched: { contents: 3, bytes: 24 }, adopted: { contents: 0 } });
    expect(rig.registry.count({ route: 'file' })).toBe(5);
    expect((await lstat(bucket(rig, 'a.txt'))).ino).not.toBe(before.ino);
    expect((await lstat(bucket(rig, 'sub/b.txt'))).ino).toBe((await lstat(bucket(rig, 'sub/same.txt'))).ino);
    expect(rig.events.filter(({ type }) => type === 'damaged')).toEqual([]);
    rig.registry.resetCalls();
    await rig.client.saveVersion(V1);
    expect(rig.registry.calls).toEqual([]);
  });

  it('leaves all as it was where the new bytes are wrong or do not come', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    for (const [fault, code] of [
      [flipped(), 'wrong-content'],
      [status(404), 'not-found'],
    ] as const) {
      rig.registry.clearFaults();
      rig.registry.inject(fault, { key: 'p/a/v1/a.txt' });
      // Its content has no other name then.
      await rm(bucket(rig, 'a.txt'), { force: true });
      const saving = rig.connect({ retries: 0 }).saveVersion(V1, { overwrite: true });
      await expect(saving).rejects.toMatchObject({ code });
    }
    rig.registry.resetCalls();
    expect(await rig.client.saveVersion(V1, rig.watch)).toMatchObject({ fetched: { contents: 0 } });
    expect(await readFile(bucket(rig, 'a.txt'), 'utf8')).toBe('content of a');
    expect(rig.registry.calls).toEqual([]);
  });

  it('of one file has that alone asked for anew', async () => {
    const rig = await createRig(seed);
    const file = await rig.client.saveFile({ ...V1, path: 'a.txt' });
    const before = await lstat(file);
    rig.registry.resetCalls();
    await rig.client.saveFile({ ...V1, path: 'a.txt' }, { overwrite: true });
    expect(rig.registry.count({ key: 'p/a/v1/a.txt' })).toBe(1);
    expect((await lstat(file)).ino).not.toBe(before.ino);
  });

  it('keeps an edit aside, as ever', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    await chmod(bucket(rig, 'a.txt'), 0o644);
    await writeFile(bucket(rig, 'a.txt'), 'an edit');
    const file = await rig.client.saveFile({ ...V1, path: 'a.txt' }, { overwrite: true, ...rig.watch });
    expect(await readFile(file, 'utf8')).toBe('content of a');
    const [damaged] = rig.events.filter((event) => event.type === 'damaged');
    expect(await readFile(damaged?.movedTo ?? '', 'utf8')).toBe('an edit');
  });

  it('gets a version that is another one now, whose documents the cache knew', async () => {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    await rig.client.removeVersion(V1);
    await rig.registry.publish({ versions: { 'p/a/v1': { 'a.txt': 'another' } } });
    expect(Object.keys(await rig.client.fetchManifest(V1))).toHaveLength(4);
    expect(Object.keys(await rig.client.fetchManifest(V1, { overwrite: true }))).toEqual(['a.txt']);
    await rig.client.saveVersion(V1, { overwrite: true });
    expect(await readFile(bucket(rig, 'a.txt'), 'utf8')).toBe('another');
  });
});

describe('saveFile', () => {
  it('fetches one file and gives its path', async () => {
    const { client, registry, cacheDir } = await createRig(seed);
    const path = await client.saveFile({ ...V1, path: 'sub/b.txt' });
    expect(path).toBe(join(cacheDir, 'bucket/p/a/v1/sub/b.txt'));
    expect(await readFile(path, 'utf8')).toBe('content of b');
    expect(registry.count()).toBe(3);
    await expect(lstat(join(cacheDir, 'status'))).rejects.toThrow('ENOENT');
  });

  it('says which file does not exist', async () => {
    const { client } = await createRig(seed);
    await expect(client.saveFile({ ...V1, path: 'nope' })).rejects.toMatchObject({
      code: 'not-found',
      message: 'There is no file p/a/v1:/nope.',
    });
  });
});

describe('several at once', () => {
  it('fetch each content once, in one process and in several', async () => {
    const { connect, registry } = await createRig(seed);
    await Promise.all(Array.from({ length: 6 }, () => connect().saveVersion(V1)));
    expect(registry.count({ key: /txt$/ })).toBe(2);
  });

  it('count what was fetched as fetched, and its bytes once, whenever somebody removes it from among the blobs', async () => {
    const rig = await createRig(seed);
    const workWith = preparePauses();
    const blobs = join(rig.cacheDir, '.gypsum-client/1/blobs');
    for (let at = 0, isMet = true; isMet; at++) {
      await rm(rig.cacheDir, { recursive: true, force: true });
      rig.events.length = 0;
      isMet = await workWith(
        at,
        async () => {
          const saved = await rig.connect({ concurrency: 1 }).saveVersion(V1, rig.watch);
          expect(saved).toMatchObject({ fetched: { contents: 3, bytes: 24 }, adopted: { contents: 0 } });
        },
        () => rm(blobs, { recursive: true, force: true }),
      );
      let open = 24;
      for (const event of rig.events) if (event.type === 'progress' && event.task === 'fetch') open -= event.bytes;
      expect(open, `at ${at}`).toBe(0);
    }
  });

  it('can be aborted: the reason comes out, and the next one goes on', async () => {
    const { client, registry, cacheDir } = await createRig(seed);
    const stop = new AbortController();
    const reason = new Error('enough');
    registry.inject(
      async (_request, next) => {
        stop.abort(reason);
        return next();
      },
      { key: 'p/a/v1/sub/b.txt' },
    );
    await expect(client.saveVersion(V1, { signal: stop.signal })).rejects.toBe(reason);
    expect(await readdir(join(cacheDir, '.gypsum-client/1/incoming'))).toEqual([]);
    expect(await client.saveVersion(V1)).toMatchObject({ files: 4 });
  });
});
