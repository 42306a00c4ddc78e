import { stat } from 'node:fs/promises';
import { getResponse, http } from 'msw';
import { expect, it, onTestFinished } from 'vitest';
import { bytes, createMockRegistry, disconnected, type MockRegistryOptions } from '../../mocks/index.ts';
import { handlers } from '../../mocks/msw.ts';

interface Started {
  file_urls: { url: string }[];
  complete_url: string;
  session_token: string;
}

async function create(options?: MockRegistryOptions) {
  const mock = await createMockRegistry(options);
  onTestFinished(() => mock.close());
  const get = (path: string) => mock.fetch(new Request(mock.url + path));
  return { mock, get };
}

const seed = {
  projects: { p: { permissions: { owners: ['alice'] } } },
  versions: {
    'p/a/v1': { 'x.txt': 'one', 'deep/y.bin': new Uint8Array([0, 255]) },
    'p/a/v2': { 'x.txt': { link: 'p/a/v1:/x.txt' }, '日本.txt': 'two' },
    'q/b/v1': { 'z.txt': { link: 'p/a/v2:/x.txt' } },
  },
};

it('is seeded through the real routes', async () => {
  const { mock, get } = await create({ seed });
  expect(mock.count()).toBe(0);
  expect(await (await get('/file/p%2Fa%2Fv1%2Fx.txt')).text()).toBe('one');
  expect(await (await get('/file/p%2Fa%2F..latest')).json()).toEqual({ version: 'v2' });
  expect(await (await get('/file/q%2Fb%2Fv1%2F..manifest')).json()).toEqual({
    'z.txt': {
      size: 3,
      md5sum: 'f97c5d29941bfb1b2fdab0874906ab82',
      link: {
        project: 'p',
        asset: 'a',
        version: 'v2',
        path: 'x.txt',
        ancestor: { project: 'p', asset: 'a', version: 'v1', path: 'x.txt' },
      },
    },
  });
});

it('counts calls by route and key', async () => {
  const { mock, get } = await create({ seed });
  await get('/file/p%2Fa%2Fv1%2Fx.txt');
  await get('/file/p%2Fa%2Fv1%2F..manifest');
  await get('/list?prefix=p%2F');
  await get('/nowhere');
  expect(mock.count({ route: 'file' })).toBe(2);
  expect(mock.count({ key: 'p/a/v1/x.txt' })).toBe(1);
  expect(mock.count({ key: /\.\.manifest$/ })).toBe(1);
  expect(mock.calls.map(({ route }) => route)).toEqual(['file', 'file', 'list', undefined]);
  mock.resetCalls();
  expect(mock.count()).toBe(0);
});

it('names the file that is sent', async () => {
  const { mock } = await create({ seed });
  const token = await mock.addUser('alice');
  const send = (method: string, path: string, init: RequestInit & { bearer?: string } = {}) => {
    const headers = new Headers(init.headers);
    if (init.bearer !== undefined) headers.set('authorization', `Bearer ${init.bearer}`);
    return mock.fetch(new Request(new URL(path, mock.url), { ...init, method, headers }));
  };
  const files = [{ type: 'simple', path: 'new.txt', size: 3, md5sum: 'f97c5d29941bfb1b2fdab0874906ab82' }];
  const start = await send('POST', '/upload/start/p/a/v3', { bearer: token, body: JSON.stringify({ files }) });
  const started = (await start.json()) as Started;
  const presign = await send('POST', started.file_urls[0]?.url ?? '', { bearer: started.session_token });
  const { url, md5sum_base64 } = (await presign.json()) as { url: string; md5sum_base64: string };
  await send('PUT', url, { body: 'one', headers: { 'content-md5': md5sum_base64 } });
  await send('POST', started.complete_url, { bearer: started.session_token });
  expect(mock.calls.map(({ route, key }) => [route, key])).toEqual([
    ['start', undefined],
    ['presign', 'p/a/v3/new.txt'],
    ['put', 'p/a/v3/new.txt'],
    ['complete', undefined],
  ]);
  expect(mock.count({ route: 'put', key: 'p/a/v3/new.txt' })).toBe(1);
});

it('publishes more later', async () => {
  const { mock, get } = await create({ seed });
  await mock.publish({ versions: { 'p/a/v3': { 'x.txt': 'three' } } });
  expect(await (await get('/file/p%2Fa%2F..latest')).json()).toEqual({ version: 'v3' });
});

it('says what the registry refuses of a seed, and leaves nothing', async () => {
  await expect(createMockRegistry({ seed: { versions: { 'p/a/v': { '../x': 'no' } } } })).rejects.toThrow(
    /begins with/,
  );
});

it('removes its folder', async () => {
  const mock = await createMockRegistry();
  await mock.close();
  await expect(stat(mock.data)).rejects.toThrow(/ENOENT/);
});

it('is the same as msw handlers', async () => {
  const { mock } = await create({ seed });
  const base = 'https://registry.example';
  const all = [...handlers(mock, base), http.get('https://elsewhere.example/', () => new Response('elsewhere'))];
  const get = (url: string) => getResponse(all, new Request(url));
  expect(await (await get(`${base}/file/p%2Fa%2Fv1%2Fx.txt`))?.text()).toBe('one');
  expect((await get(`${base}/`))?.status).toBe(301);
  expect(await (await get('https://elsewhere.example/'))?.text()).toBe('elsewhere');
  expect(await get('https://registry.example.org/list')).toBeUndefined();
  mock.inject(bytes('HOOT'), { route: 'file', times: 1 });
  expect(await (await get(`${base}/file/p%2Fa%2Fv1%2Fx.txt`))?.text()).toBe('HOOT');
  mock.inject(disconnected());
  expect((await get(`${base}/list`))?.type).toBe('error');
  expect(mock.count({ route: 'file' })).toBe(2);
});
