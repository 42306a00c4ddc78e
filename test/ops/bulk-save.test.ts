import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bytes, cutOff, disconnected, type Fault, flipped, status } from '../../mocks/index.ts';
import { type Client, createClient, type GypsumEvent } from '../../src/index.ts';
import { listen, openRegistry } from '../../src/server/index.ts';
import { type BulkFrame, bulkFrames } from '../helpers/bulk-answer.ts';
import { startCli } from '../helpers/cli.ts';
import { entriesBelow } from '../helpers/entries-below.ts';
import { createRig, readTree } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };

const many = (count: number, size = 10) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`dir-${n % 3}/f${n}`, `${n} `.padEnd(size, 'x')]));

const FILES: Readonly<Record<string, string>> = { ...many(12), 'dir-9/empty': '' };
const COUNT = Object.keys(FILES).length;
/** Fewer at once than there are files, so that it saves round trips to ask for many. */
const FEW = { concurrency: 4 };

const setUp = (files: Readonly<Record<string, string>> = FILES) => createRig({ versions: { 'p/a/v1': files } });

/** Answers a request for many files with other frames. */
function answering(change: (frames: readonly BulkFrame[]) => readonly (BulkFrame | string)[]): Fault {
  return async (_request, next) => {
    const answer = await next();
    const frames = change(bulkFrames(new Uint8Array(await answer.arrayBuffer())));
    const text = frames.map((frame) => {
      if (typeof frame === 'string') return frame;
      const { content = '', ...line } = frame;
      return `${JSON.stringify(line)}\n${content}`;
    });
    return new Response(text.join(''), { headers: answer.headers });
  };
}

const sum = (events: readonly GypsumEvent[], what: 'files' | 'bytes') =>
  events.reduce((total, event) => total + (event.type === 'progress' && event.task === 'fetch' ? event[what] : 0), 0);

describe('a save of many small files', () => {
  it('needs few requests, and makes the same cache as one file after the other', async () => {
    const files = many(300);
    const { client, connect, registry, folder, cacheDir, events, watch } = await setUp(files);
    const saved = await client.saveVersion(V1, watch);
    expect(saved).toMatchObject({ files: 300, fetched: { contents: 300 } });
    expect([registry.count({ route: 'file' }), registry.count({ route: 'bulk' })]).toEqual([2, 2]);
    expect(events).toContainEqual({ type: 'start', task: 'fetch', files: 300, bytes: saved.bytes });
    expect([sum(events, 'files'), sum(events, 'bytes')]).toEqual([300, saved.bytes]);
    expect(events.filter(({ type }) => type === 'retry')).toEqual([]);

    registry.inject(withoutBulk);
    registry.resetCalls();
    const other = join(folder, 'other');
    await connect({ cacheDir: other }).saveVersion(V1);
    expect([registry.count({ route: 'file' }), registry.count({ route: 'bulk' })]).toEqual([302, 0]);
    expect(await readTree(join(cacheDir, 'bucket'))).toEqual(await readTree(join(other, 'bucket')));
    expect(shapeOf(cacheDir)).toEqual(shapeOf(other));
    registry.resetCalls();
    expect(await client.saveVersion(V1)).toMatchObject({ fetched: { contents: 0 } });
    expect(registry.calls).toEqual([]);
  });

  it('asks one by one for large ones, and where there are no more than come at once', async () => {
    const { client, registry, connect, folder } = await setUp({ ...many(5), large: 'x'.repeat(64 * 1024) });
    await client.saveVersion(V1, { concurrency: 5 });
    expect([registry.count({ route: 'file' }), registry.count({ route: 'bulk' })]).toEqual([8, 0]);
    registry.resetCalls();
    await connect({ cacheDir: join(folder, 'other') }).saveVersion(V1, FEW);
    expect([registry.count({ route: 'file' }), registry.count({ route: 'bulk' })]).toEqual([3, 1]);
  });

  it('learns of it from the first file, where the manifest is in the cache', async () => {
    const { client, connect, registry } = await setUp();
    await client.fetchManifest(V1);
    registry.resetCalls();
    const fresh = connect();
    expect(await fresh.saveVersion(V1, FEW)).toMatchObject({ fetched: { contents: COUNT } });
    expect(registry.calls.map(({ route }) => route)).toEqual(['file', 'bulk']);
  });

  it('asks for nothing that is there: in the cache, or left there by another client', async () => {
    const { client, registry, cacheDir } = await createRig({ versions: { 'p/a/v1': FILES, 'p/a/v2': FILES } });
    await client.saveVersion(V1, FEW);
    registry.resetCalls();
    expect(await client.saveVersion(V2, FEW)).toMatchObject({ fetched: { contents: 0 } });
    expect([registry.count({ route: 'file' }), registry.count({ route: 'bulk' })]).toEqual([2, 0]);
    await rm(join(cacheDir, '.gypsum-client/1/blobs'), { recursive: true });
    await rm(join(cacheDir, '.gypsum-client/1/verified'), { recursive: true, force: true });
    registry.resetCalls();
    expect((await client.saveVersion(V2, FEW)).fetched.contents).toBe(0);
    expect(registry.calls).toEqual([]);
  });

  it('asks for links where their bytes are, version by version', async () => {
    const { client, registry } = await setUp();
    const links = Object.keys(FILES).map((path) => ({ path: `linked/${path}`, link: { ...V1, path } }));
    await client.uploadContents(V2, [
      ...links,
      ...Object.entries(many(6, 20)).map(([path, content]) => ({ path, content })),
    ]);
    registry.resetCalls();
    const saved = await client.saveVersion(V2, { ...FEW, overwrite: true });
    expect(saved.fetched.contents).toBe(COUNT + 6);
    const asked = registry.calls.filter(({ route }) => route === 'bulk').map(({ path }) => path);
    expect(asked.toSorted()).toEqual(['/bulk/p/a/v1', '/bulk/p/a/v2']);
    expect(registry.count({ route: 'file' })).toBe(2);
  });

  it('brings a clone whose links dangle, and what is got from a version, in the same way', async () => {
    const { client, registry, folder, connect } = await setUp();
    const clone = join(folder, 'clone');
    await client.cloneVersion(V1, clone, { download: false });
    registry.resetCalls();
    await client.fetchFiles([clone], FEW);
    expect([registry.count({ route: 'file' }), registry.count({ route: 'bulk' })]).toEqual([0, 1]);
    expect(await readFile(join(clone, 'dir-1/f1'), 'utf8')).toBe(FILES['dir-1/f1']);
    registry.resetCalls();
    await connect({ cacheDir: join(folder, 'other') }).getTree(V1, join(folder, 'got'), FEW);
    expect(registry.count({ route: 'bulk' })).toBe(1);
    expect(await readTree(join(folder, 'got'))).toEqual(FILES);
  });

  it('is the same with a token where the registry is private', async () => {
    const folder = await tempFolder();
    const registry = await openRegistry({ data: join(folder, 'data'), isPrivate: true });
    const paths: string[] = [];
    const listener = await listen((request) => {
      paths.push(new URL(request.url).pathname);
      return registry.fetch(request);
    });
    const client = createClient({ url: listener.url, cacheDir: join(folder, 'cache'), token: registry.adminToken });
    onTestFinished(async () => {
      await client.close();
      await listener.close();
      await registry.close();
    });
    await client.createProject('p');
    await client.uploadContents(
      V1,
      Object.entries(FILES).map(([path, content]) => ({ path, content })),
    );
    expect((await client.saveVersion(V1, { ...FEW, overwrite: true })).fetched.contents).toBe(COUNT);
    expect(paths.filter((path) => path.startsWith('/bulk'))).toEqual(['/bulk/p/a/v1']);
  });
});

describe('what many files at once do not bring comes one by one', () => {
  const first = Object.keys(FILES)[0] ?? '';

  it.each<[string, Fault, singly: number]>([
    ['no such route', status(404), COUNT],
    ['no such method', status(405), COUNT],
    ['a request that is too large', status(413), COUNT],
    ['a failure', status(500), COUNT],
    ['a busy registry', status(503, { 'retry-after': '30' }), COUNT],
    ['somebody who sends it elsewhere', status(307, { location: 'http://127.0.0.1:9/' }), COUNT],
    ['a connection that ends', disconnected(), COUNT],
    ['an answer that breaks off', cutOff('half'), Number.NaN],
    ['an answer without its end', answering((frames) => frames.slice(0, -3)), 2],
    ['other bytes', bytes('HOOT'), COUNT],
    ['a page', bytes('<html>\n<body>\n'), COUNT],
    ['a line without an end', bytes('x'.repeat(1_000_000)), COUNT],
    ['a line that is wrong', flipped(), COUNT],
    ['nothing', answering(() => []), COUNT],
    ['an end at once', answering(() => [{ end: true }]), COUNT],
    [
      'a file that nobody asked for',
      answering(([one, ...rest]) => [{ path: '../x', size: 1, content: 'x' }, ...rest, ...(one ? [one] : [])]),
      COUNT,
    ],
    ['a file twice', answering((frames) => [...frames.slice(0, 3), ...frames]), COUNT - 3],
    ['more bytes than a file has', answering(([one, ...rest]) => [{ ...one, size: 1e12 }, ...rest]), COUNT],
    ['a size below zero', answering(([one, ...rest]) => [{ ...one, size: -1 }, ...rest]), COUNT],
    [
      'a size that is no number',
      answering(([one, ...rest]) => ['{"path":"a","size":"5"}\n', ...(one ? [one] : []), ...rest]),
      COUNT,
    ],
    ['fewer bytes than a file has', answering(([one, ...rest]) => [{ ...one, size: 2, content: 'ab' }, ...rest]), 1],
    [
      'wrong bytes of one file',
      answering(([one, ...rest]) => [{ ...one, content: one?.content?.toUpperCase() ?? '' }, ...rest]),
      1,
    ],
    [
      'a file that cannot be read',
      answering(([one, ...rest]) => [{ path: one?.path ?? '', status: 500, reason: 'EIO' }, ...rest]),
      1,
    ],
    ['a file that is left out', answering(([, ...rest]) => rest), 1],
    ['more behind the end', answering((frames) => [...frames, 'x'.repeat(100_000)]), 0],
    ['another order', answering((frames) => [...frames.slice(0, -1).reverse(), { end: true }]), 0],
  ])('after %s', async (_, fault, singly) => {
    const { client, registry, cacheDir, events, watch } = await setUp();
    registry.inject(fault, { route: 'bulk' });
    const saved = await client.saveVersion(V1, { ...FEW, ...watch });
    expect(saved).toMatchObject({ files: COUNT, fetched: { contents: COUNT, bytes: saved.bytes } });
    const wanted = Object.entries(FILES).map(([path, content]) => [`a/v1/${path}`, content]);
    expect(await readTree(join(cacheDir, 'bucket/p'))).toMatchObject(Object.fromEntries(wanted));
    expect(registry.count({ route: 'bulk' })).toBe(1);
    const asked = registry.count({ route: 'file' }) - 2;
    if (Number.isNaN(singly)) expect(asked).toBeGreaterThan(0);
    else expect(asked).toBe(singly);
    expect([sum(events, 'files'), sum(events, 'bytes')]).toEqual([COUNT, saved.bytes]);
    expect(readdirSync(join(cacheDir, '.gypsum-client/1/incoming'))).toEqual([]);
    expect((await client.verifyCache()).problems).toEqual([]);
  });

  it('and no more is asked for at once when nothing has come of it', async () => {
    const { client, registry, events, watch } = await setUp(many(30, 60_000));
    registry.inject(status(500), { route: 'bulk' });
    await client.saveVersion(V1, { concurrency: 1, ...watch });
    expect(registry.count({ route: 'bulk' })).toBe(1);
    expect(events.filter(({ type }) => type === 'retry')).toMatchObject([
      { what: expect.stringContaining('at once'), error: { code: 'unavailable' } },
    ]);
  });

  it('and fails as one by one does where a file is nowhere', async () => {
    const { client, registry, cacheDir } = await setUp();
    await rm(join(registry.data, 'objects/p/a/v1', first));
    await expect(client.saveVersion(V1, FEW)).rejects.toMatchObject({
      code: 'not-found',
      details: { file: { path: first } },
    });
    registry.inject(status(404), { route: 'bulk' });
    await expect(client.saveVersion(V1, FEW)).rejects.toMatchObject({
      code: 'not-found',
      details: { file: { path: first } },
    });
    expect(existsSync(join(cacheDir, 'bucket/p/a/v1', first))).toBe(false);
  });

  it('and fails as one by one does where the bytes are wrong', async () => {
    const { connect, registry, cacheDir, events, watch } = await setUp();
    await writeFile(join(registry.data, 'objects/p/a/v1', first), '0 xxxxxxxY');
    const client = connect({ retries: 1 });
    await expect(client.saveVersion(V1, { ...FEW, ...watch })).rejects.toMatchObject({ code: 'wrong-content' });
    expect(existsSync(join(cacheDir, 'bucket/p/a/v1', first))).toBe(false);
    expect(events.filter(({ type }) => type === 'retry').length).toBeGreaterThan(1);
    expect((await client.verifyCache()).problems).toEqual([]);
  });

  it('where a manifest says two things of one file, which is wrong', async () => {
    const { client, registry, events, watch } = await setUp();
    const lying: Fault = async (_request, next) => {
      const manifest = (await (await next()).json()) as Record<
        string,
        { size: number; md5sum: string; link?: unknown }
      >;
      const entry = manifest[first];
      const link = { ...V1, path: first };
      const lied = { ...manifest, lie: { size: 3, md5sum: '0'.repeat(32), link }, like: { ...entry, link } };
      return Response.json(lied, { headers: { 'gypsum-features': 'bulk' } });
    };
    registry.inject(lying, { route: 'file', key: /manifest$/ });
    await expect(client.saveVersion(V1, { ...FEW, ...watch })).rejects.toMatchObject({ code: 'wrong-content' });
    expect(registry.count({ route: 'bulk' })).toBe(1);
    const failed = events.flatMap((event) => (event.type === 'retry' ? event.what : []));
    expect(failed.filter((what) => what.includes('at once'))).toEqual([]);
  });
});

describe('a save of many files that is given up', () => {
  const files = many(60, 50_000);
  /** What fits into one request of a mebibyte. */
  const FIRST = 20;

  /** Lets the first answer through, and holds the others until the test ends. */
  function holdingAllButOne(): { readonly fault: Fault; readonly held: Promise<void> } {
    let asked = 0;
    let arrive = () => {};
    const held = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    return {
      held,
      async fault(request, next) {
        if (++asked === 1) return next();
        arrive();
        return new Promise((_, reject) =>
          request.signal.addEventListener('abort', () => reject(request.signal.reason)),
        );
      },
    };
  }

  it('throws the reason, and has what came', async () => {
    const { client, registry, cacheDir } = await setUp(files);
    const { fault, held } = holdingAllButOne();
    registry.inject(fault, { route: 'bulk' });
    const abort = new AbortController();
    const reason = new Error('enough');
    void held.then(() => abort.abort(reason));
    await expect(client.saveVersion(V1, { concurrency: 1, signal: abort.signal })).rejects.toBe(reason);
    expect(bucketFiles(cacheDir)).toHaveLength(FIRST);
    await goOn(client, registry);
  });

  it('by a kill has a cache that is valid, and goes on', async () => {
    const { client, registry, cacheDir } = await setUp(files);
    registry.inject(holdingAllButOne().fault, { route: 'bulk' });
    const env = { GYPSUM_URL: registry.url, GYPSUM_CACHE_DIR: cacheDir };
    const running = startCli(['save', 'p/a/v1'], env);
    await expect.poll(() => bucketFiles(cacheDir).length).toBe(FIRST);
    running.child.kill('SIGKILL');
    await running.end();
    const there = bucketFiles(cacheDir);
    expect(there).toHaveLength(FIRST);
    for (const path of there) expect(await readFile(join(cacheDir, 'bucket/p/a/v1', path), 'utf8')).toBe(files[path]);
    expect(existsSync(join(cacheDir, 'status/p/a/v1/COMPLETE'))).toBe(false);
    await goOn(client, registry);
  });

  async function goOn(client: Client, registry: { clearFaults(): void }) {
    registry.clearFaults();
    expect((await client.saveVersion(V1)).fetched.contents).toBe(60 - FIRST);
    expect((await client.verifyCache()).problems).toEqual([]);
  }
});

const withoutBulk: Fault = async (_request, next) => {
  const answer = await next();
  const headers = new Headers(answer.headers);
  headers.set('gypsum-features', 'range, whoami');
  return new Response(answer.body, { status: answer.status, headers });
};

function bucketFiles(cacheDir: string): string[] {
  const root = join(cacheDir, 'bucket/p/a/v1');
  return entriesBelow(root)
    .filter((entry) => entry.isFile() && !entry.name.startsWith('..'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

/** All files of a cache with their modes, sizes and how many names they have. */
function shapeOf(cacheDir: string): string[] {
  return entriesBelow(cacheDir)
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, size, nlink } = statSync(path);
      const name = path.slice(cacheDir.length + 1);
      return name.includes('/verified/') ? name : `${name} ${mode.toString(8)} ${size} ${nlink}`;
    })
    .toSorted();
}
