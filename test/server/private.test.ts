import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { createRig } from './rig.ts';

const READS = [
  ['GET', '/file/p%2F..permissions'],
  ['HEAD', '/file/p%2F..permissions'],
  ['GET', '/file/no%2Fsuch%2Fkey'],
  ['POST', '/bulk/p/a/v1'],
  ['GET', '/list'],
  ['GET', '/list?prefix=p/&recursive=true'],
  ['GET', '/lock/p'],
  ['GET', '/credentials/s3-api'],
  ['GET', '/whoami'],
] as const;

it.each(READS)('a private registry answers %s %s only to those whom it knows', async (method, path) => {
  const open = await createRig();
  const { call } = await createRig({ isPrivate: true });
  for (const token of [undefined, 'unknown']) {
    const answer = await call(method, path, token === undefined ? {} : { token });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(await answer.text()).not.toContain('owner');
  }
  const [known, wanted] = await Promise.all([call, open.call].map((one) => one(method, path, { token: 'nobody' })));
  expect(known?.status).toBe(wanted?.status);
  expect(await known?.text()).toBe(await wanted?.text());
});

it('a private registry takes uploads as any does', async () => {
  const { publish, call } = await createRig({ isPrivate: true });
  await publish('v1', { 'a.txt': 'a' });
  const answer = await call('GET', '/file/p%2Fa%2Fv1%2Fa.txt', { token: 'nobody' });
  expect(await answer.text()).toBe('a');
});

it('a session does not open what a private registry has', async () => {
  const { start, call } = await createRig({ isPrivate: true });
  const { session_token: token } = await start('v1', { 'a.txt': 'a' });
  expect((await call('GET', '/list', { token })).status).toBe(401);
});

it('a registry that is not private takes reads with any token, or none', async () => {
  const { call } = await createRig();
  expect((await call('GET', '/list', { token: 'unknown' })).status).toBe(200);
  expect((await call('GET', '/list')).status).toBe(200);
});

it.each(['complete', 'abort'])('a private registry tells nobody by a refused %s what it holds', async (how) => {
  const { call, start } = await createRig({ isPrivate: true });
  const token = randomUUID();
  const refused = async () => {
    const answer = await call('POST', `/upload/${how}/p/a/v1`, { token });
    return [answer.status, await answer.text()];
  };
  const free = await refused();
  await start('v1', { 'a.txt': 'a' });
  expect(await refused()).toEqual(free);
});
