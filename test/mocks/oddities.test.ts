import { describe, expect, it, onTestFinished } from 'vitest';
import { createMockRegistry, type MockRegistry, type Oddities, startMockRegistry } from '../../mocks/index.ts';
import { md5 } from '../helpers/rig.ts';

interface Started {
  readonly file_urls: readonly { readonly path: string; readonly url: string }[];
  readonly complete_url: string;
  readonly abort_url: string;
  readonly session_token: string;
}

interface Presigned {
  readonly url: string;
  readonly md5sum_base64: string;
}

type Files = Readonly<Record<string, string>>;

const seed = {
  projects: { p: { permissions: { owners: ['alice'] } } },
  versions: { 'p/a/v1': { 'x.txt': 'content of x' } },
};

/** A registry that is odd in these ways, with the requests that uploads are made of. */
async function create(oddities: Oddities | 'public' | undefined, start = createMockRegistry) {
  const mock = await start({ seed, ...(oddities !== undefined && { oddities }) });
  onTestFinished(() => mock.close());
  return { mock, ...requestsTo(mock) };
}

function requestsTo(mock: MockRegistry) {
  const send = (method: string, to: string, token?: string, body?: unknown, headers: Record<string, string> = {}) => {
    const sent = new Headers(headers);
    if (token !== undefined) sent.set('authorization', `Bearer ${token}`);
    const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const request = new Request(new URL(to, mock.url), { method, headers: sent, ...content });
    return mock.url === 'http://gypsum.test' ? mock.fetch(request) : fetch(request);
  };
  const get = (to: string, headers = {}) => send('GET', to, undefined, undefined, headers);
  const announce = (version: string, files: readonly unknown[], token = mock.token) =>
    send('POST', `/upload/start/${version}`, token, { files });
  const start = (version: string, files: Files, token = mock.token) =>
    announce(version, Object.entries(files).map(simple), token);
  const read = async (key: string) => (await get(`/file/${encodeURIComponent(key)}`)).json();
  const started = async (version: string, files: Files) => (await (await start(version, files)).json()) as Started;
  const presign = async (url: string, { session_token }: Started) =>
    (await (await send('POST', url, session_token)).json()) as Presigned;
  const put = ({ url, md5sum_base64 }: Presigned, content: string, token?: string) =>
    send('PUT', url, token, content, { 'content-md5': md5sum_base64, 'content-length': String(content.length) });
  const complete = (session: Started) => send('POST', session.complete_url, session.session_token);
  return { send, get, read, announce, start, started, presign, put, complete };
}

const simple = ([path, content]: readonly [string, string]) => {
  return { type: 'simple', path, size: Buffer.byteLength(content), md5sum: md5(content) };
};

const linkTo = (path: string, version = 'v1') => ({ project: 'p', asset: 'a', version, path });

const firstUrl = ({ file_urls }: Started) => file_urls[0]?.url ?? '';

/** Runs a test of a registry with one oddity, and of one without any: it is told which. */
function describeOddity(name: keyof Oddities, test: (odd: boolean, oddities: Oddities | undefined) => Promise<void>) {
  describe(name, () => {
    it('is what the public registry does', () => test(true, { [name]: true }));
    it('is nothing that ours does', () => test(false, undefined));
  });
}

describeOddity('wipesExisting', async (odd, oddities) => {
  const { get, start } = await create(oddities);
  const again = await start('p/a/v1', {});
  expect([again.status, await again.json()]).toMatchObject([400, { status: 'error' }]);
  expect(await (await get('/list?prefix=p/a/&recursive=true')).json()).toHaveLength(odd ? 1 : 4);
  expect(await (await get('/file/p%2Fa%2F..latest')).json()).toEqual({ version: 'v1' });
  expect((await start('p/a/v1', {})).status).toBe(odd ? 200 : 400);
});

describeOddity('errorsWithStatus200', async (odd, oddities) => {
  const { mock, send, start } = await create(oddities);
  const status = odd ? 200 : 400;
  for (const path of ['/x', 'x/', 'a//b', 'a\\b']) {
    const answer = await start('p/a/v2', { [path]: 'x' });
    expect([answer.status, await answer.json()]).toMatchObject([status, { status: 'error' }]);
  }
  const uploaders = [{ id: 'bob', asset: 1 }];
  expect((await send('PUT', '/permissions/p', mock.token, { uploaders })).status).toBe(status);
  expect((await send('POST', '/create/q', mock.token, { permissions: { uploaders } })).status).toBe(status);
  expect((await start('p/a/v2', { '..x': 'x' })).status).toBe(400);
  expect((await send('PUT', '/permissions/p', mock.token, { uploaders: 1 })).status).toBe(400);
  expect((await start('p/a/v2', { x: 'x' })).status).toBe(200);
});

describeOddity('latin1Slugs', async (odd, oddities) => {
  const { mock, get, send, start, started, presign, put } = await create(oddities);
  const session = await started('p/a/v2', { 'é.txt': 'one', 'ab?.txt': 'two' });
  const [plain = '', slashed = ''] = session.file_urls.map(({ url }) => url.slice('/upload/presigned-file/'.length));
  expect(slashed.includes('/')).toBe(odd);
  expect((await send('POST', `/upload/presigned-file/${slashed}`, session.session_token)).status).toBe(odd ? 404 : 200);
  if (odd) {
    expect(Buffer.from(plain, 'base64').toString('latin1')).toBe(`["p","a","v2","é.txt","${md5('one')}"]`);
    const escaped = JSON.stringify(['p', 'a', 'v2', 'ab?.txt', md5('two')]).replace('?', '\\u003f');
    const slug = Buffer.from(escaped).toString('base64');
    const url = `/upload/presigned-file/${slug}`;
    expect((await put(await presign(url, session), 'two')).status).toBe(200);
    const forged = Buffer.from('["p","a","v2","..summary",""]').toString('base64');
    expect((await send('POST', `/upload/presigned-file/${forged}`, session.session_token)).status).toBe(403);
    expect((await send('POST', `/upload/presigned-file/${slug}`, 'another')).status).toBe(403);
  }
  expect((await put(await presign(firstUrl(session), session), 'one')).status).toBe(200);
  expect(mock.calls.filter(({ route }) => route === 'put').at(-1)?.key).toBe('p/a/v2/é.txt');
  expect(mock.count({ route: 'presign', key: 'p/a/v2/é.txt' })).toBe(1);
  await send('POST', session.abort_url, session.session_token);
  expect((await start('p/a/v3', { 日本: 'x' })).status).toBe(odd ? 500 : 200);
  // Nothing of it is left.
  expect((await get('/file/p%2Fa%2Fv3%2F..summary')).status).toBe(odd ? 404 : 200);
  expect((await get('/file/p%2F..LOCK')).status).toBe(odd ? 404 : 200);
});

describeOddity('noExtras', async (odd, oddities) => {
  const { mock, send, get } = await create(oddities);
  const part = await get('/file/p%2Fa%2Fv1%2Fx.txt', { range: 'bytes=0-3' });
  expect([part.status, await part.text()]).toEqual(odd ? [200, 'content of x'] : [206, 'cont']);
  expect((await get('/file/p%2Fa%2Fv1%2Fx.txt', { 'if-none-match': `"${md5('content of x')}"` })).status).toBe(
    odd ? 200 : 304,
  );
  const said = ['gypsum-features', 'gypsum-registry', 'accept-ranges'].filter((name) => part.headers.has(name));
  expect(said).toHaveLength(odd ? 0 : 3);
  for (const [method, path] of [
    ['GET', '/whoami'],
    ['GET', '/lock/p'],
    ['POST', '/release/p'],
    ['GET', '/healthz'],
  ] as const) {
    expect((await send(method, path, mock.token)).status).toBe(odd ? 404 : 200);
  }
  expect((await send('POST', '/bulk/p/a/v1', mock.token, { paths: ['x.txt'] })).status).toBe(odd ? 404 : 200);
});

describeOddity('racyLock', async (odd, oddities) => {
  const { mock, send, start } = await create(oddities);
  for (const [one, other] of [
    ['p/a/v2', 'p/a/v3'],
    ['p/a/v4', 'p/a/v4'],
  ] as const) {
    const answers = await Promise.all([start(one, {}), start(other, {})]);
    const won = answers.filter(({ ok }) => ok);
    expect(won).toHaveLength(odd ? 2 : 1);
    const sessions = (await Promise.all(won.map((answer) => answer.json()))) as Started[];
    const ends = [];
    for (const { complete_url, session_token } of sessions) {
      ends.push((await send('POST', complete_url, session_token)).status);
    }
    expect(ends).toEqual(odd ? [403, 200] : [200]);
  }
  // What is locked when it is looked for is locked.
  expect((await start('p/a/v5', {})).status).toBe(200);
  expect((await Promise.all([start('p/a/v6', {}), start('p/a/v7', {})])).map(({ status }) => status)).toEqual([
    403, 403,
  ]);
  expect(mock.count({ route: 'unlock' })).toBe(0);
});

describe.each([
  ['as a function', createMockRegistry],
  ['on a port', startMockRegistry],
])('%s', (_how, open) => {
  describeOddity('presignedElsewhere', async (odd, oddities) => {
    const { mock, get, send, started, presign, put } = await create(oddities, open);
    const session = await started('p/a/v2', { x: 'one' });
    const presigned = await presign(firstUrl(session), session);
    const { origin, pathname } = new URL(presigned.url);
    expect(origin === mock.url).toBe(!odd);
    if (odd) {
      expect((await put(presigned, 'one', session.session_token)).status).toBe(400);
      expect((await put({ ...presigned, url: mock.url + pathname }, 'one')).status).toBe(404);
      expect((await get(`${origin}/list`)).status).toBe(403);
    }
    expect((await put(presigned, 'one')).status).toBe(200);
    expect((await send('POST', session.complete_url, session.session_token)).status).toBe(200);
    expect(mock.count({ route: 'put', key: 'p/a/v2/x' })).toBe(odd ? 3 : 1);
  });
});

describeOddity('expiringUrls', async (odd, oddities) => {
  const { started, presign, put } = await create(oddities);
  const session = await started('p/a/v2', { x: 'one' });
  const first = await presign(firstUrl(session), session);
  for (let i = 0; i < 2; i++) expect((await put(first, 'one')).status).toBe(odd ? 403 : 200);
  expect((await put(await presign(firstUrl(session), session), 'one')).status).toBe(200);
});

describeOddity('latePuts', async (odd, oddities) => {
  const { get, send, started, presign, put } = await create(oddities);
  const session = await started('p/a/v2', { x: 'one' });
  const presigned = await presign(firstUrl(session), session);
  await send('POST', session.abort_url, session.session_token);
  expect((await put(presigned, 'ONE')).status).toBe(403);
  expect((await put({ ...presigned, url: presigned.url.replace(/.$/, '') }, 'one')).status).toBe(403);
  expect((await put(presigned, 'one')).status).toBe(odd ? 200 : 403);
  expect(await (await get('/list?prefix=p/a/v2/&recursive=true')).json()).toEqual(odd ? ['p/a/v2/x'] : []);
});

describeOddity('cachedPermissions', async (odd, oddities) => {
  const { mock, get, send, start } = await create(oddities);
  const alice = await mock.addUser('alice');
  const bob = await mock.addUser('bob');
  const end = async (answer: Response) => {
    const { abort_url, session_token } = (await answer.json()) as Started;
    await send('POST', abort_url, session_token);
  };
  await end(await start('p/a/v2', {}, alice));
  await send('DELETE', '/remove/p', mock.token);
  expect((await start('p/a/v2', {}, alice)).status).toBe(odd ? 500 : 400);
  await send('POST', '/create/p', mock.token, { permissions: { owners: ['bob'] } });
  expect((await start('p/a/v2', {}, odd ? bob : alice)).status).toBe(403);
  await end(await start('p/a/v2', {}, odd ? alice : bob));
  expect(await (await get('/file/p%2F..permissions')).json()).toMatchObject({ owners: ['bob'] });
  // Whoever changes them has them read again.
  await send('PUT', '/permissions/p', mock.token, { owners: ['bob'] });
  expect((await start('p/a/v2', {}, alice)).status).toBe(403);
  expect((await start('p/a/v2', {}, bob)).status).toBe(200);
});

describeOddity('oddDates', async (odd, oddities) => {
  const { mock, get, send } = await create(oddities);
  const until = '2031-02-03T04:05:06.000Z';
  await send('PUT', '/permissions/p', mock.token, { uploaders: [{ id: 'bob', until }] });
  const summary = await get('/file/p%2Fa%2Fv1%2F..summary');
  const text = await summary.text();
  const form = odd ? /\.\d{6}\+01:00$/ : /\.\d{3}Z$/;
  const { upload_start, upload_finish } = JSON.parse(text) as Record<string, string>;
  expect(upload_start).toMatch(form);
  expect(upload_finish).toMatch(odd ? /\.\d{9}Z$/ : form);
  expect(Math.abs(Date.parse(upload_finish ?? '') - Date.parse(upload_start ?? ''))).toBeLessThan(60_000);
  const head = await send('HEAD', '/file/p%2Fa%2Fv1%2F..summary');
  for (const { headers } of [summary, head]) {
    expect(headers.get('content-length')).toBe(String(text.length));
    expect(headers.get('etag')).toBe(`"${md5(text)}"`);
  }
  const { uploaders } = (await (await get('/file/p%2F..permissions')).json()) as { uploaders: { until: string }[] };
  expect(uploaders[0]?.until).toBe(odd ? '2031-02-02T23:05:06-05:00' : until);
  expect(Date.parse(uploaders[0]?.until ?? '')).toBe(Date.parse(until));
});

describeOddity('twiceDecodedPrefix', async (odd, oddities) => {
  const { mock, get } = await create(oddities);
  await mock.publish({ versions: { '50%25/a/v': { x: 'x' } } });
  const list = async (prefix: string) => {
    const answer = await get(`/list?prefix=${prefix}`);
    return answer.ok ? answer.json() : answer.status;
  };
  expect(await list('50%2525%2F')).toEqual(odd ? [] : expect.arrayContaining(['50%25/a/']));
  expect(await list('50%252525%252F')).toEqual(odd ? expect.arrayContaining(['50%25/a/']) : []);
  expect(await list('50%25')).toEqual(odd ? 500 : ['50%25/']);
  expect(await list('p%2Fa%2F')).toEqual(['p/a/v1/', 'p/a/..latest']);
});

describeOddity('unsignedSlugs', async (odd, oddities) => {
  const { mock, get, read, announce, start, send, put, complete } = await create(oddities);
  const bob = await mock.addUser('bob');
  await send('PUT', '/permissions/p', mock.token, { uploaders: [{ id: 'bob' }] });
  const session = (await (await start('p/a/v2', {}, bob)).json()) as Started;
  const forge = (path: string, content: string, version = 'v2', { session_token } = session) => {
    const slug = Buffer.from(JSON.stringify(['p', 'a', version, path, md5(content)])).toString('base64url');
    return send('POST', `/upload/presigned-file/${slug}.other`, session_token);
  };
  const summary = JSON.stringify({ upload_user_id: 'mallory', upload_start: '2020-01-01T00:00:00.000Z' });
  const answer = await forge('..summary', summary);
  expect(answer.status).toBe(odd ? 200 : 403);
  expect((await forge('..summary', summary, 'v1')).status).toBe(403);
  if (odd) {
    const presigned = (await answer.json()) as Presigned;
    expect((await put(presigned, `${summary} `)).status).toBe(403);
    expect((await put({ ...presigned, md5sum_base64: 'another' }, summary)).status).toBe(403);
    expect((await put(presigned, summary)).status).toBe(200);
    expect((await put((await (await forge('unlisted', 'x')).json()) as Presigned, 'x')).status).toBe(200);
  }
  expect((await complete(session)).status).toBe(200);
  // What was on probation has made itself official.
  expect(await read('p/a/..latest')).toEqual({ version: odd ? 'v2' : 'v1' });
  expect(await read('p/a/v2/..summary')).toMatchObject(
    odd ? { upload_user_id: 'mallory' } : { upload_user_id: 'bob', on_probation: true },
  );
  expect((await get('/file/p%2Fa%2Fv2%2Funlisted')).status).toBe(odd ? 200 : 404);

  // What was announced as a link can be put, too, and keeps the project locked.
  const link = { type: 'link', path: 'y', link: linkTo('x.txt') };
  const other = (await (await announce('p/a/v3', [link])).json()) as Started;
  const presigned = await forge('y', 'y', 'v3', other);
  expect(presigned.status).toBe(odd ? 200 : 403);
  if (odd) expect((await put((await presigned.json()) as Presigned, 'y')).status).toBe(200);
  expect((await complete(other)).status).toBe(odd ? 500 : 200);
  expect((await start('p/a/v4', {})).status).toBe(odd ? 403 : 200);
});

describeOddity('countedPuts', async (odd, oddities) => {
  const { mock, started, presign, complete } = await create(oddities);
  const session = await started('p/a/v2', { empty: '' });
  const { url, md5sum_base64 } = await presign(firstUrl(session), session);
  const put = (headers: Record<string, string>) =>
    mock.fetch(new Request(url, { method: 'PUT', headers: { 'content-md5': md5sum_base64, ...headers } }));
  expect((await put({})).status).toBe(odd ? 411 : 200);
  expect((await put({ 'content-length': '0' })).status).toBe(200);
  expect((await complete(session)).status).toBe(200);
});

describeOddity('lateSizeCheck', async (odd, oddities) => {
  const { get, announce, presign, put, complete } = await create(oddities);
  const session = (await (await announce('p/a/v2', [{ ...simple(['x', 'one']), size: 2 }])).json()) as Started;
  const presigned = await presign(firstUrl(session), session);
  expect((await put(presigned, 'ones')).status).toBe(400);
  expect((await put(presigned, 'one')).status).toBe(odd ? 200 : 400);
  expect((await get('/file/p%2Fa%2Fv2%2Fx')).status).toBe(odd ? 200 : 404);
  expect((await complete(session)).status).toBe(400);
});

describeOddity('latestDedup', async (odd, oddities) => {
  const { mock, read, announce, send } = await create(oddities);
  await mock.publish({ versions: { 'p/a/v2': { y: { link: 'p/a/v1:/x.txt' }, w: 'w' } } });
  const files = Object.entries({ a: 'same', b: 'same', w2: 'w', y2: 'content of x' }).map((file) => {
    return { ...simple(file), type: 'dedup' };
  });
  const started = async (version: string) =>
    (await (await announce(version, [...files, simple(['s', 's'])])).json()) as Started;
  const sent = ({ file_urls }: Started) => file_urls.map(({ path }) => path);
  const session = await started('p/a/v3');
  expect(sent(session)).toEqual(odd ? ['s', 'a', 'b'] : ['s', 'a']);
  expect(await read('p/a/v3/..manifest')).toMatchObject({
    w2: { size: 1, md5sum: md5('w'), link: linkTo('w', 'v2') },
    y2: { link: { ...linkTo('y', 'v2'), ancestor: linkTo('x.txt') } },
  });
  await send('POST', session.abort_url, session.session_token);
  // What the latest version has a link to is gone.
  await send('DELETE', '/remove/p/a/v1', mock.token);
  expect(sent(await started('p/a/v4'))).toEqual(odd ? ['s', 'a', 'b'] : ['s', 'a', 'y2']);
});

describeOddity('prototypeNames', async (odd, oddities) => {
  const { read, get, announce, complete } = await create(oddities);
  const link = (path: string, target: string) => ({ type: 'link', path, link: linkTo(target) });
  expect((await announce('p/a/v2', [link('k', 'toText')])).status).toBe(400);
  const linked = await announce('p/a/v2', [link('d/k', 'toString'), link('d/l', 'x.txt')]);
  expect(linked.status).toBe(odd ? 200 : 400);
  if (odd) {
    expect((await complete((await linked.json()) as Started)).status).toBe(200);
    const { 'd/k': inherited } = (await read('p/a/v2/..manifest')) as Record<string, unknown>;
    expect(inherited).toEqual({ link: linkTo('toString') });
    expect(await read('p/a/v2/d/..links')).toEqual({ k: linkTo('toString'), l: linkTo('x.txt') });
  }
  const session = (await (await announce('p/a/v3', [simple(['__proto__', 'x'])])).json()) as Started;
  expect(session.file_urls).toMatchObject([{ path: '__proto__' }]);
  const manifest = await (await get('/file/p%2Fa%2Fv3%2F..manifest')).text();
  expect(manifest).toBe(odd ? '{}' : `{"__proto__":{"size":1,"md5sum":"${md5('x')}"}}`);
  expect((await complete(session)).status).toBe(odd ? 200 : 400);
  expect((await announce('p/a/v4', [link('__proto__', 'x.txt')])).status).toBe(odd ? 200 : 403);
  if (odd) expect((await get('/file/p%2Fa%2Fv4%2F..links')).status).toBe(404);
});

describeOddity('linksAsSent', async (odd, oddities) => {
  const { mock, read, announce } = await create(oddities);
  await mock.publish({ versions: { 'p/a/v2': { y: { link: 'p/a/v1:/x.txt' } } } });
  const forged = { foo: 1, ancestor: { ...linkTo('evil'), project: 'q' } };
  const files = [
    { type: 'link', path: 'l', link: { ...linkTo('x.txt'), ...forged } },
    { type: 'link', path: 'm', link: { ...linkTo('y', 'v2'), ...forged } },
    { type: 'link', path: 'n', link: linkTo('x.txt') },
  ];
  expect((await announce('p/a/v3', files)).status).toBe(200);
  const links = {
    l: { ...linkTo('x.txt'), ...(odd && forged) },
    m: { ...linkTo('y', 'v2'), ...(odd && forged), ancestor: linkTo('x.txt') },
    n: linkTo('x.txt'),
  };
  expect(await read('p/a/v3/..links')).toEqual(links);
  const { l, m, n } = (await read('p/a/v3/..manifest')) as Record<string, { link: unknown }>;
  expect({ l: l?.link, m: m?.link, n: n?.link }).toEqual(links);
});

describeOddity('uncheckedDigests', async (odd, oddities) => {
  const { read, announce, send, presign, put, complete } = await create(oddities);
  const files = [{ ...simple(['x', 'x']), md5sum: 'no MD5' }, simple(['y', 'y'])];
  const answer = await announce('p/a/v2', files);
  expect(answer.status).toBe(odd ? 200 : 400);
  expect((await announce('p/b/v1', [{ ...simple(['/x', 'x']), md5sum: '' }])).status).toBe(odd ? 403 : 400);
  if (!odd) return;
  const session = (await answer.json()) as Started;
  expect(await read('p/a/v2/..manifest')).toMatchObject({ x: { size: 1, md5sum: 'no MD5' } });
  const [y, x] = session.file_urls;
  expect([x?.path, y?.path]).toEqual(['x', 'y']);
  expect((await send('POST', x?.url ?? '', session.session_token)).status).toBe(500);
  expect((await put(await presign(y?.url ?? '', session), 'y')).status).toBe(200);
  expect((await complete(session)).status).toBe(400);
  expect((await send('POST', session.abort_url, session.session_token)).status).toBe(200);
});

describeOddity('unfinishedLatest', async (odd, oddities) => {
  const { mock, read, send, started, presign, put } = await create({ ...oddities, latePuts: true });
  await mock.publish({ versions: { 'p/a/v2': { x: 'x' } } });
  await started('p/a/half', {});
  await send('DELETE', '/unlock/p', mock.token);
  await started('p/a/v3', {});
  await send('DELETE', '/unlock/p', mock.token);
  const refresh = () => send('POST', '/refresh/latest/p/a', mock.token);
  expect(await (await refresh()).json()).toEqual({ version: odd ? 'half' : 'v2' });
  expect(await read('p/a/..latest')).toEqual({ version: odd ? 'half' : 'v2' });
  await send('DELETE', '/remove/p/a/half', mock.token);
  expect(await (await refresh()).json()).toEqual({ version: 'v2' });
  // What is put after the end of its session.
  const session = await started('p/a/late', { z: 'z' });
  const presigned = await presign(firstUrl(session), session);
  await send('POST', session.abort_url, session.session_token);
  expect((await put(presigned, 'z')).status).toBe(200);
  expect((await refresh()).status).toBe(odd ? 500 : 200);
  expect(await read('p/a/..latest')).toEqual({ version: 'v2' });
  expect((await send('POST', '/refresh/latest/p/a', 'another')).status).toBe(401);
});

describeOddity('usageByObjects', async (odd, oddities) => {
  const { mock, read, send, started, presign, put } = await create(oddities);
  const usage = async () => ((await read('p/..usage')) as { total: number }).total;
  const leave = async (version: string) => {
    const session = await started(version, { y: '01234', z: 'never put' });
    await put(await presign(firstUrl(session), session), '01234');
    await send('DELETE', '/unlock/p', mock.token);
  };
  await leave('p/a/half');
  expect(await usage()).toBe(12);
  expect((await send('POST', '/refresh/usage/p', 'another')).status).toBe(401);
  expect(await (await send('POST', '/refresh/usage/p', mock.token)).json()).toEqual({ total: odd ? 17 : 12 });
  expect(await usage()).toBe(odd ? 17 : 12);
  await send('DELETE', '/remove/p/a/half', mock.token);
  await leave('p/a/half');
  await send('DELETE', '/remove/p/a/half', mock.token);
  expect(await usage()).toBe(odd ? 7 : 12);
  await leave('p/b/half');
  await send('DELETE', '/remove/p/b', mock.token);
  expect(await usage()).toBe(odd ? 2 : 12);
  expect(await (await send('POST', '/refresh/usage/p', mock.token)).json()).toEqual({ total: 12 });
});

describeOddity('failsOnOddKeys', async (odd, oddities) => {
  const { mock, get, send, start } = await create(oddities);
  const status = odd ? 500 : 400;
  const long = 'k'.repeat(1025);
  expect((await get(`/file/${long}`)).status).toBe(status);
  expect((await get('/file/50%')).status).toBe(status);
  expect((await send('POST', `/create/${long}`, mock.token, {})).status).toBe(status);
  expect((await start('p/a/v2', { [long]: 'x' })).status).toBe(status);
  expect((await start('p/a/v2', { '../x': 'x' })).status).toBe(400);
  expect((await get(`/file/${long.slice(1)}`)).status).toBe(404);
});

describeOddity('failsWithoutProject', async (odd, oddities) => {
  const { mock, send } = await create(oddities);
  expect((await send('DELETE', '/remove/nope/a', mock.token)).status).toBe(odd ? 500 : 404);
  expect((await send('DELETE', '/remove/nope/a/v', mock.token)).status).toBe(odd ? 500 : 404);
  expect((await send('DELETE', '/remove/nope', mock.token)).status).toBe(200);
  expect((await send('DELETE', '/remove/p/b', mock.token)).status).toBe(200);
});

describeOddity('anyProjectName', async (odd, oddities) => {
  const { mock, get, send } = await create(oddities);
  const permissions = { owners: ['bob'] };
  for (const name of ['back%5Cslash', '..odd']) {
    expect((await send('POST', `/create/${name}`, 'another', { permissions })).status).toBe(401);
    expect((await send('POST', `/create/${name}`, mock.token, { permissions })).status).toBe(odd ? 200 : 400);
    expect((await send('POST', `/create/${name}`, mock.token, { permissions })).status).toBe(400);
    const made = await get(`/file/${name}%2F..permissions`);
    expect(made.ok ? await made.json() : made.status).toEqual(odd ? { ...permissions, uploaders: [] } : 404);
  }
  expect(await (await get('/list?prefix=b')).json()).toEqual(odd ? ['back\\slash/'] : []);
  expect((await send('POST', '/create/a%2Fb', mock.token, {})).status).toBe(400);
});

describe.each([
  ['ours', undefined],
  ['the public one', 'public' as const],
])('%s', (_name, oddities) => {
  it('gives URLs of a session’s next steps that are not encoded', async () => {
    const { mock, started } = await create(oddities);
    await mock.publish({ projects: { 'my projéct': {} } });
    expect(await started('my%20proj%C3%A9ct/an%20asset/50%25', {})).toMatchObject({
      complete_url: '/upload/complete/my projéct/an asset/50%',
      abort_url: '/upload/abort/my projéct/an asset/50%',
    });
  });

  it('shows versions that are in progress, with a manifest', async () => {
    const { get, started } = await create(oddities);
    await started('p/a/v2', { x: 'one' });
    expect(await (await get('/file/p%2Fa%2Fv2%2F..manifest')).json()).toEqual({ x: { size: 3, md5sum: md5('one') } });
    expect(await (await get('/file/p%2Fa%2Fv2%2F..summary')).json()).not.toHaveProperty('upload_finish');
    expect(await (await get('/list?prefix=p/a/')).json()).toContain('p/a/v2/');
  });

  it('sorts a listing page by page: folders, then objects, of each thousand', async () => {
    const { mock, get } = await create(oddities);
    const files = Object.fromEntries(
      Array.from({ length: 1100 }, (_, n) => [`${n % 2 ? 'd' : 'e'}${n}/x`, { link: 'p/a/v1:/x.txt' }]),
    );
    await mock.publish({ versions: { 'p/many/v': { ...files, a: 'a', z: 'z' } } });
    const listed = (await (await get('/list?prefix=p/many/v/')).json()) as string[];
    const names = listed.map((key) => key.slice('p/many/v/'.length));
    expect(names.slice(997, 1000)).toEqual(['..manifest', '..summary', 'a']);
    expect(names.at(-1)).toBe('z');
  });

  it('has links to versions that are gone', async () => {
    const { mock, get, send } = await create(oddities);
    await mock.publish({ versions: { 'p/a/v2': { y: { link: 'p/a/v1:/x.txt' } } } });
    expect((await send('DELETE', '/remove/p/a/v1', mock.token)).status).toBe(200);
    expect(await (await get('/file/p%2Fa%2Fv2%2F..manifest')).json()).toMatchObject({ y: { link: { version: 'v1' } } });
    expect((await get('/file/p%2Fa%2Fv1%2Fx.txt')).status).toBe(404);
  });

  it('has no room for links alone where the quota is full', async () => {
    const { mock, send } = await create(oddities);
    await send('PUT', '/quota/p', mock.token, { baseline: 12, growth_rate: 0 });
    const link = { project: 'p', asset: 'a', version: 'v1', path: 'x.txt' };
    const files = [{ type: 'link', path: 'y', link }];
    expect((await send('POST', '/upload/start/p/a/v2', mock.token, { files })).status).toBe(400);
    await send('PUT', '/quota/p', mock.token, { baseline: 13 });
    expect((await send('POST', '/upload/start/p/a/v2', mock.token, { files })).status).toBe(200);
  });
});
