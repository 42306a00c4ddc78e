import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCache } from '../../src/cache/cache.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const URL = 'http://127.0.0.1:8080';
const OTHER = 'http://127.0.0.1:8081';
const ref = { project: 'p', asset: 'a', version: 'v' };
const mismatch = expect.objectContaining({ code: 'cache-mismatch', hint: expect.any(String) });

async function open(url = URL) {
  const root = join(await tempFolder(), 'deep/cache');
  return { root, cache: createCache(root, url) };
}

describe('a cache folder', () => {
  it('is made when it is opened, marked as a cache, and only looked at when it is checked', async () => {
    const { root, cache } = await open();
    await cache.check();
    expect(existsSync(root)).toBe(false);
    await cache.open();
    expect(readFileSync(join(root, 'CACHEDIR.TAG'), 'utf8')).toMatch(/^Signature: 8a477f597d28d172789f06886806bc55\n/);
    await cache.open();
    await createCache(root, URL).open();
  });

  it('is refused for another registry, and left as it is', async () => {
    const { root, cache } = await open();
    await cache.open();
    const other = createCache(root, OTHER);
    await expect(other.check()).rejects.toEqual(mismatch);
    await expect(other.open()).rejects.toEqual(mismatch);
    await expect(other.writeRecord(ref, 'summary', Buffer.from('{}'))).rejects.toEqual(mismatch);
    expect(await cache.readRecord(ref, 'summary')).toBeUndefined();
    await cache.check();
  });

  it('that other clients have filled is taken over, with what it holds', async () => {
    const { root, cache } = await open();
    mkdirSync(join(root, 'bucket/p'), { recursive: true });
    writeFileSync(join(root, 'bucket/p/theirs'), 'text');
    await cache.open();
    expect(readFileSync(join(root, 'bucket/p/theirs'), 'utf8')).toBe('text');
    await expect(createCache(root, OTHER).open()).rejects.toEqual(mismatch);
  });

  it.each(['', '{', 'null', '{"url":7}'])('is refused where its mark is damaged: %j', async (damaged) => {
    const { cache } = await open();
    await cache.open();
    writeFileSync(cache.layout.registry, damaged);
    await expect(cache.check()).rejects.toMatchObject({
      code: 'cache-mismatch',
      hint: expect.stringContaining(cache.layout.registry),
    });
  });

  it('is opened by many at once', async () => {
    const { root } = await open();
    await Promise.all(Array.from({ length: 8 }, () => createCache(root, URL).open()));
    await createCache(root, URL).check();
  });
});

describe('the documents of a version', () => {
  it('are remembered as they were sent, for us and for the other clients', async () => {
    const { root, cache } = await open();
    expect(await cache.readRecord(ref, 'manifest')).toBeUndefined();
    await cache.writeRecord(ref, 'manifest', Buffer.from('{ "é": 1 }'));
    expect(String(await cache.readRecord(ref, 'manifest'))).toBe('{ "é": 1 }');
    expect(await cache.readRecord(ref, 'summary')).toBeUndefined();
    expect(readFileSync(join(root, 'bucket/p/a/v/..manifest'), 'utf8')).toBe('{ "é": 1 }');
    expect(existsSync(join(root, 'CACHEDIR.TAG'))).toBe(true);
  });

  it('stay what they are, whatever is written into the other clients’ files', async () => {
    const { root, cache } = await open();
    await cache.writeRecord(ref, 'manifest', Buffer.from('{}'));
    writeFileSync(join(root, 'bucket/p/a/v/..manifest'), '{"forged":1}');
    expect(String(await cache.readRecord(ref, 'manifest'))).toBe('{}');
  });

  it('replace what the other clients had', async () => {
    const { root, cache } = await open();
    const theirs = join(root, 'bucket/p/a/v/..summary');
    mkdirSync(dirname(theirs), { recursive: true });
    writeFileSync(theirs, 'old');
    await cache.writeRecord(ref, 'summary', Buffer.from('new'));
    expect(readFileSync(theirs, 'utf8')).toBe('new');
  });

  it('say that all files are there, once', async () => {
    const { root, cache } = await open();
    for (const name of ['summary', 'manifest'] as const) await cache.writeRecord(ref, name, Buffer.from('{}'));
    const file = { ...ref, path: 'x' };
    writeFileSync(cache.layout.file(file), 'x');
    await cache.markComplete(ref, [file]);
    const mark = join(root, 'status/p/a/v/COMPLETE');
    const { ino } = statSync(mark);
    await cache.markComplete(ref, [file]);
    expect(statSync(mark).ino).toBe(ino);
    rmSync(mark);
    await cache.markComplete(ref, [file]);
    expect(existsSync(mark)).toBe(true);
  });

  it('do not say so any longer if one has gone by then', async () => {
    const { root, cache } = await open();
    for (const name of ['summary', 'manifest'] as const) await cache.writeRecord(ref, name, Buffer.from('{}'));
    await cache.markComplete(ref, [{ ...ref, path: 'x' }]);
    expect(existsSync(join(root, 'status/p/a/v/COMPLETE'))).toBe(false);
  });
});

it('a version that Windows cannot hold is refused there, before anything is read or written', async () => {
  const root = await tempFolder();
  const ref = { project: 'p', asset: 'a:b', version: 'v' };
  const refused = { code: 'destination-refused', message: 'Windows cannot hold p/a:b/v: it has a name with ":".' };
  const cache = createCache(root, URL, { platform: 'win32' });
  await expect(cache.readRecord(ref, 'manifest')).rejects.toMatchObject(refused);
  await expect(cache.writeRecord(ref, 'manifest', Buffer.of())).rejects.toMatchObject(refused);
  expect(readdirSync(root)).toEqual([]);
  expect(await createCache(root, URL, { platform: 'linux' }).readRecord(ref, 'manifest')).toBeUndefined();
});
