import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyToPath, readPart } from '../../src/server/disk-keys.ts';
import { diskStorage, type Storage } from '../../src/server/index.ts';
import { md5, temporaryFolder } from './rig.ts';

async function create() {
  const folder = await temporaryFolder();
  return { folder, storage: await diskStorage(folder) };
}

async function all(keys: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const key of keys) list.push(key);
  return list;
}

const expected = (content: string) => ({
  digest: { algorithm: 'md5' as const, hex: md5(content) },
  size: Buffer.byteLength(content),
});

async function read(storage: Storage, key: string): Promise<string | undefined> {
  const object = await storage.get(key);
  return object && text(object.body);
}

const HOSTILE = [
  '..',
  '../x',
  'a/../../x',
  '/etc/passwd',
  'a//b',
  'a/',
  '.',
  './x',
  'a/./b',
  'nul\0here',
  'back\\slash',
  '..\\..\\x',
  '%2e%2e/x',
  'a%2Fb',
  `${'x'.repeat(300)}/${'é'.repeat(200)}`,
  'k'.repeat(1025),
  '\ud800',
];

describe('keys as paths', () => {
  it('never lead out of the folder, whatever the key', () => {
    const component = fc.oneof(
      fc.constantFrom('..', '.', '', '\0', '\\', '%', '%2e%2e', 'x'.repeat(250)),
      fc.string({ unit: 'binary', maxLength: 300 }),
    );
    fc.assert(
      fc.property(fc.array(component, { maxLength: 5 }), (components) => {
        const path = keyToPath(components.join('/'));
        if (path === undefined) return;
        for (const part of path.split('/')) {
          expect(['', '.', '..']).not.toContain(part);
          expect(part).not.toMatch(/[\0\\]/);
          expect(Buffer.byteLength(part)).toBeLessThanOrEqual(255);
        }
      }),
    );
  });

  it('can be read back', () => {
    const component = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 300 })
      .filter((name) => !name.includes('/'));
    fc.assert(
      fc.property(fc.array(component, { minLength: 1, maxLength: 3 }), (components) => {
        const key = components.join('/');
        const path = keyToPath(key);
        if (path === undefined) return;
        const parts = path.split('/').map((part) => readPart(part));
        expect(parts.map(({ text: name, goesOn }) => (goesOn ? name : `${name}/`)).join('')).toBe(`${key}/`);
      }),
    );
  });

  it('are the keys themselves where a file system can hold them', () => {
    expect(keyToPath('my projéct/a:b/v 1.0/日本/..links')).toBe('my projéct/a:b/v 1.0/日本/..links');
  });
});

describe('objects', () => {
  it('are there whole once they are published, and not before', async () => {
    const { folder, storage } = await create();
    const staged = await storage.stage(
      Readable.from([Buffer.from('con'), Buffer.from('tent')]),
      expected('content'),
      'it',
      {
        contentType: 'text/x-thing',
      },
    );
    expect(await storage.head('p/a/v/x')).toBeUndefined();
    expect(await readdir(join(folder, 'objects'))).toEqual([]);
    await staged.publish('p/a/v/x');
    await staged.discard();
    expect(await read(storage, 'p/a/v/x')).toBe('content');
    expect(await storage.head('p/a/v/x')).toMatchObject({ size: 7, md5: md5('content'), contentType: 'text/x-thing' });
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  });

  it.each([
    ['too short', 'conten'],
    ['too long', 'content!'],
    ['other', 'CONTENT'],
  ])('are refused when they are %s, and leave nothing', async (_, content) => {
    const { folder, storage } = await create();
    const staging = storage.stage(Readable.from([Buffer.from(content)]), expected('content'), 'it');
    await expect(staging).rejects.toMatchObject({ code: 'wrong-content' });
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  });

  it('are given in ranges', async () => {
    const { storage } = await create();
    await storage.put('k', '0123456789');
    const object = await storage.get('k', () => ({ start: 2, end: 4 }));
    expect(object && (await text(object.body))).toBe('234');
  });

  it('are taken by one only, when several put what must not be there', async () => {
    const { storage } = await create();
    const won = await Promise.all(
      Array.from({ length: 20 }, (_, i) => storage.put('lock', `${i}`, { ifAbsent: true, metadata: { user: `${i}` } })),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    const winner = String(won.indexOf(true));
    expect(await read(storage, 'lock')).toBe(winner);
    expect((await storage.head('lock'))?.metadata).toEqual({ user: winner });
  });

  it('are never seen half, while they are replaced and deleted', async () => {
    const { storage } = await create();
    const contents = ['a'.repeat(100_000), 'b'.repeat(50_000)];
    let done = false;
    const write = async () => {
      for (let i = 0; i < 60; i++) {
        await storage.put('p/a/v/doc', contents[i % 2] ?? '');
        if (i % 5 === 0) await storage.delete('p/a/v/doc');
      }
      done = true;
    };
    const check = async () => {
      while (!done) {
        const object = await storage.get('p/a/v/doc');
        if (object === undefined) continue;
        const content = await text(object.body);
        expect(contents).toContain(content);
        expect([object.md5, object.size]).toEqual([md5(content), content.length]);
      }
    };
    await Promise.all([write(), check(), check()]);
    expect(await all(storage.list('', { recursive: true }))).toEqual(['p/a/v/doc']);
  });

  it('keep their MD5 when what is beside them is lost, or they are changed by hand', async () => {
    const { folder, storage } = await create();
    await storage.put('p/doc', 'content');
    await rm(join(folder, 'meta'), { recursive: true });
    expect((await storage.head('p/doc'))?.md5).toBe(md5('content'));
    await writeFile(join(folder, 'objects/p/doc'), 'changed');
    expect((await storage.head('p/doc'))?.md5).toBe(md5('changed'));
  });

  it('keep what is beside them when the folder is copied', async () => {
    const { folder, storage } = await create();
    await storage.put('p/doc', 'content', { metadata: { user: 'alice' } });
    const copy = await temporaryFolder();
    await cp(folder, copy, { recursive: true });
    expect((await (await diskStorage(copy)).head('p/doc'))?.metadata).toEqual({ user: 'alice' });
  });

  it('cannot lie below one another', async () => {
    const { storage } = await create();
    await storage.put('p/x', '1');
    await expect(storage.put('p/x/y', '2')).rejects.toMatchObject({ code: 'invalid-argument' });
    await storage.put('p/d/y', '3');
    await expect(storage.put('p/d', '4')).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await all(storage.list('', { recursive: true }))).toEqual(['p/d/y', 'p/x']);
  });

  it('leave no folder behind', async () => {
    const { folder, storage } = await create();
    await storage.put('p/a/v/x', '1');
    await storage.delete('p/a/v/x');
    await storage.delete('p/a/v/x');
    expect(await readdir(join(folder, 'objects'))).toEqual([]);
    expect(await readdir(join(folder, 'meta'))).toEqual([]);
  });

  it.each(HOSTILE)('of the key %j stay in the folder', async (key) => {
    const { folder, storage } = await create();
    const before = (await readdir(join(folder, '..'))).filter((name) => name === 'x');
    const stored = await storage.put(key, 'content').catch(() => false);
    expect(await read(storage, key)).toBe(stored ? 'content' : undefined);
    if (stored) expect(await all(storage.list('', { recursive: true }))).toEqual([key]);
    expect((await readdir(join(folder, '..'))).filter((name) => name === 'x')).toEqual(before);
    expect((await readdir(folder)).sort()).toEqual(stored ? ['incoming', 'meta', 'objects'] : ['incoming', 'objects']);
    await storage.delete(key);
    expect(await read(storage, key)).toBeUndefined();
  });
});

describe('listings', () => {
  const KEYS = [
    'a-b/x',
    'a/..latest',
    'a/b!/x',
    'a/b/x',
    'a/b/y',
    'a/b0',
    'a/\u{e000}',
    'a/\u{1f600}',
    `${'l'.repeat(260)}`,
    `${'l'.repeat(240)}/x`,
    `${'l'.repeat(240)}0`,
  ];

  it('are in the order of the bytes of the keys', async () => {
    const { storage } = await create();
    for (const key of KEYS) await storage.put(key, '');
    const sorted = KEYS.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await all(storage.list('', { recursive: true }))).toEqual(sorted);
    for (const prefix of ['a', 'a/', 'a/b', 'a/b/', 'll', 'l'.repeat(245), 'a/\u{1f600}', '..', 'x', 'a//', '/']) {
      expect(await all(storage.list(prefix, { recursive: true }))).toEqual(
        sorted.filter((key) => key.startsWith(prefix)),
      );
    }
  });

  it('show folders with a slash', async () => {
    const { storage } = await create();
    for (const key of KEYS) await storage.put(key, '');
    expect(await all(storage.list('a/b'))).toEqual(['a/b!/', 'a/b/', 'a/b0']);
    expect(await all(storage.list('a'))).toEqual(['a-b/', 'a/']);
  });

  it('show no folder that holds nothing', async () => {
    const { folder, storage } = await create();
    await mkdir(join(folder, 'objects/p/a/v'), { recursive: true });
    expect(await all(storage.list(''))).toEqual([]);
  });
});
