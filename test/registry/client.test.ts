import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createRegistryClient, type RegistryOptions } from '../../src/registry/client.ts';
import { type Answer, json, type Loopback, serve } from '../helpers/loopback.ts';

const TOKEN = 'the-secret-token';
const what = 'Doing it';

function connect({ url }: { url: string }, options: Partial<RegistryOptions> = {}) {
  const registry = createRegistryClient({
    url,
    token: TOKEN,
    userAgent: 'test/1',
    retryDelay: 1,
    retries: 1,
    ...options,
  });
  onTestFinished(() => registry.close());
  return registry;
}

const authorizations = (server: Loopback) => server.requests.map((request) => request.headers.authorization);
const html: Answer = (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>');
const oddError = json({ status: 'error', reason: 'said with 200' });

describe('the client of a registry', () => {
  it.each(['', '/', '//', '/sub', '/sub/'])('asks below the URL that it was given with %j', async (end) => {
    const server = await serve(json([]));
    const registry = connect({ url: server.url + end });
    await registry.list('p/');
    await registry.read('p/a/v/x', 10);
    await registry.send({ what, method: 'POST', to: '/create/p' });
    const root = end.startsWith('/sub') ? '/sub' : '';
    expect(server.requests.map((request) => request.url)).toEqual([
      `${root}/list?prefix=p%2F`,
      `${root}/file/p%2Fa%2Fv%2Fx`,
      `${root}/create/p`,
    ]);
    expect(registry.url).toBe(server.url + root);
  });

  it.each([1, 5_000])(
    'sends a document of %i files with its length, and anew when it is asked again',
    async (count) => {
      const server = await serve((response, attempt, request) =>
        json(attempt === 1 ? { status: 'error', reason: 'not today' } : {}, attempt === 1 ? 503 : 200)(
          response,
          attempt,
          request,
        ),
      );
      const files = Array.from({ length: count }, (_, at) => ({ path: `é-${at}.txt`, size: at }));
      const document = { files: { [Symbol.iterator]: () => files.values() }, last: true };
      await connect(server).send({ what, method: 'POST', to: '/upload', document });
      expect(server.requests).toHaveLength(2);
      for (const { headers, body } of server.requests) {
        expect(JSON.parse(body)).toEqual({ files, last: true });
        expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
        expect(headers['content-type']).toBe('application/json');
      }
    },
  );

  it('lists one level, or all', async () => {
    const server = await serve(json(['p/a/', 'p/b/']));
    const registry = connect(server);
    expect(await registry.list('')).toEqual(['p/a/', 'p/b/']);
    await registry.list('p/é +&=/', { recursive: true });
    expect(server.requests.map((request) => request.url)).toEqual([
      '/list',
      '/list?prefix=p%2F%C3%A9+%2B%26%3D%2F&recursive=true',
    ]);
  });

  it.each([
    ['once where the registry says that it decodes it once', 'range, prefix', '50%25%2F'],
    ['twice elsewhere', 'range', '50%2525%2F'],
  ])('encodes a percent sign of a prefix %s', async (_how, features, sent) => {
    const server = await serve((response, attempt, request) => {
      response.setHeader('gypsum-features', features);
      json([])(response, attempt, request);
    });
    await connect(server).list('50%/');
    expect(server.requests.map(({ url }) => url)).toEqual(['/list?prefix=..nothing%2F', `/list?prefix=${sent}`]);
  });

  it('asks for a key as one part of the path', async () => {
    const server = await serve((response) => response.end('content'));
    expect(await connect(server).read('p/a/v/é #?%/..x', 10)).toEqual(Buffer.from('content'));
    expect(server.requests[0]?.url).toBe('/file/p%2Fa%2Fv%2F%C3%A9%20%23%3F%25%2F..x');
    expect(server.requests[0]?.headers['user-agent']).toBe('test/1');
  });

  it('sends documents with the token, or with a session’s', async () => {
    const server = await serve(json({ url: '/x' }));
    const registry = connect(server);
    const answer = z.object({ url: z.string() });
    expect(await registry.ask({ what, method: 'POST', to: '/upload', document: { a: 'é' }, answer })).toEqual({
      url: '/x',
    });
    await registry.send({ what, method: 'PUT', to: `${server.url}/complete`, sessionToken: 'session' });
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        body: '{"a":"é"}',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      },
      {
        method: 'PUT',
        url: '/complete',
        body: '',
        headers: { authorization: 'Bearer session', 'content-length': '0' },
      },
    ]);
  });

  it('sends nothing without a token', async () => {
    const server = await serve(json({}));
    const registry = connect(server, { token: undefined });
    await expect(registry.send({ what, method: 'POST', to: '/create/p' })).rejects.toMatchObject({
      code: 'unauthorized',
    });
    expect(server.requests).toEqual([]);
  });
});

describe('an answer with status 200', () => {
  const calls: [string, (registry: ReturnType<typeof connect>) => Promise<unknown>][] = [
    ['a list', (registry) => registry.list('p/')],
    [
      'a document',
      (registry) => registry.ask({ what, method: 'POST', to: '/x', answer: z.object({ id: z.string() }) }),
    ],
  ];

  it.each(calls)('that is HTML is not %s', async (_what, call) => {
    const server = await serve(html);
    await expect(call(connect(server))).rejects.toMatchObject({
      code: 'invalid-response',
      message: expect.stringMatching(/is not JSON/),
    });
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ...calls,
    ['nothing', (registry: ReturnType<typeof connect>) => registry.send({ what, method: 'POST', to: '/x' })] as const,
  ])('that says "error" is an error where %s is expected', async (_what, call) => {
    await expect(call(connect(await serve(oddError)))).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/said with 200/),
    });
    const indented: Answer = (response) => response.end('\n {\n  "status": "error",\n  "reason": "why" }\n');
    await expect(call(connect(await serve(indented)))).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/why/),
    });
  });

  it.each([{}, null, 'p/', [1], [['p/']], { 0: 'p/' }])('that is %j is not a list', async (value) => {
    await expect(connect(await serve(json(value))).list('')).rejects.toMatchObject({ code: 'invalid-response' });
  });

  it('is refused where it is longer than what is read may be', async () => {
    const server = await serve((response) => response.end('x'.repeat(11)));
    await expect(connect(server).read('k', 10)).rejects.toMatchObject({ code: 'invalid-response' });
  });
});

describe('a redirect', () => {
  const moved = (status: number, location: string): Answer => {
    return (response) => response.writeHead(status, { location }).end('it has moved');
  };

  it.each([301, 302, 307, 308])('of a read is followed, within the registry and to another host (%s)', async (code) => {
    const elsewhere = await serve(json(['elsewhere/']));
    const server = await serve((response, attempt, request) => {
      const to = request.url === '/list' ? '/sub/there?x=%2F' : `${elsewhere.url}/list`;
      moved(code, to)(response, attempt, request);
    });
    expect(await connect(server).list('')).toEqual(['elsewhere/']);
    expect(server.requests.map(({ url }) => url)).toEqual(['/list', '/sub/there?x=%2F']);
    expect(elsewhere.requests.map(({ url }) => url)).toEqual(['/list']);
  });

  it('is followed a few times only', async () => {
    const server = await serve((response, attempt) => response.writeHead(302, { location: `/${attempt}` }).end());
    await expect(connect(server).list('')).rejects.toMatchObject({
      code: 'invalid-response',
      hint: expect.stringMatching(/elsewhere/),
    });
    expect(server.requests.map(({ url }) => url)).toEqual(['/list', '/1', '/2', '/3', '/4', '/5']);
  });

  it('to where nobody answers is told with where that is', async () => {
    const server = await serve(moved(302, 'http://127.0.0.1:1/list'));
    await expect(connect(server).list('')).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('http://127.0.0.1:1 is running'),
    });
  });

  it.each([
    ['nowhere', ''],
    ['what is no URL', 'http://:x'],
    ['a file', 'file:///etc/passwd'],
  ])('to %s is none', async (_where, location) => {
    const server = await serve((response) => response.writeHead(302, location === '' ? {} : { location }).end());
    await expect(connect(server).list('')).rejects.toMatchObject({ code: 'invalid-response' });
    expect(server.requests).toHaveLength(1);
  });

  it.each([307, 308])('takes what is written along, within the registry (%s)', async (code) => {
    const server = await serve((response, attempt, request) => {
      if (attempt === 1) moved(code, '/there')(response, attempt, request);
      else response.end();
    });
    await connect(server).send({ what, method: 'POST', to: '/here', document: { a: 1 } });
    expect(server.requests).toMatchObject([
      { method: 'POST', url: '/here', body: '{"a":1}' },
      { method: 'POST', url: '/there', body: '{"a":1}', headers: { authorization: `Bearer ${TOKEN}` } },
    ]);
  });

  it.each([
    [301, '/there'],
    [302, '/there'],
    [303, '/there'],
    [307, 'elsewhere'],
    [308, 'elsewhere'],
  ])('of what is written is not followed with %s to %s', async (code, where) => {
    const elsewhere = await serve(json({}));
    const server = await serve(moved(code, where === 'elsewhere' ? `${elsewhere.url}/x` : where));
    const registry = connect(server);
    const redirected = { code: 'invalid-response', hint: expect.stringMatching(/elsewhere/) };
    await expect(registry.send({ what, method: 'POST', to: '/x' })).rejects.toMatchObject(redirected);
    await expect(registry.send({ what, method: 'DELETE', to: '/x' })).rejects.toMatchObject(redirected);
    const put = registry.put({ what, url: `${server.url}/put`, headers: {}, body: () => 'x' });
    await expect(put).rejects.toMatchObject(redirected);
    expect(server.requests).toHaveLength(3);
    expect(elsewhere.requests).toEqual([]);
  });
});

describe('the token', () => {
  it('is not sent with what anybody may read', async () => {
    const server = await serve(json([]));
    const registry = connect(server);
    await registry.list('');
    await registry.read('k', 10);
    await registry.stream('k', async () => {});
    expect(authorizations(server)).toEqual([undefined, undefined, undefined]);
  });

  it('is sent to read where it is asked for, by every request that was refused without it', async () => {
    const refused: (() => void)[] = [];
    const server = await serve((response, attempt, request) => {
      if (request.headers.authorization !== undefined) return json([])(response, attempt, request);
      // The refusals go out one after the other, long after all the requests have come in.
      refused.push(() => json({ status: 'error', reason: 'no token' }, 401)(response, attempt, request));
      if (refused.length === 3) for (const [at, refuse] of refused.entries()) setTimeout(refuse, at * 50);
    });
    const registry = connect(server);
    await Promise.all([registry.list(''), registry.read('k', 10), registry.features()]);
    await registry.stream('k', async () => {});
    const sent = authorizations(server);
    expect(sent.filter((header) => header === undefined)).toHaveLength(3);
    expect(sent.filter((header) => header === `Bearer ${TOKEN}`)).toHaveLength(4);
  });

  it('that is refused to read is not sent once more', async () => {
    const server = await serve(json({ status: 'error', reason: 'unknown' }, 401));
    const registry = connect(server);
    await expect(registry.list('')).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(registry.list('')).rejects.toMatchObject({ code: 'unauthorized' });
    expect(authorizations(server)).toEqual([undefined, `Bearer ${TOKEN}`, `Bearer ${TOKEN}`]);
  });

  it('is not taken elsewhere by a redirect of a read, and not back again', async () => {
    const elsewhere = await serve((response) => response.writeHead(302, { location: `${server.url}/back` }).end());
    const server = await serve((response, attempt, request) => {
      if (attempt === 1) json({ status: 'error', reason: 'no token' }, 401)(response, attempt, request);
      else if (request.url === '/moved') response.writeHead(307, { location: `${elsewhere.url}/x` }).end();
      else if (request.url === '/back') response.end('content');
      else response.writeHead(308, { location: '/moved' }).end();
    });
    expect(await connect(server).read('k', 10)).toEqual(Buffer.from('content'));
    const shown = `Bearer ${TOKEN}`;
    expect(server.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/file/k', undefined],
      ['/file/k', shown],
      ['/moved', shown],
      ['/back', undefined],
    ]);
    expect(authorizations(elsewhere)).toEqual([undefined]);
  });

  it('is not sent to presigned URLs, wherever they are', async () => {
    const server = await serve((response) => response.end());
    const elsewhere = await serve((response) => response.end());
    const registry = connect(server);
    const headers = { 'content-md5': 'abc', 'content-length': '1' };
    for (const url of [`${elsewhere.url}/put?sig=1`, `${server.url}/put?sig=2`, '/put?sig=3']) {
      await registry.put({ what, url, headers, body: () => 'x' });
    }
    expect([...authorizations(server), ...authorizations(elsewhere)]).toEqual([undefined, undefined, undefined]);
    expect(elsewhere.requests).toMatchObject([
      { method: 'PUT', url: '/put?sig=1', body: 'x', headers: { 'content-md5': 'abc' } },
    ]);
  });

  it('is sent to no other origin, whatever the registry says', async () => {
    const server = await serve(json({}));
    const elsewhere = await serve(json({}));
    const registry = connect(server);
    const host = elsewhere.url.slice('http://'.length);
    const targets = [
      `${elsewhere.url}/complete`,
      `//${host}/complete`,
      server.url.replace('http:', 'https:'),
      server.url.replace('127.0.0.1', 'localhost'),
      `${server.url}.example.org/`,
      server.url.replace('http://', `http://${host}@`).replace(/:\d+$/, ':1'),
      `http://\\${host}/`,
      'file:///etc/passwd',
      'complete',
      '',
    ];
    for (const to of targets) {
      const sending = registry.send({ what, method: 'POST', to, sessionToken: 'session' });
      await expect(sending, to).rejects.toMatchObject({ code: 'invalid-response' });
    }
    for (const to of [`/\\${host}/x`, `/@${host}/x`, '/../x', `/:1@${host}/x`])
      await registry.send({ what, method: 'POST', to });
    expect(elsewhere.requests).toEqual([]);
    expect(server.requests).toHaveLength(4);
  });

  it('and signed URLs stand in no error', async () => {
    const server = await serve(json({ status: 'error', reason: 'no' }, 500));
    const registry = connect(server);
    const failures = await Promise.all([
      registry.send({ what, method: 'POST', to: '/x' }).catch((error: unknown) => error),
      registry
        .put({ what, url: `${server.url}/put?signature=the-secret-signature`, headers: {}, body: () => 'x' })
        .catch((error: unknown) => error),
      registry
        .put({ what, url: 'ftp://h/put?signature=the-secret-signature', headers: {}, body: () => 'x' })
        .catch((error: unknown) => error),
    ]);
    for (const failure of failures) {
      expect(failure).toMatchObject({ name: 'GypsumError', details: expect.anything() });
      expect(JSON.stringify([String(failure), failure])).not.toMatch(/secret/);
    }
  });
});
