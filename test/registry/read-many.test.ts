import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createRegistryClient } from '../../src/registry/client.ts';
import { type Answer, json, serve } from '../helpers/loopback.ts';

const V1 = { project: 'p', asset: 'a b', version: 'v/1' };
const SIZES = new Map([
  ['x', 5],
  ['dir/ü', 3],
  ['empty', 0],
  ['y', 100_000],
]);
const Y = 'y'.repeat(100_000);
const LINES = [
  '{"path":"x","size":5}\nhello',
  '{"path":"dir/ü","size":3}\n\n{}',
  '{"path":"empty","size":0}\n',
  `{"path":"y","size":100000,"more":"ignored"}\n${Y}`,
];
const ALL = { x: 'hello', 'dir/ü': '\n{}', empty: '', y: Y };

function connect(url: string, token?: string) {
  const registry = createRegistryClient({ url, userAgent: 'test/1', retryDelay: 1, ...(token && { token }) });
  onTestFinished(() => registry.close());
  return registry;
}

const answering =
  (text: string, headers = {}): Answer =>
  (response) =>
    response.writeHead(200, headers).end(text);

const inTurn = (...answers: readonly Answer[]) =>
  serve((response, attempt, request) => answers[attempt - 1]?.(response, attempt, request));

async function read(url: string) {
  const { contents, error } = await connect(url).readMany(V1, SIZES);
  return { contents: Object.fromEntries([...contents].map(([path, bytes]) => [path, bytes.toString()])), error };
}

it('many files are asked for in one request, with the names encoded', async () => {
  const server = await serve(answering(`${LINES.join('')}{"end":true}\n`));
  expect(await read(server.url)).toEqual({ contents: ALL, error: undefined });
  expect(server.requests).toMatchObject([
    { method: 'POST', url: '/bulk/p/a%20b/v%2F1', headers: { 'content-type': 'application/json' } },
  ]);
  expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ paths: [...SIZES.keys()] });
});

it('many files are the same in whatever pieces they come', async () => {
  const bytes = Buffer.from(`${LINES.slice(0, 3).join('')}{"end":true}\n`);
  const server = await serve(async (response) => {
    for (const byte of bytes) {
      response.write(Buffer.of(byte));
      await setImmediate();
    }
    response.end();
  });
  const { y: _, ...others } = ALL;
  expect(await read(server.url)).toEqual({ contents: others, error: undefined });
});

it.each([
  ['ends without its last line', LINES.join(''), ALL, 'unavailable'],
  ['ends in a file', `${LINES[0]}${LINES[3]?.slice(0, 1000)}`, { x: 'hello' }, 'unavailable'],
  ['ends in a line', `${LINES[0]}{"path"`, { x: 'hello' }, 'unavailable'],
  ['has a line of another kind', `${LINES[0]}{"size":5}\n`, { x: 'hello' }, 'invalid-response'],
  ['has a file that nobody asked for', `${LINES[0]}{"path":"z","size":1}\nz`, { x: 'hello' }, 'invalid-response'],
  ['has a file twice', `${LINES[0]}${LINES[0]}`, { x: 'hello' }, 'invalid-response'],
  [
    'has a file after it was said not to be there',
    `{"path":"x","status":404,"reason":"no"}\n${LINES[0]}`,
    {},
    'invalid-response',
  ],
  ['has more of a file than there is', `${LINES[2]}{"path":"x","size":6}\nhello!`, { empty: '' }, 'invalid-response'],
  ['has a size that is none', '{"path":"x","size":1.5}\n', {}, 'invalid-response'],
  ['has a path of the prototype', '{"path":"__proto__","size":1}\nx', {}, 'invalid-response'],
])('an answer that %s gives what came before, and says so', async (_, text, contents, code) => {
  const server = await serve(answering(text));
  expect(await read(server.url)).toEqual({ contents, error: expect.objectContaining({ code }) });
  expect(server.requests).toHaveLength(1);
});

it('an answer whose line has no end is not listened to for ever', async () => {
  let isClosed = false;
  const server = await serve((response) => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(64 * 1024, 'x'));
      },
    });
    response.once('close', () => {
      isClosed = true;
    });
    endless.pipe(response);
  });
  expect(await read(server.url)).toEqual({
    contents: {},
    error: expect.objectContaining({ code: 'invalid-response' }),
  });
  await expect.poll(() => isClosed).toBe(true);
});

it('many files are not asked for again where it fails, and with the token only where it is needed', async () => {
  const server = await inTurn(json({ status: 'error', reason: 'who is it?' }, 401), json({ status: 'error' }, 503));
  const { contents, error } = await connect(server.url, 'secret').readMany(V1, SIZES);
  expect([contents.size, error?.code]).toEqual([0, 'unavailable']);
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer secret']);
});

it('many files are given up with the reason of the signal', async () => {
  const abort = new AbortController();
  const server = await serve((response) => {
    response.writeHead(200).write(LINES[0]);
    abort.abort(new Error('enough'));
  });
  await expect(connect(server.url).readMany(V1, SIZES, { signal: abort.signal })).rejects.toThrow('enough');
});

it('what a registry offers is known from its answers alone', async () => {
  const server = await inTurn(answering('', { 'gypsum-features': 'range, bulk' }), answering(''));
  const registry = connect(server.url);
  expect(registry.offers('bulk')).toBeUndefined();
  await registry.read('k', 10);
  expect([registry.offers('bulk'), registry.offers('lock')]).toEqual([true, false]);
  await registry.read('k', 10);
  expect(registry.offers('bulk')).toBe(true);
  const silent = connect((await serve(answering(''))).url);
  await silent.read('k', 10);
  expect(silent.offers('bulk')).toBe(false);
});
