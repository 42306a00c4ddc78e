import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  accessEntry,
  accessText,
  createMetrics,
  type Exchange,
  type Limits,
  type ListenOptions,
  listen,
} from '../../src/server/index.ts';
import { sendRaw } from './raw-socket.ts';
import { createRig, type Rig } from './rig.ts';

async function open(rig: Rig, options: ListenOptions = {}) {
  const exchanges: Exchange[] = [];
  const listener = await listen(rig.registry.fetch, { onExchange: (exchange) => exchanges.push(exchange), ...options });
  onTestFinished(() => listener.close());
  return { ...listener, exchanges };
}

async function dial(port: number): Promise<{ socket: Socket; text: () => string; ended: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.setEncoding('utf8').on('data', (text) => {
    received += text;
  });
  socket.on('error', () => {});
  // An end by reset is one too.
  const ended = new Promise((resolve) => socket.once('close', resolve));
  return { socket, text: () => received, ended };
}

describe('limits', () => {
  const limited = async (limits: Partial<Limits>) => open(await createRig(), { limits });

  it('refuses headers that are too large', async () => {
    const { url, exchanges } = await limited({ headerSize: 2048 });
    const answer = await fetch(`${url}/list`, { headers: { 'x-much': 'x'.repeat(4000) } });
    expect([answer.status, await answer.json()]).toEqual([
      431,
      { status: 'error', reason: 'The headers are too large.' },
    ]);
    await expect.poll(() => exchanges.map(({ status }) => status)).toEqual([431]);
  });

  it('says of what is no request that it is none', async () => {
    const { port, exchanges } = await limited({});
    const { socket, text, ended } = await dial(port);
    socket.write('HELLO\r\n\r\n');
    await ended;
    expect(text()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*The request is malformed/);
    expect(exchanges.map(({ status }) => status)).toEqual([400]);
  });

  it.each([
    ['a host that no URL has', 'GET /list HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n'],
    ['no host', 'GET /list HTTP/1.0\r\nhost:\r\n\r\n'],
    ['a target that no URL has', 'GET /list\\x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
  ])('tells of %s in the log and in the metrics too', async (_, text) => {
    const rig = await createRig();
    const metrics = createMetrics();
    const exchanges: Exchange[] = [];
    const listener = await listen(metrics.wrap(rig.registry.fetch), {
      onExchange(exchange) {
        exchanges.push(exchange);
        metrics.onExchange(exchange);
      },
    });
    onTestFinished(() => listener.close());
    const { status } = await sendRaw(listener.port, text);
    expect(status).toBe(400);
    await expect
      .poll(() => exchanges.map((exchange) => accessEntry(exchange)))
      .toEqual([
        expect.objectContaining({
          method: 'GET',
          path: expect.stringContaining('list'),
          status: 400,
          remote: '127.0.0.1',
        }),
      ]);
    const numbers = await (await fetch(`${listener.url}/metrics`)).text();
    expect(numbers).toContain('gypsum_requests_total{method="GET",route="none",status="400"} 1\n');
  });

  it('drops a connection that is silent', async () => {
    const { port } = await limited({ idle: 50 });
    const { ended } = await dial(port);
    await ended;
  });

  it('drops a request that goes on for ever, a little at a time', async () => {
    const { port, exchanges } = await limited({ total: 200, rate: 1_000_000, idle: 10_000 });
    const { socket, ended } = await dial(port);
    socket.write(
      'PUT /permissions/p HTTP/1.1\r\nhost: x\r\nauthorization: Bearer owner\r\ncontent-length: 1000\r\n\r\n',
    );
    const drip = setInterval(() => socket.write(' '), 20);
    onTestFinished(() => clearInterval(drip));
    await ended;
    await expect.poll(() => exchanges).toMatchObject([{ status: 0, aborted: true }]);
  });

  it('gives a body the time that its bytes take', async () => {
    const rig = await createRig();
    const { port } = await open(rig, { limits: { total: 100, rate: 10 } });
    const { socket, text } = await dial(port);
    const body = JSON.stringify({ owners: ['owner'] });
    socket.write(
      `PUT /permissions/p HTTP/1.1\r\nhost: x\r\nauthorization: Bearer owner\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.write(body);
    await expect.poll(text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('does not listen for ever to a body that nobody wants', async () => {
    const { port, exchanges } = await limited({ linger: 1000 });
    const { socket, text, ended } = await dial(port);
    socket.write('POST /create/x HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n');
    const drip = setInterval(() => socket.write('x'.repeat(1000)), 5);
    onTestFinished(() => clearInterval(drip));
    await ended;
    expect(text()).toMatch(/^HTTP\/1\.1 401 /);
    await expect.poll(() => exchanges).toMatchObject([{ status: 401, received: 100_000_000 }]);
  });

  it('tells uploads to come again that are too many at once', async () => {
    const rig = await createRig({ maxUploads: 1 });
    const { url } = await open(rig);
    const started = await rig.start('v1', { 'x.txt': 'hello', 'y.txt': 'world' });
    const put = async (path: string, body: string) => {
      const { url: target, md5sum_base64 } = await rig.address(started, path);
      const { pathname } = new URL(target);
      return fetch(url + pathname, {
        method: 'PUT',
        headers: { 'content-md5': md5sum_base64, 'content-length': '5' },
        body,
        duplex: 'half',
      } as RequestInit);
    };
    const { port } = new URL(url);
    const { url: target, md5sum_base64 } = await rig.address(started, 'x.txt');
    const { socket, text } = await dial(Number(port));
    socket.write(
      `PUT ${new URL(target).pathname} HTTP/1.1\r\nhost: x\r\ncontent-md5: ${md5sum_base64}\r\ncontent-length: 5\r\n\r\nhel`,
    );
    await expect.poll(async () => (await put('y.txt', 'world')).status).toBe(503);
    const busy = await put('y.txt', 'world');
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await busy.text()).toContain('<Code>SlowDown</Code>');
    socket.write('lo');
    await expect.poll(text).toMatch(/^HTTP\/1\.1 200 /);
    await expect.poll(async () => (await put('y.txt', 'world')).status).toBe(200);
  });
});

describe('the access log', () => {
  it('has a line for each request, with an id that the answer has too, and no secret', async () => {
    const rig = await createRig();
    const { url, exchanges } = await open(rig);
    // Two that follow upon one another may end in another order.
    const logged = (count: number) => expect.poll(() => exchanges.length).toBe(count);
    const started = await rig.start('v1', { 'x y.txt': 'hello' });
    const slug = started.file_urls[0]?.url ?? '';
    const presigned = await fetch(url + slug, {
      method: 'POST',
      headers: { authorization: `Bearer ${started.session_token}` },
    });
    const { url: target, md5sum_base64 } = (await presigned.json()) as { url: string; md5sum_base64: string };
    await logged(1);
    await fetch(target, { method: 'PUT', headers: { 'content-md5': md5sum_base64 }, body: 'hello' });
    await logged(2);
    await fetch(url + started.complete_url, {
      method: 'POST',
      headers: { authorization: `Bearer ${started.session_token}` },
    });
    await logged(3);
    const file = await fetch(`${url}/file/p%2Fa%2Fv1%2Fx%20y.txt?token=secret`);
    await file.text();
    await logged(4);
    await fetch(`${url}/whoami`, { headers: { authorization: 'Bearer owner' } });
    await logged(5);
    await fetch(`${url}/nothing/here?q=1`);
    await logged(6);

    const entries = exchanges.map(accessEntry);
    expect(entries.map(({ method, route, path, status, user }) => [method, route, path, status, user])).toEqual([
      ['POST', 'presign', '/upload/presigned-file/…', 200, undefined],
      ['PUT', 'put', '/upload/content/…', 200, undefined],
      ['POST', 'complete', '/upload/complete/p/a/v1', 200, undefined],
      ['GET', 'file', '/file/p%2Fa%2Fv1%2Fx%20y.txt', 200, undefined],
      ['GET', 'whoami', '/whoami', 200, 'owner'],
      ['GET', undefined, '/nothing/here', 404, undefined],
    ]);
    expect(entries[1]).toMatchObject({ received: 5, remote: '127.0.0.1' });
    expect(entries[3]).toMatchObject({ sent: 5, id: file.headers.get('x-request-id') });
    const text = entries.map((entry) => JSON.stringify(entry) + accessText(entry)).join('\n');
    for (const secret of [
      started.session_token,
      slug.split('/').at(-1),
      target.split('/').at(-1),
      'secret',
      'Bearer',
    ]) {
      expect(text).not.toContain(secret);
    }
  });

  it.each([
    'http://x/upload/content/secret',
    'http://x:1/upload/presigned-file/secret',
    '/behind/a/proxy/upload/content/secret',
    '/upload//content/secret',
  ])('has no ticket of %s', async (target) => {
    const rig = await createRig();
    const { port, exchanges } = await open(rig);
    const { socket } = await dial(port);
    socket.write(`PUT ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`);
    await expect.poll(() => exchanges).toHaveLength(1);
    expect(exchanges.map((exchange) => accessEntry(exchange).path)).toEqual([target.replace('secret', '…')]);
  });

  it.each([
    ['/x/upload/content/TICKET', '/x/upload/content/…'],
    ['/upload%2Fcontent%2FTICKET', '/upload%2Fcontent%2F…'],
    ['/Upload/presigned-file/TICKET/', '/Upload/presigned-file/…/'],
    ['/file/TICKET', '/file/…'],
    ['/list?prefix=TICKET&recursive=true', '/list?prefix=…&recursive=true'],
    ['/list?token=secret&prefix=p%2F&x', '/list?prefix=p%2F'],
  ])('has no secret of an address that is a mistake: %s', async (path, shown) => {
    const rig = await createRig();
    const { url, exchanges } = await open(rig);
    const ticket = (await rig.start('v1', { x: 'hello' })).file_urls[0]?.url.split('/').at(-1) ?? '';
    await (await fetch(url + path.replace('TICKET', ticket))).text();
    await expect.poll(() => exchanges.map(accessEntry)).toMatchObject([{ path: shown }]);
  });

  it('shows a hostile address on one line, and not all of it', async () => {
    const rig = await createRig();
    const { port, exchanges } = await open(rig);
    const { socket, text } = await dial(port);
    socket.write(`GET /${'a'.repeat(5000)}%0a%1b[31m HTTP/1.1\r\nhost: x\r\n\r\n`);
    await expect.poll(text).toMatch(/^HTTP\/1\.1 404 /);
    await expect.poll(() => exchanges).toHaveLength(1);
    const [entry] = exchanges.map(accessEntry);
    expect(entry?.path.length).toBeLessThan(2100);
    expect(accessText(entry as NonNullable<typeof entry>)).not.toMatch(/[\u0000-\u001f]/);
  });

  it('says that a client went away', async () => {
    const rig = await createRig();
    await rig.publish('v1', { 'big.bin': 'x'.repeat(8_000_000) });
    const { port, exchanges } = await open(rig);
    const { socket } = await dial(port);
    socket.write('GET /file/p%2Fa%2Fv1%2Fbig.bin HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await expect.poll(() => exchanges.map(accessEntry)).toMatchObject([{ status: 200, aborted: true }]);
  });
});

describe('behind a proxy', () => {
  const headers = {
    'x-forwarded-for': '10.1.1.1, 192.0.2.7',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'data.example.org',
    'x-request-id': 'abc-123',
  };
  const presign = async (url: string, rig: Rig) => {
    const started = await rig.start('v1', { 'x.txt': 'hello' });
    const authorization = `Bearer ${started.session_token}`;
    const path = started.file_urls[0]?.url ?? '';
    const answer = await fetch(url + path, { method: 'POST', headers: { ...headers, authorization } });
    return { id: answer.headers.get('x-request-id'), ...((await answer.json()) as { url: string }) };
  };

  it('nobody is believed who says so, unless that was asked for', async () => {
    const rig = await createRig();
    const { url, exchanges } = await open(rig);
    const answer = await presign(url, rig);
    expect(answer.url.startsWith(`${url}/upload/content/`)).toBe(true);
    expect(answer.id).not.toBe('abc-123');
    await expect.poll(() => exchanges.map(({ remote }) => remote)).toEqual(['127.0.0.1']);
  });

  it('the proxy is believed where that was asked for', async () => {
    const rig = await createRig({ trustProxy: true });
    const { url, exchanges } = await open(rig, { trustProxy: true });
    const answer = await presign(url, rig);
    expect(answer.url.startsWith('https://data.example.org/upload/content/')).toBe(true);
    expect(answer.id).toBe('abc-123');
    await expect.poll(() => exchanges.map(({ remote }) => remote)).toEqual(['192.0.2.7']);
  });

  it.each([
    ['x-forwarded-for', 'evil\u00e9'],
    ['x-forwarded-proto', 'javascript'],
    ['x-forwarded-host', 'a/b@c'],
    ['x-request-id', 'a"b'],
  ])('what cannot be right in %s is not believed either', async (name, value) => {
    const rig = await createRig({ trustProxy: true });
    const { url, exchanges } = await open(rig, { trustProxy: true });
    const answer = await fetch(`${url}//x`, { headers: { ...headers, [name]: value }, redirect: 'manual' });
    const isBase = name.includes('proto') || name.includes('host');
    expect(answer.headers.get('location')).toBe(isBase ? `${url}/x` : 'https://data.example.org/x');
    await expect.poll(() => exchanges).toHaveLength(1);
    expect(exchanges[0]?.remote).toBe(name.includes('for') && !isBase ? '127.0.0.1' : '192.0.2.7');
    expect(answer.headers.get('x-request-id') === 'abc-123').toBe(name !== 'x-request-id');
  });

  it('a base of its own, with a path too, stands in addresses and redirects', async () => {
    const rig = await createRig({ baseUrl: 'https://lab.example.org/gypsum' });
    const { url } = await open(rig);
    expect((await presign(url, rig)).url.startsWith('https://lab.example.org/gypsum/upload/content/')).toBe(true);
    const answer = await fetch(`${url}//x`, { redirect: 'manual' });
    expect(answer.headers.get('location')).toBe('https://lab.example.org/gypsum/x');
  });
});

describe('whoever watches over it', () => {
  it('hears that it is well', async () => {
    const rig = await createRig();
    const { url } = await open(rig);
    const answer = await fetch(`${url}/healthz`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('is given numbers in the way of Prometheus', async () => {
    const rig = await createRig();
    await rig.publish('v1', { 'x.txt': 'hello' });
    const metrics = createMetrics();
    const listener = await listen(metrics.wrap(rig.registry.fetch), { onExchange: metrics.onExchange });
    onTestFinished(() => listener.close());
    for (const path of ['file/p%2Fa%2Fv1%2Fx.txt', 'file/p%2Fa%2Fv1%2Fx.txt', 'file/nope', 'odd/route']) {
      await (await fetch(`${listener.url}/${path}`)).text();
    }
    await fetch(listener.url, { method: 'PATCH' }).then((answer) => answer.text());
    const read = async () => (await fetch(`${listener.url}/metrics`)).text();
    await expect.poll(read).toContain('gypsum_requests_total{method="GET",route="file",status="200"} 2\n');
    const text = await read();
    expect(text).toContain('gypsum_requests_total{method="GET",route="file",status="404"} 1\n');
    expect(text).toContain('gypsum_requests_total{method="GET",route="none",status="404"} 1\n');
    expect(text).toContain('gypsum_requests_total{method="other",route="none",status="404"} 1\n');
    expect(text).toContain('gypsum_requests_in_progress{route="file"} 0\n');
    expect(text).toContain('gypsum_request_duration_seconds_count{route="file"} 3\n');
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('is answered nothing where metrics were not asked for', async () => {
    const rig = await createRig();
    expect((await rig.call('GET', '/metrics')).status).toBe(404);
  });
});
