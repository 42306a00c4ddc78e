import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asidePath, keyToPath, readPart, unescapeComponent } from '../../src/server/disk-keys.ts';
import { listDisk } from '../../src/server/disk-list.ts';
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

describe.each(['plain', 'portable'] as const)('keys as %s paths', (naming) => {
  it('never lead out of the folder, whatever the key', () => {
    const component = fc.oneof(
      fc.constantFrom('..', '.', '', '\0', '\\', '%', '%2e%2e', 'x'.repeat(250)),
      fc.string({ unit: 'binary', maxLength: 300 }),
    );
    fc.assert(
      fc.property(fc.array(component, { maxLength: 5 }), (components) => {
        const path = keyToPath(components.join('/'), naming);
        if (path === undefined) return;
        for (const part of path.split('/')) {
          expect(['', '.', '..']).not.toContain(part);
          expect(part).not.toMatch(/[\0\\]/);
          expect(Buffer.byteLength(part) + 2).toBeLessThanOrEqual(255);
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
        const path = keyToPath(key, naming);
        if (path === undefined) return;
        let raw = '';
        const names: string[] = [];
        for (const part of path.split('/').map(readPart)) {
          raw += part.raw;
          if (part.goesOn) continue;
          names.push(unescapeComponent(raw));
          raw = '';
        }
        expect(names.join('/')).toBe(key);
        expect(readPart(asidePath(path).split('/').at(-1) ?? '')).toMatchObject({ isAside: true, goesOn: false });
      }),
    );
  });
});

it('plain paths are the keys themselves where a file system can hold them', () => {
  expect(keyToPath('my projéct/a:b/v 1.0/日本/..links', 'plain')).toBe('my projéct/a:b/v 1.0/日本/..links');
});

it('portable paths are different also to a file system that folds case and normalises', () => {
  const letter = fc.constantFrom(
    'a',
    'A',
    'é',
    'e\u0301',
    'É',
    'ß',
    'ẞ',
    'ss',
    'ı',
    'I',
    'i',
    'İ',
    'ﬁ',
    'fi',
    'K',
    'K',
    '.',
    '%',
  );
  const key = fc.array(letter, { minLength: 1, maxLength: 3 }).map((letters) => letters.join(''));
  const fold = (path: string | undefined) => path?.normalize('NFKD').toUpperCase().toLowerCase().normalize('NFKD');
  fc.assert(
    fc.property(key, key, (one, other) => {
      fc.pre(one !== other);
      expect(fold(keyToPath(one, 'portable'))).not.toBe(fold(keyToPath(other, 'portable')));
    }),
    { numRuns: 2000 },
  );
  // Nor does Windows read any of them in its own way.
  for (const odd of ['con', 'CON', 'nul.txt', 'com1', 'a.', 'a ', 'a:b', 'a*', 'a?']) {
    const written = keyToPath(odd, 'portable')?.replaceAll(/%[0-9A-F]{2}/g, '_');
    expect(written).not.toMatch(/^(con|nul|com1)(\.|$)|[. ]$|[:*?A-Z]/);
  }
});

describe('a folder', () => {
  it('says when its names are portable, and keeps to that', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'naming'), 'portable\n');
    await (await diskStorage(folder)).put('P/X', '1');
    expect(await readdir(join(folder, 'objects'))).toEqual(['%50', '..logs'].sort());
    expect(await all((await diskStorage(folder, { readOnly: true })).list('', { recursive: true }))).toEqual(['P/X']);
  });

  it('of a later version is refused', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'naming'), 'hashed\n');
    await expect(diskStorage(folder)).rejects.toMatchObject({ code: 'destination-refused' });
  });

  it('is not changed by whoever only reads it', async () => {
    const { folder, storage } = await create();
    await storage.put('p/x', '1');
    await writeFile(join(folder, 'incoming', 'mine'), 'arriving');
    await rm(join(folder, 'meta'), { recursive: true });
    const reader = await diskStorage(folder, { readOnly: true });
    expect(await read(reader, 'p/x')).toBe('1');
    expect(await readdir(join(folder, 'incoming'))).toEqual(['mine']);
    expect(await readdir(folder)).not.toContain('meta');
    await expect(reader.put('p/y', '2')).rejects.toThrow('opened for reading');
    await expect(reader.delete('p/x')).rejects.toThrow('opened for reading');
  });
});

describe('an object that stands aside for a folder', () => {
  /** What a kill leaves at each step of going aside. */
  const states: readonly [string, (folder: string) => Promise<unknown>][] = [
    ['nothing done', async () => {}],
    ['its facts copied', async (folder) => cp(join(folder, 'meta/a'), join(folder, 'meta/a%='))],
    [
      'its file moved',
      async (folder) => {
        await cp(join(folder, 'meta/a'), join(folder, 'meta/a%='));
        await rename(join(folder, 'objects/a'), join(folder, 'objects/a%='));
      },
    ],
    [
      'its old facts removed',
      async (folder) => {
        await rename(join(folder, 'meta/a'), join(folder, 'meta/a%='));
        await rename(join(folder, 'objects/a'), join(folder, 'objects/a%='));
      },
    ],
    [
      'the folder made',
      async (folder) => {
        await cp(join(folder, 'meta/a'), join(folder, 'meta/a%='));
        await rename(join(folder, 'objects/a'), join(folder, 'objects/a%='));
        await mkdir(join(folder, 'objects/a'));
      },
    ],
  ];

  it.each(states)('is whole after a kill: %s', async (_, interrupt) => {
    const { folder, storage } = await create();
    await storage.put('a', 'whole', { metadata: { user: 'ann' } });
    await interrupt(folder);
    const again = await diskStorage(folder);
    expect(await read(again, 'a')).toBe('whole');
    expect((await again.head('a'))?.metadata).toEqual({ user: 'ann' });
    expect(await all(again.list('', { recursive: true }))).toEqual(['a']);
    await again.put('a/b', 'below', { metadata: { user: 'bob' } });
    expect((await again.head('a'))?.metadata).toEqual({ user: 'ann' });
    expect((await again.head('a/b'))?.metadata).toEqual({ user: 'bob' });
    await again.put('a', 'new');
    expect(await read(again, 'a')).toBe('new');
    expect(await all(again.list('', { recursive: true }))).toEqual(['a', 'a/b']);
    await again.delete('a');
    expect(await all(again.list('', { recursive: true }))).toEqual(['a/b']);
  });
});

it('a folder of more names than are held at once is listed in order, all of it, once', async () => {
  const { folder, storage } = await create();
  const keys = Array.from({ length: 60 }, (_, at) => (at % 7 === 0 ? `p/${at}/x` : `p/${(at * 37) % 60}y`));
  for (const key of keys) await storage.put(key, '');
  const wanted = await all(storage.list('', { recursive: true }));
  expect(wanted).toHaveLength(new Set(keys).size);
  for (const window of [1, 2, 7, 59, 60, 61]) {
    const options = { recursive: true, window };
    expect(await all(listDisk(join(folder, 'objects'), '', options))).toEqual(wanted);
  }
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
    expect(await readdir(join(folder, 'objects'))).toEqual(['..logs']);
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

  it('leave no folder behind', async () => {
    const { folder, storage } = await create();
    await storage.put('p/a/v/x', '1');
    await storage.delete('p/a/v/x');
    await storage.delete('p/a/v/x');
    expect(await readdir(join(folder, 'objects'))).toEqual(['..logs']);
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
