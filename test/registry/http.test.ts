import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GypsumError } from '../../src/errors.ts';
import type { GypsumEvent } from '../../src/events.ts';
import { type Body, readAll, reasonOf } from '../../src/registry/answers.ts';
import { createHttp, type Exchange, type HttpOptions } from '../../src/registry/http.ts';
import { parseRetryAfter } from '../../src/registry/retry-after.ts';
import { type Answer, json, type Loopback, serve, serveText } from '../helpers/loopback.ts';

const text = async (body: Body) => (await readAll(body, 1_000_000, 'Asking')).toString();

function open(options: HttpOptions = {}) {
  const http = createHttp('test', { retryDelay: 1, retries: 3, ...options });
  onTestFinished(() => http.close());
  const events: GypsumEvent[] = [];
  const ask = <T>(server: Loopback, consume: (body: Body) => Promise<T>, exchange: Partial<Exchange> = {}) =>
    http.request(
      {
        what: 'Asking',
        method: 'GET',
        url: new URL(server.url),
        onEvent: (event) => void events.push(event),
        ...exchange,
      },
      consume,
    );
  return { ask, events };
}

const ok: Answer = (response) => response.end('fine');
const status = (code: number): Answer => json({ status: 'error', reason: 'not today' }, code);
const dropped: Answer = (_response, _attempt, request) => request.socket.destroy();
const cutOff: Answer = (response) => {
  response.writeHead(200, { 'content-length': 100 }).write('fi', () => response.destroy());
};
const cutOffChunked: Answer = (response) => {
  response.write('fi', () => response.destroy());
};

describe('a request', () => {
  it.each([
    ['a busy server', status(503)],
    ['too many requests', status(429)],
    ['a broken server', status(500)],
    ['a dropped connection', dropped],
    ['a body that breaks off', cutOff],
    ['a body without a length that breaks off', cutOffChunked],
  ])('is tried again after %s', async (_what, fault) => {
    const server = await serve((response, attempt, request) => (attempt < 3 ? fault : ok)(response, attempt, request));
    const { ask, events } = open();
    expect(await ask(server, text)).toBe('fine');
    expect(server.requests).toHaveLength(3);
    expect(events).toMatchObject([
      { type: 'retry', what: 'Asking', attempt: 1, error: { code: 'unavailable' } },
      { type: 'retry', what: 'Asking', attempt: 2, error: { code: 'unavailable' } },
    ]);
  });

  it.each([
    ['a busy server', status(503)],
    ['a dropped connection', dropped],
    ['a body that breaks off', cutOff],
  ])('is given up after so many retries with %s', async (_what, fault) => {
    const server = await serve(fault);
    const { ask, events } = open({ retries: 2 });
    await expect(ask(server, text)).rejects.toMatchObject({ code: 'unavailable' });
    expect(server.requests).toHaveLength(3);
    expect(events).toHaveLength(2);
  });

  it.each([
    [400, 'refused'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [301, 'invalid-response'],
  ])('is not tried again after %s', async (code, meaning) => {
    const server = await serve(status(code));
    const { ask, events } = open();
    await expect(ask(server, text)).rejects.toMatchObject({
      code: meaning,
      message: expect.stringContaining('not today'),
    });
    expect(server.requests).toHaveLength(1);
    expect(events).toEqual([]);
  });

  it('starts its consumer over with each attempt', async () => {
    const server = await serve((response, attempt) => response.end(attempt < 3 ? 'wrong' : 'right'));
    const { ask } = open();
    const seen: string[] = [];
    const content = await ask(server, async (body) => {
      seen.push(await text(body));
      if (seen.at(-1) === 'wrong') throw new GypsumError('wrong-content', 'not that');
      return seen.at(-1);
    });
    expect(content).toBe('right');
    expect(seen).toEqual(['wrong', 'wrong', 'right']);
  });

  it('is not tried again where the consumer fails for a reason of its own', async () => {
    const server = await serve(ok);
    const { ask } = open();
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    await expect(ask(server, () => Promise.reject(full))).rejects.toBe(full);
    expect(server.requests).toHaveLength(1);
  });

  it('is tried again only as its own rule says', async () => {
    const server = await serve(status(503));
    const { ask, events } = open();
    await expect(ask(server, text, { shouldRetry: () => false })).rejects.toMatchObject({ code: 'unavailable' });
    expect(server.requests).toHaveLength(1);
    expect(events).toEqual([]);
  });

  it('sends its body anew with each attempt', async () => {
    const server = await serve((response, attempt, request) =>
      (attempt < 2 ? status(503) : ok)(response, attempt, request),
    );
    let made = 0;
    const body = () => Buffer.from(`body ${++made}`);
    expect(await open().ask(server, text, { method: 'PUT', body })).toBe('fine');
    expect(server.requests.map((request) => request.body)).toEqual(['body 1', 'body 2']);
  });

  it('is unavailable where nobody listens', async () => {
    const url = await closedPort();
    const { ask, events } = open({ retries: 1 });
    const failure = ask({ url, requests: [] }, text);
    await expect(failure).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining(url),
      cause: { code: 'ECONNREFUSED' },
    });
    expect(events).toHaveLength(1);
  });

  it.each([
    ['something that is not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['nothing', ''],
    ['a chunk that is none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n'],
    ['a header that is none', 'HTTP/1.1 200 OK\r\nno header\r\n\r\n'],
    ['more headers than anybody needs', `HTTP/1.1 200 OK\r\na: ${'x'.repeat(100_000)}\r\n\r\n`],
  ])('is unavailable where it is answered with %s', async (_what, answer) => {
    const server = await serveText(answer);
    await expect(open({ retries: 1 }).ask(server, text)).rejects.toMatchObject({ code: 'unavailable' });
    expect(server.requests).toHaveLength(2);
  });

  it('is unavailable over https where http is spoken', async () => {
    const server = await serveText('HTTP/1.1 400 Bad Request\r\n\r\n');
    const url = server.url.replace('http:', 'https:');
    await expect(open({ retries: 0 }).ask({ ...server, url }, text)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each<[string, Answer]>([
    ['before it answers', () => {}],
    ['in the middle of a body', (response) => void response.writeHead(200, { 'content-length': 9 }).write('fi')],
  ])('is unavailable when the registry keeps silent %s', async (_what, silent) => {
    const server = await serve(silent);
    const { ask } = open({ timeout: 20, retries: 1 });
    await expect(ask(server, text)).rejects.toMatchObject({
      code: 'unavailable',
      cause: { message: expect.stringMatching(/Timeout/i) },
    });
    expect(server.requests).toHaveLength(2);
  });

  it('waits for its answer as long as it is told to, not as long as others', async () => {
    const server = await serve(() => {});
    const asking = open({ retries: 0 }).ask(server, text, { patience: 20 });
    await expect(asking).rejects.toMatchObject({
      code: 'unavailable',
      cause: { message: expect.stringMatching(/Headers Timeout/) },
    });
  });
});

describe('a wait that is asked for', () => {
  it('is made before the next attempt, and told', async () => {
    const server = await serve((response, attempt) => {
      if (attempt === 1) response.writeHead(503, { 'retry-after': '1' }).end();
      else response.end('fine');
    });
    const { ask, events } = open();
    const began = performance.now();
    expect(await ask(server, text)).toBe('fine');
    // A timer may be early by a part of a millisecond.
    expect(performance.now() - began).toBeGreaterThan(990);
    expect(events).toMatchObject([{ type: 'retry', attempt: 1, delay: 1000 }]);
  });

  it('ends with the signal', async () => {
    const stop = new AbortController();
    const server = await serve((response) => response.writeHead(429, { 'retry-after': '3600' }).end());
    const asking = open().ask(server, text, { signal: stop.signal, onEvent: () => stop.abort('enough') });
    await expect(asking).rejects.toBe('enough');
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ['7', 7000],
    [' 7 ', 7000],
    ['0', 0],
    ['3600', 60_000],
    ['9'.repeat(400), 60_000],
    ['Thu, 01 Jan 2026 00:00:07 GMT', 7000],
    ['Thu, 01 Jan 2026 12:00:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 23:59:59 GMT', 0],
    ['-7', 0],
    ['soon', 0],
    ['', 0],
    [undefined, 0],
    [['7', '8'], 0],
  ])('%j is %i milliseconds, and never more than a minute', (header, wait) => {
    expect(parseRetryAfter(header, Date.UTC(2026, 0, 1))).toBe(wait);
  });
});

describe('an abort', () => {
  const reasons = [new Error('enough'), 'enough', new GypsumError('wrong-content', 'the neighbour failed'), 0];

  it.each(reasons)('in the middle of a body throws its reason: %s', async (reason) => {
    const stop = new AbortController();
    const server = await serve((response) => void response.writeHead(200, { 'content-length': 9 }).write('fi'));
    const { ask, events } = open();
    const asking = ask(
      server,
      async (body) => {
        for await (const _ of body) stop.abort(reason);
      },
      { signal: stop.signal },
    );
    expect(
      await asking.then(
        () => 'done',
        (error: unknown) => [error],
      ),
    ).toEqual([reason]);
    expect(server.requests).toHaveLength(1);
    expect(events).toEqual([]);
  });

  it.each(reasons)('before the answer throws its reason: %s', async (reason) => {
    const stop = new AbortController();
    const server = await serve(() => stop.abort(reason));
    const { ask, events } = open();
    expect(await ask(server, text, { signal: stop.signal }).catch((error: unknown) => [error])).toEqual([reason]);
    expect(events).toEqual([]);
  });

  it.each(reasons)('between two attempts throws its reason: %s', async (reason) => {
    const stop = new AbortController();
    const server = await serve(status(503));
    const { ask } = open({ retryDelay: 100_000 });
    const onEvent = () => void setImmediate(() => stop.abort(reason));
    expect(await ask(server, text, { signal: stop.signal, onEvent }).catch((error: unknown) => [error])).toEqual([
      reason,
    ]);
    expect(server.requests).toHaveLength(1);
  });

  it.each(reasons)('beforehand throws its reason, and nothing is asked: %s', async (reason) => {
    const server = await serve(ok);
    const signal = AbortSignal.abort(reason);
    for (const offline of [false, true]) {
      const asking = open({ offline }).ask(server, text, { signal });
      expect(await asking.catch((error: unknown) => [error])).toEqual([reason]);
    }
    expect(server.requests).toEqual([]);
  });
});

describe('a body', () => {
  it('is not read beyond its limit, though it never ends', async () => {
    let gaveUp = () => {};
    const givenUp = new Promise<void>((done) => {
      gaveUp = done;
    });
    const server = await serve((response) => {
      response.on('close', gaveUp);
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(64 * 1024, '['), more);
      };
      more();
    });
    const { ask, events } = open();
    const asking = ask(server, (body) => readAll(body, 1_000_000, 'Asking'));
    await expect(asking).rejects.toMatchObject({ code: 'invalid-response', details: { limit: 1_000_000 } });
    await givenUp;
    expect(events).toEqual([]);
  });

  it('may have as many bytes as its limit, and not one more', async () => {
    const server = await serve((response) => response.end('12345'));
    const { ask } = open();
    expect(await ask(server, (body) => readAll(body, 5, 'x'))).toEqual(Buffer.from('12345'));
    await expect(ask(server, (body) => readAll(body, 4, 'x'))).rejects.toMatchObject({ code: 'invalid-response' });
  });

  it('of an error is not read to its end if it has none', async () => {
    const server = await serve((response) => {
      response.writeHead(404);
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(64 * 1024, '{'), more);
      };
      more();
    });
    await expect(open().ask(server, text)).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['{"status":"error","reason":"why"}', 'why'],
    ['{"status":"error"}', 'no reason given'],
    ['{"status":"error","reason":7}', 'no reason given'],
    ['{"status":"fine","reason":"why"}', undefined],
    ['{"reason":"why"}', undefined],
    ['<html>', undefined],
    ['null', undefined],
    ['[]', undefined],
    ['', undefined],
  ])('says with %j what went wrong: %j', (body, reason) => {
    expect(reasonOf(body)).toBe(reason);
  });
});

async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}
