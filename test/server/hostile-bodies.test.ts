import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRegistry, diskStorage, listen, openRegistry, type Storage } from '../../src/server/index.ts';
import { checkInvariants } from './invariants.ts';
import { memoryStorage } from './memory-storage.ts';
import { type RawAnswer, rawRequest, sendRaw } from './raw-socket.ts';
import { md5, namesAsTokens, temporaryFolder } from './rig.ts';
import { type Talk, talkTo } from './talk.ts';

const FILES = { 'x.txt': 'hello', 'dir/y.txt': 'world' };

interface Served {
  readonly data: string;
  readonly port: number;
  readonly talk: Talk;
  readonly errors: unknown[];
  /** Sends a request over a connection of its own. */
  raw(method: string, target: string, options?: Parameters<typeof rawRequest>[2]): Promise<RawAnswer>;
}

/** A registry at a socket with `p/a/v0` published; that it is as it must be is looked at when the test ends. */
async function served({ abandoned = [] }: { abandoned?: string[] } = {}): Promise<Served> {
  const data = await temporaryFolder();
  const errors: unknown[] = [];
  const registry = await openRegistry({ data, identity: namesAsTokens, onError: (error) => errors.push(error) });
  const listener = await listen(registry.fetch);
  const talk = talkTo(registry);
  const permissions = { owners: ['owner'], uploaders: [{ id: 'uploader', trusted: true }] };
  await talk.status('POST', '/create/p', { token: 'admin', body: { permissions } });
  await talk.publish('p/a/v0', FILES);
  const finished = () => contents(data, 'p/a/v0/');
  const before = await finished();
  onTestFinished(async () => {
    await listener.close();
    await registry.close();
    expect(errors).toEqual([]);
    // What arrives for a connection that has ended is let go of in its own time.
    await expect.poll(() => readdir(join(data, 'incoming'))).toEqual([]);
    const isThere = (await finished()).length > 0;
    if (isThere) expect(await finished()).toEqual(before);
    await checkInvariants(data, { abandoned });
  });
  return {
    data,
    port: listener.port,
    talk,
    errors,
    raw: (...parameters) => sendRaw(listener.port, rawRequest(...parameters)),
  };
}

/** Keys with what tells whether their objects were written again. */
async function contents(data: string, prefix: string): Promise<unknown[]> {
  const storage = await diskStorage(data, { readOnly: true });
  const found: unknown[] = [];
  for await (const key of storage.list(prefix, { recursive: true })) found.push(await storage.head(key));
  return found;
}

const keysOf = async (data: string, prefix: string) =>
  (await contents(data, prefix)).map((info) => (info as { key: string }).key);

const statuses = (answers: readonly RawAnswer[]) => answers.map(({ status }) => status).sort();

describe('JSON', () => {
  const PLACES: [method: string, target: string, token: string][] = [
    ['POST', '/create/q', 'admin'],
    ['PUT', '/permissions/p', 'owner'],
    ['PUT', '/quota/p', 'admin'],
    ['POST', '/upload/start/p/a/v1', 'owner'],
  ];

  it.each(PLACES)('that cannot be a body of %s %s is refused, whatever it is', async (method, target, token) => {
    const { raw } = await served();
    const bodies: (string | Buffer)[] = [
      '',
      ' ',
      '{',
      '[]',
      'null',
      'true',
      '0',
      '"files"',
      '{}}',
      "{'files':[]}",
      '{"files":[],}',
      '\ufeff{"files":[]}x',
      '{"files":NaN}',
      '['.repeat(100_000),
      `{"files":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      '{"a":'.repeat(100_000),
      `{"owners":"${'\\'.repeat(1001)}`,
      Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
      Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
      Buffer.from([0xc0, 0xaf]),
    ];
    for (const body of bodies) {
      const answer = await raw(method, target, { token, body });
      expect(answer.status, Buffer.from(body).toString('latin1', 0, 40)).toBe(400);
    }
  });

  it('of any other type than it must have is refused, in every place', async () => {
    const { raw } = await served();
    const others = [null, true, 0, -1, 1.5, 2 ** 60, '', 'x', [], [null], {}, { length: 1 }, [[]]];
    const file = { type: 'simple', path: 'x', size: 1, md5sum: md5('1') };
    const link = { project: 'p', asset: 'a', version: 'v0', path: 'x.txt' };
    const good = (name: string, value: unknown) =>
      (name === 'size' && value === 0) || (name === 'path' && value === 'x') || (name === 'files' && isEmpty(value));
    const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;
    for (const value of others) {
      const bodies: [name: string, body: unknown][] = [
        ['files', { files: value }],
        ['on_probation', { files: [], on_probation: value }],
        ['file', { files: [value] }],
        ...Object.keys(file).map((name): [string, unknown] => [name, { files: [{ ...file, [name]: value }] }]),
        ['link', { files: [{ type: 'link', path: 'x', link: value }] }],
        ...Object.keys(link).map((name): [string, unknown] => [
          `link.${name}`,
          { files: [{ type: 'link', path: 'x', link: { ...link, [name]: value } }] },
        ]),
      ];
      for (const [name, body] of bodies) {
        if (good(name, value) || (name === 'on_probation' && value === true)) continue;
        const answer = await raw('POST', '/upload/start/p/a/v1', { token: 'owner', body: JSON.stringify(body) });
        expect(answer.status, JSON.stringify(body)).toBe(400);
      }
    }
  });

  it('of any other type changes neither permissions nor quota', async () => {
    const { data, talk, raw } = await served();
    const before = await contents(data, 'p/..');
    const values = [null, true, 0, 'x', {}, { 0: 'x' }];
    for (const value of values) {
      const bodies = [
        { owners: value },
        { owners: [value === 'x' ? 1 : value] },
        { uploaders: value },
        { uploaders: [value] },
        { uploaders: [{ id: value === 'x' ? [] : value }] },
        { uploaders: [{ id: 'x', asset: value === 'x' ? 1 : value }] },
        { uploaders: [{ id: 'x', until: value }] },
        { uploaders: [{ id: 'x', trusted: value === true ? 1 : value }] },
      ];
      for (const body of bodies) {
        const answer = await raw('PUT', '/permissions/p', { token: 'owner', body: JSON.stringify(body) });
        expect(answer.status, JSON.stringify(body)).toBe(400);
      }
    }
    for (const body of [
      '{"baseline":-1}',
      '{"baseline":1e999}',
      '{"baseline":"1"}',
      '{"year":null}',
      '{"growth_rate":[]}',
    ]) {
      expect((await raw('PUT', '/quota/p', { token: 'admin', body })).status).toBe(400);
    }
    expect(await contents(data, 'p/..')).toEqual(before);
    expect(await talk.status('POST', '/create/p', { token: 'admin', body: {} })).toBe(400);
  });

  it('with names of prototypes, or the same name twice, means what it says', async () => {
    const { raw, talk } = await served();
    const body =
      '{"owners":["owner"],"uploaders":[{"id":"nobody","asset":"z","__proto__":{"trusted":true,"asset":"a"}}]}';
    expect((await raw('PUT', '/permissions/p', { token: 'owner', body })).status).toBe(200);
    expect(await talk.status('POST', '/upload/start/p/a/v1', { token: 'nobody', body: { files: [] } })).toBe(403);
    // As JSON.parse reads it, here and in whatever reads the same body: the last counts.
    const twice = `{"files":"x","files":[],"__proto__":{"on_probation":"x"},"constructor":1}`;
    expect((await raw('POST', '/upload/start/p/a/v1', { token: 'owner', body: twice })).status).toBe(200);
    expect(await talk.status('POST', '/release/p', { token: 'owner' })).toBe(200);
  });
});

describe('a body that is too large', () => {
  it.each([
    ['PUT', '/permissions/p', 'owner', 2 ** 20 + 1],
    ['POST', '/create/q', 'admin', 2 ** 20 + 1],
    ['PUT', '/quota/p', 'admin', 2 ** 20 + 1],
    ['POST', '/upload/start/p/a/v1', 'owner', 2 ** 28 + 1],
  ])('for %s %s is refused by what it says of itself', async (method, target, token, length) => {
    const { port, talk } = await served();
    const head = rawRequest(method, target, { token, headers: { 'content-length': String(length) } });
    const answer = await sendRaw(port, head, (socket) => socket.write('{'));
    expect(answer.status).toBe(413);
    expect(await talk.status('GET', '/list')).toBe(200);
  });

  it('is refused while it comes, when it says nothing of itself', async () => {
    const { port } = await served();
    const head = `PUT /permissions/p HTTP/1.1\r\nhost: x\r\nauthorization: Bearer owner\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
    expect((await sendRaw(port, head + chunk.repeat(17))).status).toBe(413);
  });

  it.each([
    ['without a token', '', 401],
    ['with an unknown token', 'who', 401],
    ['without a right to upload', 'nobody', 403],
  ])('is not read of whoever comes %s', async (_, token, status) => {
    const { port, raw } = await served();
    const target = '/upload/start/p/a/v1';
    const head = rawRequest('POST', target, { token, headers: { 'content-length': String(100 * 2 ** 20) } });
    expect((await sendRaw(port, head, (socket) => socket.write('{'))).status).toBe(status);
    // What is wrong with a small one is still told first, as the public registry does.
    expect((await raw('POST', target, { token, body: '{' })).status).toBe(400);
    expect((await raw('POST', target, { token, body: '{"files":1}' })).status).toBe(status);
  });
});

describe('a start of 100,000 files', () => {
  const COUNT = 100_000;
  const announce = (at: number) => ({
    type: 'simple',
    path: `folder-${at % 300}/file-${at}.txt`,
    size: 1,
    md5sum: md5('1'),
  });

  it('is taken, in a reasonable memory, and can be aborted', async () => {
    const { data, raw, talk } = await served();
    const body = JSON.stringify({ files: Array.from({ length: COUNT }, (_, at) => announce(at)) });
    const before = process.memoryUsage.rss();
    const answer = await raw('POST', '/upload/start/p/a/v1', { token: 'owner', body });
    expect(answer.status).toBe(200);
    // Some fifty times what was sent, which is 11 MB: a leak for each file would be far above.
    expect(process.memoryUsage.rss() - before).toBeLessThan(50 * body.length);
    expect(answer.body.match(/"method":"presigned"/g)).toHaveLength(COUNT);
    expect(await keysOf(data, 'p/a/v1/')).toEqual(['p/a/v1/..manifest', 'p/a/v1/..summary']);
    expect(await talk.status('POST', '/release/p', { token: 'owner' })).toBe(200);
    expect(await keysOf(data, 'p/a/v1/')).toEqual([]);
  });

  it.each([
    ['no path', (file: object) => ({ ...file, path: undefined }), /entry 99998 /],
    [
      'a path that leads out',
      (file: object) => ({ ...file, path: '../x' }),
      /of entry 99998 has a component that begins/,
    ],
    ['a negative size', (file: object) => ({ ...file, size: -1 }), /entry 99998 /],
    [
      'a link that leads nowhere',
      () => ({ type: 'link', path: 'x', link: { project: 'p', asset: 'a', version: 'v0', path: 'no' } }),
      /v0:\/no/,
    ],
  ])('of which the last but one has %s is refused, says which, and leaves nothing', async (_, spoil, reason) => {
    const { data, raw } = await served();
    const files: object[] = Array.from({ length: COUNT }, (_, at) => announce(at));
    files[COUNT - 2] = spoil(files[COUNT - 2] ?? {});
    const answer = await raw('POST', '/upload/start/p/a/v1', { token: 'owner', body: JSON.stringify({ files }) });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(reason);
    expect(await keysOf(data, 'p/a/v1/')).toEqual([]);
    expect(await keysOf(data, 'p/..LOCK')).toEqual([]);
  });
});

describe('the content of a file', () => {
  async function uploading() {
    const context = await served();
    const started = await context.talk.start('p/a/v1', FILES);
    const file = started.file_urls.find(({ path }) => path === 'x.txt');
    const answer = await context.talk.call('POST', file?.url ?? '', { token: started.session_token });
    const address = (await answer.json()) as { url: string; md5sum_base64: string };
    const target = new URL(address.url).pathname;
    const headers = { 'content-md5': address.md5sum_base64 };
    const put = (body = 'hello', more: Record<string, string> = {}) =>
      context.raw('PUT', target, { body, headers: { ...headers, ...more } });
    const end = (how: 'complete' | 'abort') =>
      context.raw('POST', `/upload/${how}/p/a/v1`, { token: started.session_token });
    return { ...context, started, target, headers, put, end };
  }

  it.each([
    ['shorter than it says', '5', 'hel'],
    ['longer than it says', '5', 'hello world'],
    ['as long as it says, which is too short', '3', 'hel'],
    ['as long as it says, which is too long', '6', 'hello!'],
    ['of no length at all', '', 'hello'],
    ['of a length that is no number', 'five', 'hello'],
    ['of a negative length', '-5', 'hello'],
    ['of two lengths', '5\r\ncontent-length: 6', 'hello'],
  ])('that is %s is never another than it was announced', async (_, length, body) => {
    const { port, target, headers, data } = await uploading();
    const said = length === '' ? '' : `content-length: ${length}\r\n`;
    const request = `PUT ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-md5: ${headers['content-md5']}\r\n${said}\r\n${body}`;
    const answer = await sendRaw(port, request, (socket) => socket.end());
    expect(answer.status).toBeLessThan(500);
    await expect.poll(() => readdir(join(data, 'incoming'))).toEqual([]);
    const stored = await keysOf(data, 'p/a/v1/x.txt');
    if (stored.length > 0) expect(body.slice(0, Number(length))).toBe('hello');
    else expect(answer.status).not.toBe(200);
  });

  it('in chunks is refused: it says no length', async () => {
    const { port, target, headers, data } = await uploading();
    const head = `PUT ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-md5: ${headers['content-md5']}\r\n`;
    const answer = await sendRaw(port, `${head}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
    expect(answer.status).toBe(411);
    const both = await sendRaw(port, `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nhello`);
    expect(both.status).toBe(400);
    expect(await keysOf(data, 'p/a/v1/x')).toEqual([]);
  });

  it('that stops halfway, with its client gone, leaves nothing', async () => {
    const { port, target, headers, data } = await uploading();
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const head = rawRequest('PUT', target, { headers: { ...headers, 'content-length': '5' } });
      const going = sendRaw(port, head, async (socket) => {
        socket.write('hel');
        // Nothing tells that it has come: a small file is written down when all of it is there.
        await setTimeout(100);
        socket[leave]();
      });
      expect((await going).status).not.toBe(200);
      await expect.poll(() => readdir(join(data, 'incoming'))).toEqual([]);
    }
    expect(await keysOf(data, 'p/a/v1/x')).toEqual([]);
  });

  it('that is slow does not hold up its upload, and comes to nothing when that has ended', async () => {
    const { port, target, headers, data, put, end, started, talk } = await uploading();
    const head = rawRequest('PUT', target, { headers: { ...headers, 'content-length': '5' } });
    let goOn = () => {};
    const slow = sendRaw(port, head, (socket) => {
      socket.write('hel');
      goOn = () => socket.write('lo');
    });
    await setTimeout(100);
    expect((await put()).status).toBe(200);
    await talk.send(started, FILES);
    expect((await end('complete')).status).toBe(200);
    const before = await contents(data, 'p/a/v1/');
    goOn();
    expect((await slow).status).toBe(403);
    expect(await contents(data, 'p/a/v1/')).toEqual(before);
  });

  it.each(['complete', 'abort'] as const)('is refused after %s, and changes nothing', async (how) => {
    const { data, put, end, started, talk } = await uploading();
    await talk.send(started, FILES);
    expect((await end(how)).status).toBe(200);
    const before = await contents(data, '');
    expect((await put()).status).toBe(403);
    expect((await put('HELLO')).status).toBe(403);
    expect((await end('complete')).status).toBe(403);
    expect((await end('abort')).status).toBe(403);
    expect(await contents(data, '')).toEqual(before);
  });

  it('may be sent many times at once', async () => {
    const { put, end, talk, started } = await uploading();
    const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => put(at % 3 === 2 ? 'HELLO' : 'hello')));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 200, 200, 200, 400, 400, 400]);
    await talk.send(started, FILES);
    expect((await end('complete')).status).toBe(200);
  });

  it('and the end of its upload come at once to one that is whole, or to none', async () => {
    const { data, put, end, talk, started } = await uploading();
    await talk.send(started, FILES);
    const [aborted, ...puts] = await Promise.all([end('abort'), ...Array.from({ length: 10 }, () => put())]);
    expect(aborted.status).toBe(200);
    expect(puts.every(({ status }) => status === 200 || status === 403)).toBe(true);
    expect(await keysOf(data, 'p/a/v1/')).toEqual([]);
  });
});

describe('at once', () => {
  it('twenty starts are won by one', async () => {
    const { raw, talk } = await served();
    for (const target of [() => '/upload/start/p/a/v1', (at: number) => `/upload/start/p/b${at}/v1`]) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, at) => raw('POST', target(at), { token: 'owner', body: '{"files":[]}' })),
      );
      expect(statuses(answers)).toEqual([200, ...Array(19).fill(403)]);
      expect(await talk.status('POST', '/release/p', { token: 'owner' })).toBe(200);
    }
  });

  it('completions and aborts have one winner', async () => {
    const { raw, talk } = await served();
    for (const [version, ends] of [
      ['v1', ['complete', 'complete', 'complete']],
      ['v2', ['abort', 'abort', 'abort']],
      ['v3', ['complete', 'abort', 'complete', 'abort']],
    ] as const) {
      const started = await talk.start(`p/a/${version}`, FILES);
      await talk.send(started, FILES);
      const answers = await Promise.all(
        ends.map((how) => raw('POST', `/upload/${how}/p/a/${version}`, { token: started.session_token })),
      );
      expect(statuses(answers)).toEqual([200, ...Array(ends.length - 1).fill(403)]);
    }
  });

  it('a removal and a completion both come to their end, one after the other', async () => {
    const { raw, talk, data } = await served();
    const started = await talk.start('p/a/v1', FILES);
    await talk.send(started, FILES);
    const [completed, removed] = await Promise.all([
      raw('POST', '/upload/complete/p/a/v1', { token: started.session_token }),
      raw('DELETE', '/remove/p/a/v1', { token: 'admin' }),
    ]);
    expect(completed.status).toBe(200);
    expect([200, 403]).toContain(removed.status);
    expect(await keysOf(data, 'p/a/v1/')).toHaveLength(removed.status === 200 ? 0 : 4);
  });

  it('a project is removed, or has an upload, or neither', async () => {
    const { raw, talk, data } = await served();
    for (let round = 0; round < 5; round++) {
      const [removed, started] = await Promise.all([
        raw('DELETE', '/remove/p', { token: 'admin' }),
        raw('POST', '/upload/start/p/a/v1', { token: 'owner', body: '{"files":[]}' }),
        raw('PUT', '/quota/p', { token: 'admin', body: '{"baseline":1000}' }),
        raw('PUT', '/permissions/p', { token: 'owner', body: '{"uploaders":[]}' }),
        raw('POST', '/refresh/usage/p', { token: 'admin' }),
        raw('POST', '/refresh/latest/p/a', { token: 'admin' }),
      ]);
      if (removed.status === 200) expect(await keysOf(data, 'p/')).toEqual([]);
      else expect([removed.status, started.status]).toEqual([403, 200]);
      await talk.status('POST', '/release/p', { token: 'admin' });
      await talk.status('DELETE', '/remove/p', { token: 'admin' });
      const body = { permissions: { owners: ['owner'] } };
      expect(await talk.status('POST', '/create/p', { token: 'admin', body })).toBe(200);
    }
  });

  it('a project is made once', async () => {
    const { raw } = await served();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => raw('POST', '/create/q', { token: 'admin', body: '{}' })),
    );
    expect(statuses(answers)).toEqual([200, ...Array(9).fill(400)]);
  });
});

describe('a start that is held up', () => {
  /** A registry where something that a start does can be held up. */
  async function held() {
    const memory = memoryStorage();
    let awaited = '';
    let goOn = () => {};
    let arrive = () => {};
    const pass = async (what: string) => {
      if (what !== awaited) return;
      awaited = '';
      arrive();
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    };
    const storage: Storage = {
      ...memory,
      async put(key, content, options) {
        await pass(`put ${key}`);
        return memory.put(key, content, options);
      },
      async size(key) {
        await pass(`size ${key}`);
        return memory.size(key);
      },
    };
    const registry = await createRegistry({ storage, identity: namesAsTokens, secret: Buffer.alloc(32, 1) });
    const talk = talkTo(registry);
    const permissions = { owners: ['owner'], uploaders: [{ id: 'uploader', trusted: true }] };
    await talk.status('POST', '/create/p', { token: 'admin', body: { permissions } });
    return {
      memory,
      talk,
      /** Holds something up when it comes to that, and gives when it has. */
      hold: (what: string) => {
        awaited = what;
        return new Promise<void>((resolve) => {
          arrive = resolve;
        });
      },
      goOn: () => goOn(),
    };
  }

  it.each([
    ['released', 'POST', '/release/p'],
    ['unlocked', 'DELETE', '/unlock/p'],
  ])('and %s meanwhile touches no version that another upload finishes', async (_, method, path) => {
    const { memory, talk, hold, goOn } = await held();
    const arrived = hold('put p/a/v1/..manifest');
    const late = talk.start('p/a/v1', { 'late.txt': 'late' }).catch(() => undefined);
    await arrived;
    const freed = talk.status(method, path, { token: 'admin' });
    const other = freed.then(async () => {
      expect(await talk.status('DELETE', '/remove/p/a/v1', { token: 'admin' })).toBe(200);
      await talk.publish('p/a/v1', FILES);
    });
    // Whatever does not wait for the start has gone by when this has; whatever does, goes on now.
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
    goOn();
    expect(await freed).toBe(200);
    await other;
    const token = (await late)?.session_token ?? '';
    expect([401, 403]).toContain(await talk.status('POST', '/upload/complete/p/a/v1', { token }));
    expect(memory.snapshot().get('p/a/v1/x.txt')).toBe('hello');
    await checkInvariants(memory);
  });

  it.each([
    ['not trusted any more', { uploaders: [{ id: 'uploader' }] }, true],
    ['an owner now', { owners: ['owner', 'uploader'], uploaders: [] }, undefined],
  ])('by somebody who is %s when it takes the project goes by that', async (_, change, onProbation) => {
    const { memory, talk, hold, goOn } = await held();
    const arrived = hold('size p/a/v1/..summary');
    const publishing = talk.publish('p/a/v1', FILES, { token: 'uploader' });
    await arrived;
    expect(await talk.status('PUT', '/permissions/p', { token: 'owner', body: change })).toBe(200);
    goOn();
    await publishing;
    expect(JSON.parse(memory.snapshot().get('p/a/v1/..summary') ?? '').on_probation).toBe(onProbation);
  });

  it('by somebody who may not upload any more is refused', async () => {
    const { memory, talk, hold, goOn } = await held();
    const arrived = hold('size p/a/v1/..summary');
    const starting = talk.start('p/a/v1', FILES, { token: 'uploader' });
    starting.catch(() => {});
    await arrived;
    await talk.status('PUT', '/permissions/p', { token: 'owner', body: { uploaders: [] } });
    goOn();
    await expect(starting).rejects.toThrow(/^403 /);
    expect(memory.snapshot().has('p/..LOCK')).toBe(false);
  });
});

describe('permissions take effect at once', () => {
  it('when they are given, taken, and the project is made again', async () => {
    const { talk, raw } = await served();
    const start = async (token: string) => {
      const { status } = await raw('POST', '/upload/start/p/a/v1', { token, body: '{"files":[]}' });
      if (status === 200) await talk.status('POST', '/release/p', { token: 'admin' });
      return status;
    };
    const permit = (body: object, token = 'admin') => talk.status('PUT', '/permissions/p', { token, body });
    for (let round = 0; round < 3; round++) {
      expect(await start('nobody')).toBe(403);
      expect(await permit({ uploaders: [{ id: 'nobody' }] })).toBe(200);
      expect(await start('nobody')).toBe(200);
      expect(await permit({ uploaders: [{ id: 'nobody', asset: 'b' }] })).toBe(200);
      expect(await start('nobody')).toBe(403);
      expect(await permit({ owners: ['nobody'] })).toBe(200);
      expect(await start('nobody')).toBe(200);
      expect(await start('owner')).toBe(403);
      // An owner who takes the right from himself has it no more.
      expect(await permit({ owners: ['owner'] }, 'nobody')).toBe(200);
      expect(await permit({ owners: ['nobody'] }, 'nobody')).toBe(403);
    }
    expect(await talk.status('DELETE', '/remove/p', { token: 'admin' })).toBe(200);
    expect(await start('owner')).toBe(400);
    expect(await talk.status('POST', '/create/p', { token: 'admin', body: {} })).toBe(200);
    expect(await start('owner')).toBe(403);
    expect(await permit({ owners: ['owner'] }, 'owner')).toBe(403);
  });
});
