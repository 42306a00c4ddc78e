import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bytes, type Fault, status } from '../../mocks/index.ts';
import { createRig } from '../helpers/rig.ts';

/** Hides what the registry can do, as the public one has nothing to say of it. */
const silent: Fault = async (_request, next) => {
  const response = await next();
  const headers = new Headers(response.headers);
  headers.delete('gypsum-features');
  return new Response(response.body, { status: response.status, headers });
};

/** A stand-in for GitHub that knows one token. */
async function startGitHub(body = '{"login":"octocat","id":1}') {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const known = request.headers.authorization === 'Bearer ghp_known';
    response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
    response.end(known ? body : '{"message":"Bad credentials","status":"401"}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

describe('whose token it is', () => {
  it('is what the registry says, if it says that it knows', async () => {
    const { client, connect, registry } = await createRig();
    const github = await startGitHub();
    expect(await client.whoAmI()).toEqual({ id: 'admin', admin: true });
    const alice = connect({ token: await registry.addUser('alice'), githubUrl: github.url });
    expect(await alice.whoAmI()).toEqual({ id: 'alice', admin: false });
    expect(github.requests).toEqual([]);
  });

  it('is what GitHub says, if the registry does not', async () => {
    const { connect, registry } = await createRig();
    registry.inject(silent);
    const github = await startGitHub();
    expect(await connect({ token: 'ghp_known', githubUrl: github.url }).whoAmI()).toEqual({ id: 'octocat' });
    expect(github.requests.map(({ url, method }) => `${method} ${url}`)).toEqual(['GET /user']);
    expect(registry.count({ route: 'whoami' })).toBe(0);
    const enterprise = connect({ token: 'ghp_known', githubUrl: `${github.url}/api/v3/` });
    await enterprise.whoAmI();
    expect(github.requests.at(-1)?.url).toBe('/api/v3/user');
  });

  it('is nobody’s without a token, and nobody is asked', async () => {
    const { connect, registry } = await createRig();
    await expect(connect({ token: undefined }).whoAmI()).rejects.toMatchObject({
      code: 'unauthorized',
      hint: expect.stringContaining('gypsum login'),
    });
    expect(registry.calls).toEqual([]);
  });

  it('is nobody’s if the registry, or GitHub, does not know it', async () => {
    const { connect, registry } = await createRig();
    const github = await startGitHub();
    const unknown = connect({ token: 'ghp_unknown', githubUrl: github.url });
    await expect(unknown.whoAmI()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(github.requests).toEqual([]);
    registry.inject(silent);
    await expect(unknown.whoAmI()).rejects.toMatchObject({
      code: 'unauthorized',
      message: 'GitHub does not know the token.',
    });
  });

  it('is not asked of GitHub for a token that a registry made, whatever hides what that one can do', async () => {
    const { client, connect, registry } = await createRig();
    expect(client.context.registry.hasToken).toBe(true);
    const github = await startGitHub();
    registry.inject(silent);
    await expect(connect({ githubUrl: github.url }).whoAmI()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(github.requests).toEqual([]);
  });

  it.each<[string, Fault, string]>([
    ['is away', status(503), 'unavailable'],
    ['is no registry', bytes('<html>'), 'invalid-response'],
    ['sends requests to where nobody is', status(302, { location: 'http://127.0.0.1:1/' }), 'unavailable'],
    ['sends requests nowhere', status(302), 'invalid-response'],
  ])('is not asked of GitHub when the registry %s', async (_name, fault, code) => {
    const { connect, registry } = await createRig();
    const github = await startGitHub();
    registry.inject(fault, { route: 'list' });
    const client = connect({ token: 'ghp_known', githubUrl: github.url, retries: 1 });
    await expect(client.whoAmI()).rejects.toMatchObject({ code });
    expect(github.requests).toEqual([]);
  });

  it('is unknown if the answer says nothing of it', async () => {
    const { client, connect, registry } = await createRig();
    registry.inject(bytes('{"id": 3}'), { route: 'whoami' });
    await expect(client.whoAmI()).rejects.toMatchObject({ code: 'invalid-response' });
    registry.inject(silent);
    const github = await startGitHub('{"name":"x"}');
    const other = connect({ token: 'ghp_known', githubUrl: github.url });
    await expect(other.whoAmI()).rejects.toMatchObject({ code: 'invalid-response' });
  });

  it('is not found out once it is stopped', async () => {
    const { client } = await createRig();
    const reason = new Error('enough');
    await expect(client.whoAmI({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
