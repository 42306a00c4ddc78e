import { describe, expect, it } from 'vitest';
import { diskStorage } from '../../src/server/index.ts';
import { createRig, md5 } from './rig.ts';

const FILE = '/file/p%2Fa%2Fv1%2Fx.txt';

async function published() {
  const rig = await createRig();
  await rig.publish('v1', { 'x.txt': '0123456789', empty: '' });
  return rig;
}

describe('a range', () => {
  it.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=4-', 206, '456789', 'bytes 4-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=10-', 416, expect.stringContaining('"status":"error"'), 'bytes */10'],
    ['bytes=-0', 416, expect.stringContaining('"status":"error"'), 'bytes */10'],
    ['bytes=5-4', 200, '0123456789', null],
    ['bytes=0-1,3-4', 200, '0123456789', null],
    ['bytes=a-b', 200, '0123456789', null],
    ['items=0-1', 200, '0123456789', null],
    ['bytes=-', 200, '0123456789', null],
  ])('%s gives %i', async (range, status, body, contentRange) => {
    const rig = await published();
    const answer = await rig.call('GET', FILE, { headers: { range } });
    expect([answer.status, await answer.text(), answer.headers.get('content-range')]).toEqual([
      status,
      body,
      contentRange,
    ]);
  });

  it('of an empty file cannot be had', async () => {
    const rig = await published();
    const answer = await rig.call('GET', '/file/p%2Fa%2Fv1%2Fempty', { headers: { range: 'bytes=0-' } });
    expect(answer.status).toBe(416);
  });

  it('is given only of the object that If-Range names', async () => {
    const rig = await published();
    const get = (tag: string) => rig.call('GET', FILE, { headers: { range: 'bytes=0-3', 'if-range': tag } });
    expect((await get(`"${md5('0123456789')}"`)).status).toBe(206);
    expect((await get(`"${md5('other')}"`)).status).toBe(200);
    expect((await get(`W/"${md5('0123456789')}"`)).status).toBe(200);
  });
});

describe('If-None-Match', () => {
  it.each([
    [`"${md5('0123456789')}"`, 304],
    [`W/"${md5('0123456789')}"`, 304],
    [`"other", "${md5('0123456789')}"`, 304],
    ['*', 304],
    ['"other"', 200],
  ])('%s gives %i', async (tag, status) => {
    const rig = await published();
    for (const method of ['GET', 'HEAD']) {
      const answer = await rig.call(method, FILE, { headers: { 'if-none-match': tag } });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('etag')).toBe(`"${md5('0123456789')}"`);
      if (status === 304) expect(await answer.text()).toBe('');
    }
  });
});

it('says on files and listings what it can do, also when there is nothing', async () => {
  const rig = await published();
  const features = 'range, whoami, lock, release, prefix, unicode, dedup, bulk';
  for (const path of [FILE, '/file/nope', '/list', '/list/']) {
    const { headers } = await rig.call('GET', path);
    expect(headers.get('gypsum-features')).toBe(features);
    expect(headers.get('access-control-expose-headers')).toContain('gypsum-features');
  }
  expect((await rig.call('POST', '/create/q', { token: 'admin', body: {} })).headers.get('gypsum-features')).toBeNull();
});

it('says who a token is', async () => {
  const rig = await createRig();
  const answer = await rig.call('GET', '/whoami', { token: 'owner' });
  expect(await answer.json()).toEqual({ id: 'owner', admin: false });
  expect((await rig.call('GET', '/whoami')).status).toBe(401);
  expect((await rig.call('GET', '/whoami', { token: 'who' })).status).toBe(401);
});

it('lists folders before objects, on each page of a thousand', async () => {
  const rig = await createRig();
  const storage = await diskStorage(rig.data);
  await Promise.all(
    Array.from({ length: 1201 }, (_, i) => storage.put(`p/asset-${String(i).padStart(4, '0')}/..latest`, '{}')),
  );
  const keys = (await (await rig.call('GET', '/list?prefix=p%2F')).json()) as string[];
  expect(keys).toHaveLength(1204);
  expect(keys.slice(995, 1002)).toEqual([
    'p/asset-0995/',
    'p/asset-0996/',
    'p/..permissions',
    'p/..quota',
    'p/..usage',
    'p/asset-0997/',
    'p/asset-0998/',
  ]);
});

it.each([
  '/file/..%2F..%2Fsecret',
  '/file/..%2Ftokens.json',
  '/file/%2e%2e%2fsecret',
  '/file/%252e%252e%252fsecret',
  '/file/..%5Csecret',
  '/file/%2Fetc%2Fpasswd',
  '/file/p%2F..%2F..%2Fsecret',
  '/file/p%2Fa',
  '/file/p%2F',
])('does not find %s', async (path) => {
  const rig = await createRig();
  expect((await rig.call('GET', path)).status).toBe(404);
});

it.each(['/file/%00', '/file/%zz', '/file/%ff', `/file/${'k'.repeat(1025)}`])('refuses %s', async (path) => {
  const rig = await createRig();
  expect((await rig.call('GET', path)).status).toBe(400);
});
