import { dirname, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { describe, expect, it } from 'vitest';
import { configFromEnvironment, defaultCacheDir, defaultDataDir, PUBLIC_REGISTRY } from '../src/config.ts';
import { createContext } from '../src/context.ts';
import { layOut } from './helpers/files.ts';
import { tempFolder } from './helpers/temp-folder.ts';

/** The R and Python clients' folder. */
const shared = envPaths('gypsum', { suffix: '' }).cache;
/** Where uploads are written down. */
const stateDir = envPaths('gypsum', { suffix: '' }).log;
const other = 'http://127.0.0.1:8080';

describe("a user's settings", () => {
  it('are the public registry and the folder that its other clients use', () => {
    expect(configFromEnvironment({}, {})).toEqual({ url: PUBLIC_REGISTRY, cacheDir: shared, stateDir });
  });

  it('come from the environment', () => {
    const environment = {
      GYPSUM_URL: other,
      GYPSUM_CACHE_DIR: '/tmp/cache',
      GYPSUM_STATE_DIR: '/tmp/state',
      GYPSUM_TOKEN: 'secret',
    };
    expect(configFromEnvironment({}, environment)).toEqual({
      url: other,
      cacheDir: '/tmp/cache',
      stateDir: '/tmp/state',
      token: 'secret',
    });
  });

  it('are what is given, whatever the environment says', () => {
    const environment = {
      GYPSUM_URL: other,
      GYPSUM_CACHE_DIR: '/tmp/cache',
      GYPSUM_STATE_DIR: '/tmp/state',
      GYPSUM_TOKEN: 'secret',
    };
    const given = { url: 'https://example.org', cacheDir: '/my/cache', stateDir: '/my/state', token: 'mine' };
    expect(configFromEnvironment(given, environment)).toEqual(given);
  });

  it('are not set where the environment has them empty', () => {
    const environment = { GYPSUM_URL: '', GYPSUM_CACHE_DIR: '', GYPSUM_STATE_DIR: '', GYPSUM_TOKEN: '' };
    expect(configFromEnvironment({}, environment)).toEqual({ url: PUBLIC_REGISTRY, cacheDir: shared, stateDir });
  });

  it.each([
    ['1', true],
    ['TRUE', true],
    ['0', false],
    ['off', false],
    ['', undefined],
  ])('say of a new cache whether it is shared: GYPSUM_SHARED=%s', (text, expected) => {
    expect(configFromEnvironment({}, { GYPSUM_SHARED: text }).shared).toBe(expected);
    expect(configFromEnvironment({ shared: true }, { GYPSUM_SHARED: text }).shared).toBe(true);
  });

  it('are refused where it is neither said that a new cache is shared nor that it is not', () => {
    expect(() => configFromEnvironment({}, { GYPSUM_SHARED: 'maybe' })).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: 'GYPSUM_SHARED is neither on nor off.' }),
    );
  });

  it('have an absolute cache folder', () => {
    expect(configFromEnvironment({}, { GYPSUM_CACHE_DIR: 'cache' }).cacheDir).toBe(resolve('cache'));
    expect(configFromEnvironment({ cacheDir: './mine' }, {}).cacheDir).toBe(resolve('mine'));
  });

  it.each([{ cacheDir: '' }, { url: '' }, { token: '' }])('are refused where they are given empty: %j', (given) => {
    expect(() => createContext(configFromEnvironment(given, {}))).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });
});

describe('the proxies of an environment', () => {
  const proxies = (environment: NodeJS.ProcessEnv) => {
    const { url: _url, cacheDir: _cacheDir, stateDir: _stateDir, ...rest } = configFromEnvironment({}, environment);
    return rest;
  };
  const here = 'localhost,127.0.0.1,[::1]';

  it('are taken in lower case before upper case, with or without a scheme', () => {
    const environment = { https_proxy: 'lower:1', HTTPS_PROXY: 'http://upper', HTTP_PROXY: 'https://me:it@secure' };
    expect(proxies(environment)).toEqual({
      httpsProxy: 'http://lower:1',
      httpProxy: 'https://me:it@secure',
      noProxy: `${here},`,
    });
    expect(proxies({ https_proxy: '', HTTPS_PROXY: 'http://upper' })).toMatchObject({ httpsProxy: 'http://upper' });
  });

  it('are never asked for what is on this machine', () => {
    expect(proxies({ http_proxy: 'p', NO_PROXY: '.lab.org' }).noProxy).toBe(`${here},.lab.org`);
    expect(proxies({ http_proxy: 'p', no_proxy: ' * ', NO_PROXY: '.lab.org' }).noProxy).toBe('*');
  });

  it('are none where none is named, and those that are given where some are', () => {
    expect(proxies({ NO_PROXY: '.lab.org', HTTP_PROXY: '' })).toEqual({});
    const given = { httpsProxy: 'http://mine', noProxy: 'b' };
    const environment = { HTTPS_PROXY: 'http://set', NO_PROXY: 'a' };
    expect(configFromEnvironment(given, environment)).toMatchObject(given);
  });
});

describe('a file of certificates', () => {
  it('is named by the environment or the config file, and read', async () => {
    const folder = await tempFolder();
    layOut(folder, { 'ca.pem': 'from the file', 'config.json': JSON.stringify({ ca: join(folder, 'ca.pem') }) });
    expect(configFromEnvironment({}, { GYPSUM_CONFIG_DIR: folder }).ca).toBe('from the file');
    layOut(folder, { 'other.pem': 'from another' });
    const environment = { GYPSUM_CONFIG_DIR: folder, GYPSUM_CA_FILE: join(folder, 'other.pem') };
    expect(configFromEnvironment({}, environment).ca).toBe('from another');
    expect(configFromEnvironment({ ca: 'given' }, environment).ca).toBe('given');
  });

  it('that is not there is told of, with what names it', async () => {
    const folder = await tempFolder();
    for (const path of [folder, join(folder, 'nothing')]) {
      expect(() => configFromEnvironment({}, { GYPSUM_CA_FILE: path })).toThrow(
        expect.objectContaining({ code: 'invalid-argument', hint: expect.stringContaining('GYPSUM_CA_FILE') }),
      );
    }
  });
});

describe('the default cache folder', () => {
  it.each([PUBLIC_REGISTRY, `${PUBLIC_REGISTRY}/`, 'HTTPS://Gypsum.ArtifactDB.com//'])('of %s is shared', (url) => {
    expect(defaultCacheDir(url)).toBe(shared);
  });

  it('of any other registry is its own, beside the shared one', () => {
    const urls = [
      other,
      'http://127.0.0.1:8081',
      'https://127.0.0.1:8080',
      'http://127.0.0.1:8080/sub',
      'http://gypsum.artifactdb.com',
      'https://gypsum.artifactdb.com.example.org',
      `https://${'long.'.repeat(100)}org/a`,
      `https://${'long.'.repeat(100)}org/b`,
      'https://a/../../..',
    ];
    const folders = urls.map(defaultCacheDir);
    expect(new Set([...folders, shared]).size).toBe(urls.length + 1);
    for (const folder of folders) {
      expect(dirname(folder)).toBe(dirname(shared));
      expect(folder).toBe(join(folder));
      expect(folder.length - dirname(shared).length).toBeLessThan(120);
    }
  });

  it('is the same however the URL of one registry is written', () => {
    expect(defaultCacheDir(`${other}/`)).toBe(defaultCacheDir(other));
    expect(defaultCacheDir('http://Example.ORG')).toBe(defaultCacheDir('http://example.org'));
  });
});

it("the embedded registry's default folder is not in the cache", () => {
  expect(defaultDataDir()).toBe(join(envPaths('gypsum', { suffix: '' }).data, 'registry'));
});
