import { once } from 'node:events';
import { rm, truncate } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  accessEntry,
  accessText,
  createMetrics,
  createRegistry,
  type Exchange,
  listen,
  type Storage,
} from '../../src/server/index.ts';
import { type BulkFrame, bulkFrames } from '../helpers/bulk-answer.ts';
import { memoryStorage } from './memory-storage.ts';
import { createRig, namesAsTokens, type Rig } from './rig.ts';
import { talkTo } from './talk.ts';

const VERSION = '/bulk/p/a/v1';
const END: BulkFrame = { end: true };

const file = (path: string, content: string): BulkFrame => ({ path, size: Buffer.byteLength(content), content });
const absent = (path: string): BulkFrame => ({
  path,
  status: 404,
  reason: `The object "p/a/v1/${path}" does not exist.`,
});

async function framesOf(answer: Response): Promise<BulkFrame[]> {
  expect(answer.status).toBe(200);
  return bulkFrames(new Uint8Array(await answer.arrayBuffer()));
}

async function ask(rig: Pick<Rig, 'call'>, ...paths: string[]): Promise<BulkFrame[]> {
  return framesOf(await rig.call('POST', VERSION, { body: { paths } }));
}

/** A registry in memory, with `p/a/v1` published, whose storage can be made to fail. */
async function inMemory(files: Readonly<Record<string, string>>, get: (storage: Storage) => Storage['get']) {
  const storage = memoryStorage();
  const errors: unknown[] = [];
  const secret = Buffer.alloc(32, 1);
  const whole = talkTo(await createRegistry({ storage, identity: namesAsTokens, secret }));
  await whole.status('POST', '/create/p', { token: 'admin', body: { permissions: { owners: ['owner'] } } });
  await whole.publish('p/a/v1', files);
  const registry = await createRegistry({
    storage: { ...storage, get: get(storage) },
    identity: namesAsTokens,
    secret,
    onError: (error) => errors.push(error),
  });
  return { ...talkTo(registry), registry, errors };
}

describe('many files at once', () => {
  const files = {
    'x.txt': 'hello',
    empty: '',
    'dir/ü\n.txt': 'wörld',
    'like a line': '{"end":true}\n',
    __proto__x: 'p',
  };

  it('come in the order in which they were asked for, each with its size', async () => {
    const rig = await createRig();
    await rig.publish('v1', files);
    const paths = Object.keys(files).reverse();
    const answer = await rig.call('POST', VERSION, { body: { paths } });
    expect(Object.fromEntries(answer.headers)).toEqual({
      'content-type': 'application/vnd.gypsum.bulk',
      'access-control-allow-origin': '*',
    });
    const wanted = Object.entries(files).reverse();
    expect(await framesOf(answer)).toEqual([...wanted.map(([path, content]) => file(path, content)), END]);
  });

  it('come out of a storage in memory as well', async () => {
    const rig = await inMemory(files, ({ get }) => get);
    expect(await ask(rig, ...Object.keys(files))).toEqual([
      ...Object.entries(files).map(([path, content]) => file(path, content)),
      END,
    ]);
  });

  it('can be as many as a thousand, and none', async () => {
    const rig = await createRig();
    await rig.publish('v1', { 'x.txt': 'hello' });
    const paths = Array.from({ length: 999 }, (_, n) => `n-${n}`);
    expect(await ask(rig, ...paths, 'x.txt')).toEqual([...paths.map(absent), file('x.txt', 'hello'), END]);
    expect(await ask(rig)).toEqual([END]);
  });

  it('say of each that is not there that it is not, and send the others', async () => {
    const rig = await createRig();
    await rig.publish('v1', { 'x.txt': 'hello', 'y.txt': 'world' });
    expect(await ask(rig, 'x.txt', 'nope', 'y.txt')).toEqual([
      file('x.txt', 'hello'),
      absent('nope'),
      file('y.txt', 'world'),
      END,
    ]);
    const other = await framesOf(await rig.call('POST', '/bulk/p/a/v9', { body: { paths: ['x.txt'] } }));
    expect(other.map(({ status }) => status)).toEqual([404, undefined]);
  });

  it('have none that is a link, as where it is asked for alone', async () => {
    const rig = await createRig();
    await rig.publish('v1', { 'x.txt': 'hello' });
    const link = { project: 'p', asset: 'a', version: 'v1', path: 'x.txt' };
    const body = { files: [{ type: 'link', path: 'l.txt', link }] };
    const started = await rig.call('POST', '/upload/start/p/a/v2', { token: 'owner', body });
    const { complete_url, session_token } = (await started.json()) as { complete_url: string; session_token: string };
    expect((await rig.call('POST', complete_url, { token: session_token })).status).toBe(200);
    expect((await rig.call('GET', '/file/p%2Fa%2Fv2%2Fl.txt')).status).toBe(404);
    const [frame] = await framesOf(await rig.call('POST', '/bulk/p/a/v2', { body: { paths: ['l.txt'] } }));
    expect(frame?.status).toBe(404);
  });

  it('have none that is large: it is to be read alone', async () => {
    const rig = await createRig();
    const limit = 'x'.repeat(64 * 1024);
    await rig.publish('v1', { limit, large: `${limit}x` });
    const [first, second, end] = await ask(rig, 'large', 'limit');
    expect(first).toEqual({ path: 'large', status: 413, reason: expect.stringContaining('too large') });
    expect([second?.size, end]).toEqual([limit.length, END]);
    expect(rig.errors).toEqual([]);
  });
});

describe('a request for many files', () => {
  it.each<[string, unknown, number]>([
    ['no JSON', 'paths', 400],
    ['a list alone', ['x.txt'], 400],
    ['no paths', {}, 400],
    ['paths that are no texts', { paths: [1] }, 400],
    ['a path alone', { paths: 'x.txt' }, 400],
    ['the same path twice', { paths: ['x.txt', 'x.txt'] }, 400],
    ['the manifest', { paths: ['..manifest'] }, 400],
    ['links of a folder', { paths: ['dir/..links'] }, 400],
    ['a way out', { paths: ['../v2/x.txt'] }, 400],
    ['an absolute path', { paths: ['/x.txt'] }, 400],
    ['an empty path', { paths: [''] }, 400],
    ['a path with a NUL', { paths: ['x\0'] }, 400],
    ['more than a thousand paths', { paths: Array.from({ length: 1001 }, (_, n) => `n-${n}`) }, 400],
    ['more than a mebibyte', { paths: ['x'.repeat(1024 * 1024)] }, 413],
  ])('is refused with %s', async (_, body, status) => {
    const rig = await createRig();
    await rig.publish('v1', { 'x.txt': 'hello' });
    const answer = await rig.call('POST', VERSION, { body });
    expect([answer.status, await answer.json()]).toEqual([status, { status: 'error', reason: expect.any(String) }]);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  it.each(['/bulk/..p/a/v1', '/bulk/p/..a/v1', '/bulk/p/a/..v1', '/bulk/p/a/v%2F1'])(
    'is refused at %s',
    async (path) => {
      const rig = await createRig();
      expect((await rig.call('POST', path, { body: { paths: [] } })).status).toBe(400);
    },
  );

  it('is none without a body, and with another method there is no such route', async () => {
    const rig = await createRig();
    expect((await rig.call('POST', VERSION)).status).toBe(400);
    for (const method of ['GET', 'HEAD', 'PUT']) expect((await rig.call(method, VERSION)).status).toBe(404);
  });
});

describe('a file that cannot be read', () => {
  it('costs none of the others, and is told to whoever runs the registry', async () => {
    const failure = new Error('EIO');
    const broken = () =>
      new Readable({
        read() {
          this.push('wor');
          this.destroy(failure);
        },
      });
    const rig = await inMemory(
      { 'x.txt': 'hello', 'y.txt': 'world', 'z.txt': '!' },
      ({ get }) =>
        async (key, range) => {
          const object = await get(key, range);
          return object && key.endsWith('y.txt') ? { ...object, body: broken() } : object;
        },
    );
    expect(await ask(rig, 'x.txt', 'y.txt', 'z.txt')).toEqual([
      file('x.txt', 'hello'),
      { path: 'y.txt', status: 500, reason: 'The registry failed to answer this request.' },
      file('z.txt', '!'),
      END,
    ]);
    expect(rig.errors).toEqual([failure]);
  });

  it('is told of where it is shorter than it was', async () => {
    const rig = await inMemory({ 'x.txt': 'hello' }, ({ get }) => async (key, range) => {
      const object = await get(key, range);
      return object && { ...object, size: object.size + 1 };
    });
    expect((await ask(rig, 'x.txt')).map(({ status }) => status)).toEqual([500, undefined]);
    expect(rig.errors).toHaveLength(1);
  });

  it('is told of where it vanishes or is cut on the disk', async () => {
    const rig = await createRig();
    await rig.publish('v1', { gone: 'gone', cut: 'cut', there: 'there' });
    await rm(join(rig.data, 'objects/p/a/v1/gone'));
    await truncate(join(rig.data, 'objects/p/a/v1/cut'), 1);
    // What was cut is another content by now, which clients find out.
    expect(await ask(rig, 'gone', 'cut', 'there')).toEqual([
      absent('gone'),
      file('cut', 'c'),
      file('there', 'there'),
      END,
    ]);
  });
});

describe('at a socket', () => {
  /** More than a connection and all that stands before it take at once. */
  const content = 'x'.repeat(60_000);
  const body = JSON.stringify({ paths: Array.from({ length: 500 }, (_, n) => `file-${n}`) });
  const request = `POST ${VERSION} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

  async function served() {
    let read = 0;
    const rig = await inMemory({ one: content }, ({ get }) => (key) => {
      if (!key.includes('/file-')) return get(key);
      read++;
      return get('p/a/v1/one');
    });
    const exchanges: Exchange[] = [];
    const metrics = createMetrics();
    const listener = await listen(metrics.wrap(rig.registry.fetch), {
      onExchange(exchange) {
        exchanges.push(exchange);
        metrics.onExchange(exchange);
      },
    });
    onTestFinished(() => listener.close());
    return { ...rig, ...listener, exchanges, read: () => read };
  }

  it('reads no further than its client takes, and stops when that goes away', async () => {
    const { port, read, exchanges, inProgress, errors } = await served();
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.pause();
    socket.write(request);
    await expect.poll(read).toBeGreaterThan(0);
    let before = -1;
    await expect
      .poll(() => {
        const isStill = before === read();
        before = read();
        return isStill;
      })
      .toBe(true);
    expect(read()).toBeLessThan(400);
    socket.resetAndDestroy();
    await expect.poll(() => exchanges).toMatchObject([{ status: 200, aborted: true }]);
    await expect.poll(inProgress).toBe(0);
    const after = read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(read()).toBe(after);
    expect(errors).toEqual([]);
  });

  it('counts the files in the log and in the metrics', async () => {
    const { url, exchanges } = await served();
    const answer = await fetch(url + VERSION, { method: 'POST', body });
    expect((await framesOf(answer)).slice(-2)).toEqual([file('file-499', content), END]);
    await expect.poll(() => exchanges.length).toBe(1);
    const [entry] = exchanges.map(accessEntry);
    expect(entry).toMatchObject({ method: 'POST', route: 'bulk', path: VERSION, files: 500, status: 200 });
    expect(entry).not.toHaveProperty('aborted');
    expect(entry?.sent).toBeGreaterThan(500 * content.length);
    expect(entry && accessText(entry)).toContain(`POST ${VERSION} 500 files 200 `);
    const numbers = await (await fetch(`${url}/metrics`)).text();
    expect(numbers).toContain('gypsum_bulk_files_total 500\n');
    expect(numbers).toContain('gypsum_requests_total{method="POST",route="bulk",status="200"} 1\n');
  });
});
