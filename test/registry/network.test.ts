import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createContext } from '../../src/context.ts';
import { configFromEnvironment, createClient } from '../../src/index.ts';
import { createRegistryClient, type RegistryOptions } from '../../src/registry/client.ts';
import { VERSION } from '../../src/version.ts';
import { hasOpenssl, makeCertificate, serveTls } from '../helpers/certificate.ts';
import { layOut } from '../helpers/files.ts';
import { json, serve } from '../helpers/loopback.ts';
import { startProxy } from '../helpers/proxy.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

if (!hasOpenssl) process.stdout.write('TLS is not tested: there is no "openssl" to make a certificate.\n');

function open(url: string, options: Partial<RegistryOptions> = {}) {
  const registry = createRegistryClient({ url, token: 'the-token', userAgent: 'test/1', retries: 0, ...options });
  onTestFinished(() => registry.close());
  return registry;
}

/** The URL of a server at a name that nobody but the proxy knows. */
const named = (url: string, name = 'registry.test') => url.replace('127.0.0.1', name);

/** Gives the port of a server that takes connections and says nothing. */
async function keepSilent(): Promise<number> {
  const server = createTcpServer((socket) => void socket.on('error', () => {}));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('a proxy', () => {
  it('is asked for http URLs as a whole, and passes on all that is sent', async () => {
    const proxy = await startProxy();
    const server = await serve(json(['p/']));
    const registry = open(named(server.url), { httpProxy: proxy.url });
    expect(await registry.list('')).toEqual(['p/']);
    await registry.send({ what: 'Doing it', method: 'POST', to: '/create/p', document: { a: 1 } });
    expect(proxy.asked).toEqual([`GET ${named(server.url)}/list`, `POST ${named(server.url)}/create/p`]);
    expect(server.requests).toMatchObject([
      { url: '/list', headers: { host: named(server.url).slice('http://'.length), 'user-agent': 'test/1' } },
      { url: '/create/p', body: '{"a":1}', headers: { authorization: 'Bearer the-token' } },
    ]);
  });

  it('is told its own user and password, which nobody else is', async () => {
    const proxy = await startProxy();
    const server = await serve(json([]));
    await open(named(server.url), { httpProxy: proxy.url.replace('//', '//me:p%40ss@') }).list('');
    expect(proxy.credentials).toEqual([`Basic ${Buffer.from('me:p@ss').toString('base64')}`]);
  });

  it.each([
    ['registry.test', []],
    ['.test', []],
    ['*', []],
    ['example.org, registry.test', []],
    ['other.test', ['GET']],
    ['', ['GET']],
  ])('is not asked for what is to go without one (%j)', async (noProxy, methods) => {
    const proxy = await startProxy();
    const server = await serve(json([]));
    const asking = open(named(server.url), { httpProxy: proxy.url, noProxy }).list('');
    // Nobody but the proxy knows this name.
    if (methods.length === 0) await expect(asking).rejects.toMatchObject({ code: 'unavailable' });
    else await asking;
    expect(proxy.asked.map((asked) => asked.split(' ')[0])).toEqual(methods);
  });

  it('that wants to know who asks is told of', async () => {
    const proxy = await startProxy();
    proxy.refuseWith = 407;
    const refused = { code: 'unavailable', hint: expect.stringContaining('Check the proxy') };
    for (const scheme of ['http', 'https']) {
      const options = { httpProxy: proxy.url.replace('//', '//me:a-password@') };
      const failure: unknown = await open(`${scheme}://registry.test`, options)
        .list('')
        .catch((error: unknown) => error);
      expect(failure).toMatchObject(refused);
      expect(String(failure) + JSON.stringify(failure)).not.toContain('a-password');
    }
    expect(proxy.asked).toEqual(['GET http://registry.test/list', 'CONNECT registry.test:443']);
  });

  it.each(['http', 'https'])('that keeps silent is given up like a registry that does (%s)', async (scheme) => {
    const httpProxy = `http://127.0.0.1:${await keepSilent()}`;
    const asking = open(`${scheme}://registry.test`, { httpProxy, timeout: 20 }).list('');
    await expect(asking).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each(['proxy:3128', 'socks5://user:secret@proxy', 'http://', ''])('cannot be %j', (httpsProxy) => {
    const making = () => open('https://registry.test', { httpsProxy });
    expect(making).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(making).not.toThrow('secret');
  });

  it('is none where none is given, whatever the environment says', async () => {
    const proxy = await startProxy();
    const before = { ...process.env };
    process.env.HTTP_PROXY = proxy.url;
    process.env.https_proxy = proxy.url;
    process.env.NO_PROXY = '*';
    onTestFinished(() => {
      process.env = before;
    });
    const server = await serve(json([]));
    await open(server.url).list('');
    await open(server.url, { httpsProxy: proxy.url }).list('');
    expect(proxy.asked).toEqual([]);
    await open(named(server.url), { httpProxy: proxy.url }).list('');
    expect(proxy.asked).toHaveLength(1);
  });
});

describe.runIf(hasOpenssl)('TLS', () => {
  it('trusts authorities that are given, and no others', async () => {
    const { url, cert } = await serveTls(json(['p/']));
    expect(await open(url, { ca: cert }).list('')).toEqual(['p/']);
    const { cert: other } = await makeCertificate();
    for (const options of [{}, { ca: other }]) {
      await expect(open(url, options).list('')).rejects.toMatchObject({
        code: 'unavailable',
        hint: expect.stringContaining('GYPSUM_CA_FILE'),
      });
    }
    expect(await open(url, { ca: `two of them\n${other}\n${cert}` }).list('')).toEqual(['p/']);
  });

  it('goes through a tunnel of a proxy, of which it is not told what', async () => {
    const { url, cert } = await serveTls(json(['p/']));
    const proxy = await startProxy();
    const other = await startProxy();
    const registry = open(named(url), { httpsProxy: proxy.url, httpProxy: other.url, ca: cert });
    expect(await registry.list('')).toEqual(['p/']);
    expect(proxy.asked).toEqual([`CONNECT ${named(url).slice('https://'.length)}`]);
    expect(other.asked).toEqual([]);
    await expect(open(named(url), { httpsProxy: proxy.url }).list('')).rejects.toMatchObject({ code: 'unavailable' });
    const wrongName = open(named(url, 'other.test'), { httpsProxy: proxy.url, ca: cert });
    await expect(wrongName.list('')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('and proxies of a user are used by the client that is made of their settings', async () => {
    const { url, cert } = await serveTls(json(['p/']));
    const proxy = await startProxy();
    const folder = await tempFolder();
    layOut(folder, { 'ca.pem': cert });
    const environment = {
      GYPSUM_URL: named(url),
      GYPSUM_CONFIG_DIR: folder,
      GYPSUM_CA_FILE: join(folder, 'ca.pem'),
      HTTPS_PROXY: proxy.url,
    };
    const list = async (variables: NodeJS.ProcessEnv) => {
      const config = configFromEnvironment({ cacheDir: join(folder, 'cache') }, variables);
      const client = createClient({ ...config, retries: 0 });
      onTestFinished(() => client.close());
      return client.listProjects();
    };
    expect(await list(environment)).toEqual(['p']);
    await expect(list({ ...environment, NO_PROXY: 'registry.test' })).rejects.toMatchObject({ code: 'unavailable' });
    expect(proxy.asked).toHaveLength(1);
    await expect(list({ ...environment, GYPSUM_CA_FILE: '' })).rejects.toMatchObject({ code: 'unavailable' });
    expect(proxy.asked).toHaveLength(2);
    const here = { ...environment, GYPSUM_URL: url };
    expect(await list(here)).toEqual(['p']);
    expect(proxy.asked).toHaveLength(2);
  });

  it('is never left for http by a redirect', async () => {
    const plain = await serve(json([]));
    const { url, cert } = await serveTls((response) => {
      response.writeHead(302, { location: `${plain.url}/list` }).end();
    });
    await expect(open(url, { ca: cert }).list('')).rejects.toMatchObject({ code: 'invalid-response' });
    expect(plain.requests).toEqual([]);
  });

  it.each(['', 'no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'needs certificates that are some (%j)',
    (ca) => {
      expect(() => open('https://registry.test', { ca })).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      );
    },
  );
});

it('a registry with which no connection comes about in time is given up', async () => {
  const asking = open(`https://127.0.0.1:${await keepSilent()}`, { timeout: 20 }).list('');
  await expect(asking).rejects.toMatchObject({
    code: 'unavailable',
    cause: { message: expect.stringMatching(/Connect Timeout Error .*timeout: 20ms/) },
  });
});

it('whoever is asked is told by which version of this package', async () => {
  const server = await serve(json([]));
  const context = createContext({ url: server.url, cacheDir: '/nonexistent' });
  onTestFinished(() => context.registry.close());
  await context.registry.list('');
  expect(server.requests[0]?.headers['user-agent']).toBe(`gypsum-client/${VERSION}`);
});
