import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytes } from '../../mocks/index.ts';
import { createRig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const good = { size: 1, md5sum: '0cc175b9c0f1b6a831c399e269772661' };
const link = { project: 'p', asset: 'a', version: 'v0', path: 'x' };

const rows: [string, unknown][] = [
  ['a path that leaves the folder', { '../x': good }],
  ['a path that leaves it further down', { 'a/../../x': good }],
  ['an absolute path', { '/etc/passwd': good }],
  ['a path with NUL', { 'a\0b': good }],
  ['an empty path', { '': good }],
  ['a doubled slash', { 'a//b': good }],
  ['a trailing slash', { 'a/': good }],
  ['a component that is a dot', { 'a/./b': good }],
  ['a backslash', { 'a\\b': good }],
  ['a name of the registry’s own', { '..summary': good }],
  ['a file below a file', { a: good, 'a/b': good }],
  ['half a character', '{"a\\ud800": {"size": 1, "md5sum": "0cc175b9c0f1b6a831c399e269772661"}}'],
  ['a negative size', { a: { ...good, size: -1 } }],
  ['a size with a fraction', { a: { ...good, size: 1.5 } }],
  ['a huge size', { a: { ...good, size: 2 ** 60 } }],
  ['a size beyond all numbers', '{"a": {"size": 1e999, "md5sum": "0cc175b9c0f1b6a831c399e269772661"}}'],
  ['a size that is text', { a: { ...good, size: '1' } }],
  [
    'sizes that add up to too much',
    Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`f${n}`, { ...good, size: 2 ** 46 }])),
  ],
  ['a digest that is none', { a: { ...good, md5sum: '../../../x' } }],
  ['a digest that is too short', { a: { ...good, md5sum: 'abc' } }],
  ['a link that leaves its version', { a: { ...good, link: { ...link, path: '../x' } } }],
  ['a link into a hostile project', { a: { ...good, link: { ...link, project: '..' } } }],
  ['a hostile ancestor', { a: { ...good, link: { ...link, ancestor: { ...link, version: 'x/y' } } } }],
  ['a link without a path', { a: { ...good, link: { project: 'p', asset: 'a', version: 'v' } } }],
  ['an entry that is null', { a: null }],
  ['an array', [good]],
  ['null', 'null'],
];

describe('a manifest with', () => {
  it.each(rows)('%s is refused before anything is written', async (_name, manifest) => {
    const { client, registry, folder } = await createRig({ versions: { 'p/a/v1': { 'a.txt': 'a' } } });
    const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    registry.inject(bytes(text), { key: 'p/a/v1/..manifest' });
    for (const download of [true, false]) {
      await expect(client.cloneVersion(V1, join(folder, 'clone'), { download })).rejects.toMatchObject({
        code: 'invalid-manifest',
        message: expect.stringContaining('p/a/v1'),
        hint: expect.any(String),
      });
    }
    await expect(client.saveVersion(V1)).rejects.toMatchObject({ code: 'invalid-manifest' });
    expect(await readdir(folder)).toEqual([]);
    expect(registry.count({ key: 'p/a/v1/a.txt' })).toBe(0);
  });
});

describe('an answer in place of a manifest that is', () => {
  it.each([
    ['HTML', '<!doctype html><title>Welcome</title>'],
    ['cut off', '{"a.txt": {"si'],
    ['empty', ''],
  ])('%s is a clear error', async (_name, text) => {
    const { client, registry } = await createRig({ versions: { 'p/a/v1': { 'a.txt': 'a' } } });
    registry.inject(bytes(text), { key: 'p/a/v1/..manifest' });
    await expect(client.saveVersion(V1)).rejects.toMatchObject({
      code: 'invalid-response',
      hint: 'Check that the URL is the one of a gypsum registry.',
    });
  });
});

describe('names of object prototypes', () => {
  it('are names of files like any other', async () => {
    const files = { constructor: 'c', toString: 't', 'sub/__proto__': 's' };
    const { client, folder } = await createRig({ versions: { 'p/a/v1': files } });
    const result = await client.cloneVersion(V1, join(folder, 'clone'));
    expect(result.files).toBe(3);
    await expect(client.saveFile({ ...V1, path: 'hasOwnProperty' })).rejects.toMatchObject({ code: 'not-found' });
  });
});
