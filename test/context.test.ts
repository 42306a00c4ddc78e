import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ContextOptions, createContext } from '../src/context.ts';
import { isGypsumError } from '../src/errors.ts';
import { tempFolder } from './helpers/temp-folder.ts';

const options = { url: 'http://127.0.0.1:9/', cacheDir: '/cache' };

it('a context knows its registry and its cache, and has touched neither', async () => {
  const cacheDir = join(await tempFolder(), 'cache');
  const ctx = createContext({ ...options, cacheDir });
  expect(ctx.registry.url).toBe('http://127.0.0.1:9');
  expect(ctx.registry.hasToken).toBe(false);
  expect(ctx.cache.layout.root).toBe(cacheDir);
  expect(ctx.concurrency).toBe(16);
  expect(existsSync(cacheDir)).toBe(false);
  await ctx.registry.close();
});

it.each<[string, ContextOptions, RegExp]>([
  ['no URL', { cacheDir: '/cache' }, /"url"/],
  ['no cache folder', { url: options.url }, /"cacheDir"/],
  ['a URL that is none', { ...options, url: 'gypsum' }, /URL/],
  ['the URL of another protocol', { ...options, url: 'ftp://example.org' }, /URL/],
  ['a URL that is a script', { ...options, url: 'javascript:alert(1)' }, /URL/],
  ['a URL with a user', { ...options, url: 'http://me:secret@example.org' }, /URL/],
  ['a URL with a query', { ...options, url: 'http://example.org/?a=b' }, /URL/],
  ['a URL with an empty query', { ...options, url: 'http://example.org/?' }, /URL/],
  ['a URL with an empty fragment', { ...options, url: 'http://example.org/#' }, /URL/],
  ['a URL with a fragment', { ...options, url: 'http://example.org/#a' }, /URL/],
  ['a relative cache folder', { ...options, cacheDir: 'cache' }, /absolute/],
  ['an empty cache folder', { ...options, cacheDir: '' }, /absolute/],
  ['a cache folder with NUL', { ...options, cacheDir: '/a\0b' }, /absolute/],
  ['a cache folder whose name is not UTF-8', { ...options, cacheDir: '/a\udcff' }, /UTF-8/],
  ['a relative state folder', { ...options, stateDir: 'state' }, /absolute/],
  ['no transfers at once', { ...options, concurrency: 0 }, /concurrency/],
  ['a part of a transfer at once', { ...options, concurrency: 1.5 }, /concurrency/],
  ['thousands of transfers at once', { ...options, concurrency: 5000 }, /concurrency/],
  ['an empty token', { ...options, token: '' }, /token/],
  ['a token with a line end', { ...options, token: 'abc\n' }, /token/],
  ['a token with a header in it', { ...options, token: 'abc\r\nX-Evil: 1' }, /token/],
  ['a negative number of retries', { ...options, retries: -1 }, /retries/],
  ['retries that are no number', { ...options, retries: Number.NaN }, /retries/],
  ['a delay that is no number', { ...options, retryDelay: Number.NaN }, /retryDelay/],
  ['a negative timeout', { ...options, timeout: -1 }, /timeout/],
])('a context is refused with %s', (_what, wrong, message) => {
  const error = thrownBy(() => createContext(wrong));
  expect(isGypsumError(error, 'invalid-argument')).toBe(true);
  expect(error).toMatchObject({ message: expect.stringMatching(message), hint: expect.any(String) });
  expect(String(error)).not.toMatch(/secret|abc/);
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
