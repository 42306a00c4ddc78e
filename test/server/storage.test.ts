import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diskStorage, memoryStorage, type Storage } from '../../src/server/index.ts';
import { bucketStorage } from './bucket-storage.ts';
import { md5, temporaryFolder } from './rig.ts';

const implementations: readonly [string, () => Promise<Storage>][] = [
  ['in memory', async () => memoryStorage()],
  ['on a disk', async () => diskStorage(await temporaryFolder())],
  ['on a disk that folds names', async () => diskStorage(await temporaryFolder(), { naming: 'portable' })],
  ['in a bucket', async () => bucketStorage()],
];

const expected = (content: string) => ({
  digest: { algorithm: 'md5' as const, hex: md5(content) },
  size: Buffer.byteLength(content),
});

async function all(keys: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const key of keys) list.push(key);
  return list;
}

async function read(storage: Storage, key: string): Promise<string | undefined> {
  const object = await storage.get(key);
  return object && text(object.body);
}

async function stage(storage: Storage, content: string, contentType?: string) {
  const options = contentType === undefined ? {} : { contentType };
  return storage.stage(Readable.from([Buffer.from(content)]), expected(content), 'it', options);
}

const inBytes = (keys: Iterable<string>) => [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** Different keys that some file system or other takes for one, or does not take at all. */
const ODD = [
  'p/..',
  'p/.',
  'p/...',
  'p/ ',
  'p/x.',
  'p/x ',
  'p/x',
  'p/X',
  'p/%58',
  'p/%',
  'p/%=',
  'p/x%=',
  'p/x%',
  'p/CON',
  'p/con.txt',
  'p/nul',
  'p/a:b',
  'p/a\\b',
  'p/a\0b',
  'p/\u00e9',
  'p/e\u0301',
  'p/\u1e9e',
  'p/ss',
  'p/\u{1f9ea}',
  'p/__proto__',
  `p/${'n'.repeat(239)}`,
  `p/${'n'.repeat(240)}`,
  `p/${'n'.repeat(241)}`,
  `p/${'n'.repeat(600)}`,
  `p/${'N'.repeat(600)}`,
  `p/${'é'.repeat(400)}`,
];

describe.each(implementations)('a storage %s', (_, open) => {
  it('gives back what was put, and what is known of it', async () => {
    const storage = await open();
    const before = Date.now() - 1000;
    expect(await storage.put('p/doc', '{"a":1}', { metadata: { user: 'ann' } })).toBe(true);
    const { modified, ...info } = (await storage.head('p/doc')) ?? { modified: new Date(0) };
    expect(info).toEqual({ key: 'p/doc', size: 7, md5: md5('{"a":1}'), metadata: { user: 'ann' } });
    expect(modified.getTime()).toBeGreaterThan(before);
    expect(await storage.size('p/doc')).toBe(7);
    expect(await read(storage, 'p/doc')).toBe('{"a":1}');
    await storage.put('p/doc', '');
    expect(await storage.head('p/doc')).not.toHaveProperty('metadata');
    expect(await read(storage, 'p/doc')).toBe('');
  });

  it('knows nothing of what is not there, whatever it is called', async () => {
    const storage = await open();
    await storage.put('p/x', '1');
    for (const key of ['', 'p', 'p/', 'p/x/', 'p/x/y', '/p/x', 'p//x', 'nope', '\ud800', 'k'.repeat(1025), '../x']) {
      expect(await storage.head(key), key).toBe(undefined);
      expect(await storage.get(key), key).toBe(undefined);
      expect(await storage.readSmall?.(key, 10), key).toBe(undefined);
      expect(await storage.size(key), key).toBe(undefined);
      await storage.delete(key);
    }
    expect(await read(storage, 'p/x')).toBe('1');
  });

  it('gives a small object as a whole, and of a large one that it is large', async ({ skip }) => {
    const storage = await open();
    if (storage.readSmall === undefined) return skip('this one has only get()');
    await storage.put('p/x', '12345');
    await storage.put('p/empty', '');
    expect(String(await storage.readSmall('p/x', 5))).toBe('12345');
    expect(await storage.readSmall('p/x', 4)).toBe('large');
    expect(await storage.readSmall('p/empty', 0)).toHaveLength(0);
    // One of the two stands aside where a key is a file.
    await storage.put('p/x/below', 'below');
    expect(String(await storage.readSmall('p/x', 5))).toBe('12345');
    expect(String(await storage.readSmall('p/x/below', 5))).toBe('below');
  });

  it('refuses keys that no storage holds', async () => {
    const storage = await open();
    for (const key of ['', '/', '/x', 'x/', 'a//b', '\ud800', 'k'.repeat(1025)]) {
      await expect(storage.put(key, '1')).rejects.toMatchObject({ code: 'invalid-argument' });
      const staged = await stage(storage, '1');
      await expect(staged.publish(key)).rejects.toMatchObject({ code: 'invalid-argument' });
      await staged.discard();
    }
    expect(await all(storage.list('', { recursive: true }))).toEqual([]);
  });

  it('shows staged content once it is published, and not before', async () => {
    const storage = await open();
    const staged = await stage(storage, 'content', 'text/plain');
    expect(await all(storage.list('', { recursive: true }))).toEqual([]);
    await staged.publish('p/f');
    await staged.discard();
    expect(await storage.head('p/f')).toMatchObject({ size: 7, md5: md5('content'), contentType: 'text/plain' });
    const other = await stage(storage, 'never');
    await other.discard();
    expect(await all(storage.list('', { recursive: true }))).toEqual(['p/f']);
  });

  it.each([
    ['other bytes', 'CONTENT'],
    ['too few', 'conten'],
    ['too many', 'content!'],
  ])('keeps nothing of %s', async (_name, sent) => {
    const storage = await open();
    await storage.put('p/f', 'before');
    const staging = storage.stage(Readable.from([Buffer.from(sent)]), expected('content'), 'it');
    await expect(staging).rejects.toMatchObject({ code: 'wrong-content' });
    expect(await all(storage.list('', { recursive: true }))).toEqual(['p/f']);
    expect(await read(storage, 'p/f')).toBe('before');
  });

  it('gives ranges, which may depend on what the object is', async () => {
    const storage = await open();
    await storage.put('p/f', '0123456789');
    const range = async (start: number, end: number) => {
      const object = await storage.get('p/f', ({ size }) => ({ start, end: Math.min(end, size - 1) }));
      return object && [await text(object.body), object.size];
    };
    expect(await range(0, 3)).toEqual(['0123', 10]);
    expect(await range(7, 99)).toEqual(['789', 10]);
    expect(await range(5, 5)).toEqual(['5', 10]);
    expect(await range(0, -1)).toEqual(['', 10]);
  });

  it('lets one alone take what must not be there', async () => {
    const storage = await open();
    const taking = Array.from({ length: 20 }, (_value, at) => storage.put('p/lock', `${at}`, { ifAbsent: true }));
    const taken = await Promise.all(taking);
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await read(storage, 'p/lock')).toBe(String(taken.indexOf(true)));
    await storage.delete('p/lock');
    expect(await storage.put('p/lock', 'again', { ifAbsent: true })).toBe(true);
  });

  it('is never seen half, while objects are replaced and deleted', async () => {
    const storage = await open();
    const contents = ['a'.repeat(70_000), 'b'.repeat(30_000), 'c'];
    let isWriting = true;
    const write = async () => {
      for (let round = 0; round < 30; round++) {
        const content = contents[round % 3] ?? '';
        if (round % 5 === 4) await storage.delete('p/x');
        else if (round % 2 === 0) await (await stage(storage, content)).publish('p/x');
        else await storage.put('p/x', content);
      }
    };
    const end = () => {
      isWriting = false;
    };
    const look = async () => {
      while (isWriting) {
        await setImmediate();
        const object = await storage.get('p/x');
        if (object === undefined) continue;
        const content = await text(object.body);
        expect(contents).toContain(content);
        expect([object.size, object.md5]).toEqual([content.length, md5(content)]);
      }
    };
    await Promise.all([write().finally(end), look(), look(), look()]);
  });

  it('keeps any two keys apart', async () => {
    const storage = await open();
    for (const key of ODD) await storage.put(key, `of ${key}`, { metadata: { key: md5(key) } });
    for (const key of ODD) {
      expect(await read(storage, key)).toBe(`of ${key}`);
      expect((await storage.head(key))?.metadata).toEqual({ key: md5(key) });
    }
    expect(await all(storage.list('', { recursive: true }))).toEqual(inBytes(ODD));
    expect(await all(storage.list('p/'))).toEqual(inBytes(ODD));
    for (const key of ODD) await storage.delete(key);
    expect(await all(storage.list('', { recursive: true }))).toEqual([]);
  });

  describe('holds a key that another begins with', () => {
    const keys = ['a', 'a-b', 'a/b', 'a/b/c', 'a/b/c/d', 'a0'];
    const orders = [keys, keys.toReversed(), ['a/b/c/d', 'a', 'a0', 'a/b/c', 'a-b', 'a/b']];

    it.each(orders)('put in the order %s, %s, %s, …', async (...order) => {
      const storage = await open();
      for (const key of order) await storage.put(key, `1 ${key}`, { metadata: { key } });
      for (const key of order) {
        expect(await read(storage, key)).toBe(`1 ${key}`);
        expect(await storage.size(key)).toBe(key.length + 2);
        expect((await storage.head(key))?.metadata).toEqual({ key });
      }
      expect(await all(storage.list('', { recursive: true }))).toEqual(inBytes(keys));
      expect(await all(storage.list(''))).toEqual(['a', 'a-b', 'a/', 'a0']);
      expect(await all(storage.list('a/b'))).toEqual(['a/b', 'a/b/']);
      // Replaced, each is there once.
      for (const key of order) await storage.put(key, `2 ${key}`);
      expect(await all(storage.list('', { recursive: true }))).toEqual(inBytes(keys));
      for (const [at, key] of order.entries()) {
        expect(await read(storage, key)).toBe(`2 ${key}`);
        await storage.delete(key);
        expect(await storage.head(key)).toBe(undefined);
        expect(await all(storage.list('', { recursive: true }))).toEqual(inBytes(order.slice(at + 1)));
      }
    });

    it('also while they are read and written at once', async () => {
      const storage = await open();
      await storage.put('a', 'whole');
      let isWriting = true;
      const write = async () => {
        await Promise.all(['a/b', 'a/b/c', 'a/d', 'a/b/c/e'].map((key) => storage.put(key, key)));
        for (let round = 0; round < 10; round++) {
          await Promise.all([storage.delete('a/b/c/e'), storage.delete('a/d')]);
          await Promise.all([storage.put('a/b/c/e', 'e'), storage.put('a/d', 'd'), storage.put('a', 'whole')]);
        }
      };
      const end = () => {
        isWriting = false;
      };
      const look = async () => {
        while (isWriting) {
          await setImmediate();
          expect(await read(storage, 'a')).toBe('whole');
        }
      };
      await Promise.all([write().finally(end), look(), look()]);
      expect(await all(storage.list('', { recursive: true }))).toEqual(['a', 'a/b', 'a/b/c', 'a/b/c/e', 'a/d']);
    });
  });

  it('lists by any prefix, one level or all, as a bucket does', async () => {
    const component = fc.oneof(
      fc.constantFrom('a', 'ab', 'b', 'A', '..x', 'é', '%', 'a b', 'z'.repeat(245)),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }).filter((name) => !name.includes('/')),
    );
    const key = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const keys = fc.uniqueArray(key, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(keys, fc.nat(), fc.nat(6), async (names, which, length) => {
        const storage = await open();
        for (const name of names) await storage.put(name, '');
        const bucket = bucketStorage({ pageSize: 1000 });
        for (const name of names) await bucket.put(name, '');
        const prefix = (names[which % names.length] ?? '')
          .slice(0, length)
          .toWellFormed()
          .replace(/\ufffd$/, '');
        for (const recursive of [true, false]) {
          const wanted = await all(bucket.list(prefix, { recursive }));
          expect(await all(storage.list(prefix, { recursive }))).toEqual(wanted);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('can be emptied while it is listed', async () => {
    const storage = await open();
    const keys = Array.from({ length: 25 }, (_value, at) => `p/${String(at).padStart(2, '0')}`);
    for (const key of keys) await storage.put(key, '');
    const seen: string[] = [];
    for await (const key of storage.list('p/')) {
      seen.push(key);
      await storage.delete(key);
    }
    expect(seen).toEqual(keys);
    expect(await all(storage.list(''))).toEqual([]);
  });
});
