import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createToken,
  type OpenRegistryOptions,
  openRegistry,
  type Problem,
  readTokens,
  type Swept,
  tokenFileIdentity,
  verifyFolder,
  writeTokens,
} from '../../src/server/index.ts';
import { pathsBelow } from '../helpers/entries-below.ts';
import { createRig, namesAsTokens, temporaryFolder } from './rig.ts';

async function open(options: OpenRegistryOptions) {
  const registry = await openRegistry(options);
  onTestFinished(() => registry.close().catch(() => {}));
  return registry;
}

const whoami = (token: string) =>
  new Request('http://registry.test/whoami', { headers: { authorization: `Bearer ${token}` } });

it('makes an admin token once, and keeps only its hash beside the copy for its owner', async () => {
  const data = join(await temporaryFolder(), 'new');
  const first = await open({ data });
  const token = first.adminToken ?? '';
  expect(token).toMatch(/^gypsum_[\w-]{43}$/);
  expect(await (await first.fetch(whoami(token))).json()).toEqual({ id: 'admin', admin: true });
  expect(await readFile(join(data, 'admin-token'), 'utf8')).toBe(`${token}\n`);
  expect(await readFile(join(data, 'tokens.json'), 'utf8')).not.toContain(token);
  await first.close();

  const second = await open({ data });
  expect(second.adminToken).toBeUndefined();
  expect((await second.fetch(whoami(token))).status).toBe(200);
});

it('is refused with a lock that is damaged, and goes on without it as the hint says', async () => {
  const rig = await createRig();
  await rig.start('v1', { x: 'hello' });
  await rig.registry.close();
  const lock = join(rig.data, 'objects/p/..LOCK');
  await writeFile(lock, '{"session');
  await expect(openRegistry({ data: rig.data })).rejects.toMatchObject({
    message: expect.stringContaining('"p/..LOCK" is damaged'),
    hint: expect.stringMatching(/^Remove that file.*gypsum version remove/),
  });
  await rm(lock);
  const registry = await open({ data: rig.data, identity: namesAsTokens });
  const request = (method: string, path: string) =>
    registry.fetch(new Request(`http://registry.test${path}`, { method, headers: { authorization: 'Bearer admin' } }));
  const problems: Problem[] = [];
  const verify = () => verifyFolder(rig.data, { onProblem: (problem) => void problems.push(problem) });
  expect((await verify()).unfinished).toMatchObject([{ version: 'v1' }]);
  expect((await request('DELETE', '/remove/p/a/v1')).status).toBe(200);
  expect((await verify()).unfinished).toEqual([]);
  expect(problems).toEqual([]);
});

describe('a registry whose objects are gone', () => {
  const losses: readonly [string, (data: string) => Promise<unknown>][] = [
    ['is missing', (data) => rename(join(data, 'objects'), join(data, 'objects.elsewhere'))],
    [
      'is empty, as where a disk is not mounted',
      async (data) => {
        await rename(join(data, 'objects'), join(data, 'objects.elsewhere'));
        await mkdir(join(data, 'objects'));
      },
    ],
  ];

  it.each(losses)('is refused: the folder %s', async (_, lose) => {
    const data = await temporaryFolder();
    await (await open({ data })).close();
    await lose(data);
    const before = pathsBelow(data);
    await expect(openRegistry({ data })).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining(join(data, 'objects')),
    });
    expect(pathsBelow(data)).toEqual(before);
  });

  it.each(losses)('says so while it is served, and makes none anew: the folder %s', async (_, lose) => {
    const data = await temporaryFolder();
    const registry = await open({ data });
    const call = async (method: string, path: string) => {
      const headers = { authorization: `Bearer ${registry.adminToken}` };
      const body = method === 'POST' ? { body: '{}' } : {};
      return registry.fetch(new Request(`http://registry.test${path}`, { method, headers, ...body }));
    };
    await call('POST', '/create/p');
    expect((await call('GET', '/healthz')).status).toBe(200);
    await lose(data);
    const calls = [
      ['GET', '/healthz'],
      ['GET', '/file/p%2F..quota'],
      ['POST', '/create/q'],
    ] as const;
    for (const [method, path] of calls) {
      const answer = await call(method, path);
      expect({ path, status: answer.status }).toEqual({ path, status: 503 });
      expect(await answer.text()).not.toContain(data);
    }
    await expect((await call('GET', '/list')).text()).rejects.toThrow();
    await rm(join(data, 'objects'), { recursive: true, force: true });
    await rename(join(data, 'objects.elsewhere'), join(data, 'objects'));
    expect((await call('GET', '/healthz')).status).toBe(200);
    expect((await call('GET', '/file/p%2F..quota')).status).toBe(200);
    expect((await call('GET', '/file/q%2F..quota')).status).toBe(404);
  });

  it('is another one than one that has had its last object removed', async () => {
    const data = await temporaryFolder();
    const registry = await open({ data });
    const headers = { authorization: `Bearer ${registry.adminToken}` };
    const call = async (method: string, path: string) =>
      (await registry.fetch(new Request(`http://registry.test${path}`, { method, headers }))).status;
    expect(await call('POST', '/create/p')).toBe(400);
    expect(await call('DELETE', '/remove/p')).toBe(200);
    await registry.sweep({ now: Date.now() + 30 * 24 * 60 * 60 * 1000 });
    expect(pathsBelow(join(data, 'objects'))).toEqual(['..logs']);
    await registry.close();
    await open({ data });
  });

  it('is none that a bucket held: its folder comes without what is empty', async () => {
    const data = await temporaryFolder();
    await mkdir(join(data, 'objects/p'), { recursive: true });
    await writeFile(join(data, 'objects/p/..quota'), '{}');
    await open({ data });
  });
});

it.each(['', 'short', 'x'.repeat(64), '0'.repeat(63)])(
  'refuses a damaged secret (%j) and damaged tokens',
  async (text) => {
    const data = await temporaryFolder();
    await (await open({ data })).close();
    const secret = await readFile(join(data, 'secret'), 'utf8');
    await writeFile(join(data, 'secret'), text);
    await expect(openRegistry({ data })).rejects.toMatchObject({
      code: 'wrong-content',
      message: expect.stringContaining(join(data, 'secret')),
      hint: expect.stringContaining('backup'),
    });
    expect(await readFile(join(data, 'secret'), 'utf8')).toBe(text);
    await writeFile(join(data, 'secret'), `${secret}\n`);
    await writeFile(join(data, 'tokens.json'), text);
    await expect(openRegistry({ data })).rejects.toThrow(`The token file ${join(data, 'tokens.json')} is damaged`);
  },
);

describe.skipIf(process.platform === 'win32')('a folder', () => {
  it('that is made is its owner’s alone, and one that is there stays as it is', async () => {
    const parent = await temporaryFolder();
    await open({ data: join(parent, 'new') });
    expect((await stat(join(parent, 'new'))).mode & 0o777).toBe(0o700);
    await mkdir(join(parent, 'group'));
    await chmod(join(parent, 'group'), 0o2770);
    await open({ data: join(parent, 'group') });
    expect((await stat(join(parent, 'group'))).mode & 0o7777).toBe(0o2770);
  });

  it('cannot be made where a file is', async () => {
    const parent = await temporaryFolder();
    await writeFile(join(parent, 'file'), '');
    await symlink('nowhere', join(parent, 'dangling'));
    for (const data of ['file', 'file/reg', 'dangling', 'dangling/reg']) {
      await expect(openRegistry({ data: join(parent, data) }), data).rejects.toMatchObject({
        code: 'destination-refused',
        message: expect.stringContaining(join(parent, data)),
      });
    }
  });
});

it.skipIf(process.platform === 'win32')('keeps what is secret from other users', async () => {
  const data = await temporaryFolder();
  await open({ data });
  for (const name of ['admin-token', 'tokens.json', 'secret']) {
    expect((await stat(join(data, name))).mode & 0o777).toBe(0o600);
  }
});

it('makes no token where another identity is given', async () => {
  const data = await temporaryFolder();
  const registry = await open({ data, identity: { identify: async () => undefined } });
  expect(registry.adminToken).toBeUndefined();
  await expect(stat(join(data, 'tokens.json'))).rejects.toThrow(/ENOENT/);
});

it('refuses a folder that is open, until it is closed', async () => {
  const data = await temporaryFolder();
  const first = await open({ data });
  await expect(openRegistry({ data })).rejects.toMatchObject({ code: 'in-use' });
  await first.close();
  await open({ data });
});

it('keeps its folder until all requests have been answered, whoever still waits for that', async () => {
  const data = await temporaryFolder();
  let goOn = () => {};
  const asked = new Promise<void>((arrive) => {
    goOn = arrive;
  });
  const identify = async (token: string) => {
    await asked;
    return namesAsTokens.identify(token);
  };
  const registry = await openRegistry({ data, identity: { ...namesAsTokens, identify } });
  const body = JSON.stringify({ permissions: { owners: ['owner'] } });
  const headers = { authorization: 'Bearer admin' };
  const answer = registry.fetch(new Request('http://registry.test/create/p', { method: 'POST', headers, body }));
  const closed = registry.close();
  await expect(openRegistry({ data })).rejects.toMatchObject({ code: 'in-use' });
  goOn();
  await closed;
  expect((await answer).status).toBe(200);
  expect(await readdir(join(data, 'objects/p'))).toContain('..permissions');
  await (await open({ data })).close();
});

it('takes over a folder whose process was killed', async () => {
  const data = await temporaryFolder();
  await mkdir(join(data, 'lock'));
  const past = new Date(Date.now() - 60_000);
  await utimes(join(data, 'lock'), past, past);
  await open({ data });
});

it('stops when it has lost its folder', async () => {
  const data = await temporaryFolder();
  const registry = await open({ data });
  await rm(join(data, 'lock'), { recursive: true });
  const status = async () => (await registry.fetch(new Request('http://registry.test/list'))).status;
  await expect.poll(status, { timeout: 20_000 }).toBe(503);
  await registry.close();
});

it('clears nothing away in a folder that it has lost', async () => {
  const data = await temporaryFolder();
  const swept: Swept[] = [];
  const registry = await open({ data, sessionTtl: 2, onSwept: (found) => swept.push(found) });
  const status = async () => (await registry.fetch(new Request('http://registry.test/list'))).status;
  const leaveOldLog = async () => {
    await mkdir(join(data, 'objects', '..logs'), { recursive: true });
    await writeFile(join(data, 'objects', '..logs', '2000-01-01T00:00:00.000Z_000001'), '{}');
  };
  await leaveOldLog();
  await expect.poll(() => swept.length).toBe(1);
  await rm(join(data, 'lock'), { recursive: true });
  await expect.poll(status, { timeout: 20_000 }).toBe(503);
  await leaveOldLog();
  // It would be swept every other millisecond.
  await setTimeout(100);
  expect(swept).toHaveLength(1);
});

it('knows a token from the moment that it is in the file to that in which it is out', async () => {
  const file = join(await temporaryFolder(), 'tokens.json');
  const identity = tokenFileIdentity(file);
  const { token, record } = createToken('alice');
  expect(await identity.identify(token)).toBeUndefined();
  await writeTokens(file, [record]);
  expect(await identity.identify(token)).toEqual({ id: 'alice', organizations: [], admin: false });
  expect(await identity.identify(`${token}x`)).toBeUndefined();
  expect(await identity.identify(record.sha256)).toBeUndefined();
  expect(await readTokens(file)).toEqual([record]);
  const expired = createToken('bob', { expiresAt: new Date(Date.now() - 1000) });
  await writeTokens(file, [expired.record]);
  expect(await identity.identify(expired.token)).toBeUndefined();
  expect(await identity.identify(token)).toBeUndefined();
});

it('refuses a folder that holds somebody’s data, and writes nothing there', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'data.csv'), 'mine');
  await expect(openRegistry({ data: folder })).rejects.toMatchObject({
    code: 'destination-refused',
    message: expect.stringContaining('"data.csv"'),
  });
  expect(await readdir(folder)).toEqual(['data.csv']);
});
