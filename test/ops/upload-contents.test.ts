import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { UploadContent } from '../../src/index.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const seed = { versions: { 'p/a/v1': { 'a.txt': 'content of a' } } };

describe('publishing contents', () => {
  it('takes text, bytes, streams of both kinds, files and links', async () => {
    const { client, makeFolder, cacheDir } = await createRig(seed);
    const folder = await makeFolder('mine', { 'f.txt': 'from a file' });
    const contents: UploadContent[] = [
      { path: 'text', content: 'text ünï' },
      { path: 'bytes', content: new Uint8Array([98, 121]) },
      { path: 'empty', content: '' },
      { path: 'in/stream', stream: Readable.from([Buffer.from('a '), Buffer.from('stream')]) },
      { path: 'in/web', stream: new Blob(['a web stream']).stream() },
      { path: 'file', file: join(folder, 'f.txt') },
      { path: 'link', link: { ...V1, path: 'a.txt' } },
      { path: 'known', content: 'content of a' },
    ];
    const result = await client.uploadContents(V2, contents);
    expect(result).toMatchObject({ published: true, files: 8, sent: { files: 6 }, linked: { files: 2, bytes: 24 } });
    await client.saveVersion(V2);
    expect(await readTree(join(cacheDir, 'bucket/p/a/v2'))).toMatchObject({
      text: 'text ünï',
      bytes: 'by',
      empty: '',
      'in/stream': 'a stream',
      'in/web': 'a web stream',
      file: 'from a file',
      link: 'content of a',
      known: 'content of a',
    });
    expect(await readdir(join(cacheDir, '.gypsum-client/1/incoming'))).toEqual([]);
  });

  it('holds no stream in memory: what was read is gone from the disk afterwards, also on failure', async () => {
    const { client, cacheDir, registry } = await createRig(seed);
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(100_000);
        throw new Error('the source broke');
      })(),
    );
    const contents: UploadContent[] = [
      { path: 'a', content: 'fine' },
      { path: 'b', stream: broken },
    ];
    await expect(client.uploadContents(V2, contents)).rejects.toThrow('the source broke');
    expect(await readdir(join(cacheDir, '.gypsum-client/1/incoming'))).toEqual([]);
    expect(registry.count({ method: 'POST' })).toBe(0);
  });

  it('can be none when nothing has changed', async () => {
    const { client } = await createRig(seed);
    const contents: UploadContent[] = [{ path: 'a.txt', content: 'content of a' }];
    expect(await client.uploadContents(V2, contents, { ifChanged: true })).toMatchObject({ ...V1, published: false });
  });

  it.each<[string, UploadContent[]]>([
    ['a path that leaves the version', [{ path: '../x', content: '' }]],
    [
      'a path twice',
      [
        { path: 'x', content: '' },
        { path: 'x', content: '' },
      ],
    ],
    [
      'a path below another',
      [
        { path: 'x/y', content: '' },
        { path: 'x', content: '' },
      ],
    ],
    ['a file that is not there', [{ path: 'x', file: '/nowhere/at/all' }]],
    ['a file that is a folder', [{ path: 'x', file: '/' }]],
    ['a link to no file', [{ path: 'x', link: { ...V1, path: 'nope' } }]],
    ['a link to a folder', [{ path: 'x', link: { ...V1, version: 'v0', path: 'sub' } }]],
  ])('refuses %s before the start', async (_name, contents) => {
    const { client, registry } = await createRig(seed);
    await expect(client.uploadContents(V2, contents)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(registry.count({ method: 'POST' })).toBe(0);
  });

  it('leaves given files as they are', async () => {
    const { client, makeFolder } = await createRig(seed);
    const folder = await makeFolder('mine', { 'f.txt': 'from a file' });
    await client.uploadContents(V2, [{ path: 'file', file: join(folder, 'f.txt') }]);
    expect(await readFile(join(folder, 'f.txt'), 'utf8')).toBe('from a file');
  });
});
