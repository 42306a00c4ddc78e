import { dirname, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { describe, expect, it } from 'vitest';
import { configFromEnvironment, defaultCacheDir, defaultDataDir, PUBLIC_REGISTRY } from '../src/config.ts';
import { createContext } from '../src/context.ts';

/** The R and Python clients' folder. */
const shared = envPaths('gypsum', { suffix: '' }).cache;
const other = 'http://127.0.0.1:8080';

describe("a user's settings", () => {
  it('are the public registry and the folder that its other clients use', () => {
    expect(configFromEnvironment({}, {})).toEqual({ url: PUBLIC_REGISTRY, cacheDir: shared });
  });

  it('come from the environment', () => {
    const environment = { GYPSUM_URL: other, GYPSUM_CACHE_DIR: '/tmp/cache', GYPSUM_TOKEN: 'secret' };
    expect(configFromEnvironment({}, environment)).toEqual({ url: other, cacheDir: '/tmp/cache', token: 'secret' });
  });

  it('are what is given, whatever the environment says', () => {
    const environment = { GYPSUM_URL: other, GYPSUM_CACHE_DIR: '/tmp/cache', GYPSUM_TOKEN: 'secret' };
    const given = { url: 'https://example.org', cacheDir: '/my/cache', token: 'mine' };
    expect(configFromEnvironment(given, environment)).toEqual(given);
  });

  it('are not set where the environment has them empty', () => {
    const environment = { GYPSUM_URL: '', GYPSUM_CACHE_DIR: '', GYPSUM_TOKEN: '' };
    expect(configFromEnvironment({}, environment)).toEqual({ url: PUBLIC_REGISTRY, cacheDir: shared });
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
