import { execFileSync } from 'node:child_process';
import { chmod, link, mkdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GypsumEvent } from '../../src/index.ts';
import { deepFolder } from '../helpers/deep-folder.ts';
import { createRig, md5 } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const FILES = { 'a.txt': 'content of a', 'sub/b.txt': 'content of b', 'sub/deep/c.txt': 'c', 'sub.txt': 'not in sub' };
const seed = { versions: { 'p/a/v1': FILES } };
const target = (path: string) => ({ ...V1, path });

/** A rig with a clone of the seed. */
async function createClone(options?: { download?: boolean }) {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V1, clone, options);
  rig.registry.resetCalls();
  const prepare = (links?: 'auto' | 'always' | 'never') =>
    rig.client.prepareDirectoryUpload(clone, links === undefined ? {} : { links });
  return { ...rig, clone, prepare, bucket: join(rig.cacheDir, 'bucket/p/a/v1') };
}

describe('preparing', () => {
  it.each([[true], [false]])(
    'a fresh clone (download: %s) gives links alone, in order, without a request',
    async (download) => {
      const { prepare, clone, registry } = await createClone({ download });
      expect(await prepare()).toEqual({
        directory: clone,
        files: [],
        links: [
          { path: 'a.txt', link: target('a.txt'), size: 12, md5sum: md5('content of a') },
          { path: 'sub/b.txt', link: target('sub/b.txt'), size: 12, md5sum: md5('content of b') },
          { path: 'sub/deep/c.txt', link: target('sub/deep/c.txt'), size: 1, md5sum: md5('c') },
          { path: 'sub.txt', link: target('sub.txt'), size: 10, md5sum: md5('not in sub') },
        ],
      });
      expect(registry.calls).toEqual([]);
    },
  );

  it('an edited clone gives files for what is real and links for what is left', async () => {
    const { prepare, clone } = await createClone({ download: false });
    await rm(join(clone, 'a.txt'));
    await writeFile(join(clone, 'a.txt'), 'changed');
    await writeFile(join(clone, '.dot-file'), 'data too');
    await mkdir(join(clone, 'empty-folder'));
    await rename(join(clone, 'sub/b.txt'), join(clone, 'moved.txt'));
    await rm(join(clone, 'sub'), { recursive: true });
    const { files, links } = await prepare();
    expect(files).toEqual([
      { path: '.dot-file', size: 8 },
      { path: 'a.txt', size: 7 },
    ]);
    expect(links.map(({ path, link }) => [path, link.path])).toEqual([
      ['moved.txt', 'sub/b.txt'],
      ['sub.txt', 'sub.txt'],
    ]);
  });

  it('reads the same folder the same way whatever its entries’ order on disk', async () => {
    const { client, makeFolder } = await createRig(seed);
    const names = ['b', 'a/z', 'a.b', 'a-b', 'a/b/c', 'Z', 'é'];
    const one = await makeFolder('one', Object.fromEntries(names.map((name) => [name, ''])));
    const two = await makeFolder('two', Object.fromEntries(names.toReversed().map((name) => [name, ''])));
    const first = await client.prepareDirectoryUpload(one);
    expect(first.files.map(({ path }) => path)).toEqual(['Z', 'a/b/c', 'a/z', 'a-b', 'a.b', 'b', 'é']);
    expect((await client.prepareDirectoryUpload(two)).files).toEqual(first.files);
  });
});

describe('a symlink becomes a link', () => {
  it.each<[string, (at: Awaited<ReturnType<typeof createClone>>) => Promise<unknown>]>([
    ['when its text is absolute', ({ bucket, clone }) => symlink(join(bucket, 'a.txt'), join(clone, 'sub/x'))],
    [
      'when its text is relative to its own folder',
      ({ clone }) => symlink('../../cache/bucket/p/a/v1/a.txt', join(clone, 'sub/x')),
    ],
    ['when it leads there through another link', ({ clone }) => symlink('../a.txt', join(clone, 'sub/x'))],
    [
      'when it leads there through a chain out of the folder',
      async ({ bucket, clone, folder }) => {
        await symlink(join(bucket, 'a.txt'), join(folder, 'last'));
        await symlink('last', join(folder, 'middle'));
        await symlink('../../middle', join(clone, 'sub/x'));
      },
    ],
    [
      'when the cache is reached through a symlink',
      async ({ clone, folder, cacheDir }) => {
        await symlink(cacheDir, join(folder, 'way'));
        await symlink(join(folder, 'way/bucket/p/a/v1/a.txt'), join(clone, 'sub/x'));
      },
    ],
    [
      'when its text has detours',
      ({ clone, cacheDir }) => symlink(`${cacheDir}/./bucket//p/q/../a/v1/sub/../a.txt`, join(clone, 'sub/x')),
    ],
  ])('%s', async (_name, make) => {
    const at = await createClone();
    await mkdir(join(at.cacheDir, 'bucket/p/q'));
    await make(at);
    const { links, files } = await at.prepare('always');
    expect(links).toContainEqual({ path: 'sub/x', link: target('a.txt'), size: 12, md5sum: md5('content of a') });
    expect(files).toEqual([]);
  });

  it('when the cache is named through a symlink, and the link by the real path', async () => {
    const { folder, connect, cacheDir, makeFolder } = await createRig(seed);
    await mkdir(cacheDir);
    await symlink(cacheDir, join(folder, 'way'));
    const mine = await makeFolder('mine', {});
    await symlink(join(cacheDir, 'bucket/p/a/v1/a.txt'), join(mine, 'x'));
    const { links } = await connect({ cacheDir: join(folder, 'way') }).prepareDirectoryUpload(mine, {
      links: 'always',
    });
    expect(links).toEqual([{ path: 'x', link: target('a.txt'), size: 12, md5sum: md5('content of a') }]);
  });

  it('when the cache is named through a symlink, like the link', async () => {
    const { folder, connect, cacheDir } = await createRig(seed);
    await mkdir(cacheDir);
    await symlink(cacheDir, join(folder, 'way'));
    const client = connect({ cacheDir: join(folder, 'way') });
    await client.cloneVersion(V1, join(folder, 'clone'), { download: false });
    const { links } = await client.prepareDirectoryUpload(join(folder, 'clone'), { links: 'always' });
    expect(links).toHaveLength(4);
  });

  it('whatever the current folder is', async () => {
    const { clone, prepare, folder } = await createClone();
    await symlink('../cache/bucket/p/a/v1/a.txt', join(clone, 'x'));
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect((await prepare('always')).links.find(({ path }) => path === 'x')?.link).toEqual(target('a.txt'));
    } finally {
      process.chdir(before);
    }
  });

  it.each([
    [
      'a folder',
      'sub',
      [
        ['in/b.txt', 'sub/b.txt'],
        ['in/deep/c.txt', 'sub/deep/c.txt'],
      ],
    ],
    [
      'the whole version',
      '',
      [
        ['in/a.txt', 'a.txt'],
        ['in/sub/b.txt', 'sub/b.txt'],
        ['in/sub/deep/c.txt', 'sub/deep/c.txt'],
        ['in/sub.txt', 'sub.txt'],
      ],
    ],
  ])('for each file when it leads to %s of a version, cached or not', async (_name, path, expected) => {
    for (const download of [true, false]) {
      const { makeFolder, client, bucket } = await createClone({ download });
      const folder = await makeFolder('mine', {});
      await symlink(join(bucket, path), join(folder, 'in'));
      const { links, files } = await client.prepareDirectoryUpload(folder);
      expect(links.map((link) => [link.path, link.link.path])).toEqual(expected);
      expect(files).toEqual([]);
    }
  });
});

describe('other symlinks', () => {
  async function createOthers() {
    const at = await createClone();
    const outside = await at.makeFolder('outside', { 'f.txt': 'outside', 'more/g.txt': 'gg' });
    const mine = await at.makeFolder('mine', { 'real.txt': 'r' });
    await symlink(join(outside, 'f.txt'), join(mine, 'f'));
    await symlink('../outside/more', join(mine, 'more'));
    await symlink(join(at.bucket, 'a.txt'), join(mine, 'cached'));
    return { ...at, outside, mine };
  }

  it('`auto`: become the content they lead to', async () => {
    const { client, mine } = await createOthers();
    const { files, links } = await client.prepareDirectoryUpload(mine);
    expect(files).toEqual([
      { path: 'f', size: 7 },
      { path: 'more/g.txt', size: 2 },
      { path: 'real.txt', size: 1 },
    ]);
    expect(links.map(({ path }) => path)).toEqual(['cached']);
  });

  it('`never`: so do those into the cache', async () => {
    const { client, mine, bucket } = await createOthers();
    await symlink(bucket, join(mine, 'whole'));
    const { files, links } = await client.prepareDirectoryUpload(mine, { links: 'never' });
    expect(links).toEqual([]);
    expect(files).toContainEqual({ path: 'cached', size: 12 });
    expect(files.filter(({ path }) => path.startsWith('whole/')).map(({ path }) => path)).toEqual([
      'whole/a.txt',
      'whole/sub/b.txt',
      'whole/sub/deep/c.txt',
      'whole/sub.txt',
    ]);
  });

  it('`always`: are an error that names each', async () => {
    const { client, mine } = await createOthers();
    await expect(client.prepareDirectoryUpload(mine, { links: 'always' })).rejects.toMatchObject({
      code: 'invalid-tree',
      details: { faults: [expect.stringMatching(/^f is a symlink/), expect.stringMatching(/^more is a symlink/)] },
    });
  });

  it('to versions on probation become content: they may yet change', async () => {
    const { client, makeFolder, folder } = await createRig(seed);
    const v2 = { ...V1, version: 'v2' };
    await client.uploadDirectory(v2, await makeFolder('new', { 'n.txt': 'nn' }), { probation: true });
    await client.cloneVersion(v2, join(folder, 'clone'));
    const { files, links } = await client.prepareDirectoryUpload(join(folder, 'clone'));
    expect(links).toEqual([]);
    expect(files).toEqual([{ path: 'n.txt', size: 2 }]);
  });

  it('to versions on probation are fetched where they dangle, a folder of them too', async () => {
    const { client, makeFolder, folder, cacheDir } = await createRig(seed);
    const v2 = { ...V1, version: 'v2' };
    await client.uploadDirectory(v2, await makeFolder('new', { 'n.txt': 'nn', 'sub/m.txt': 'm' }), { probation: true });
    const clone = join(folder, 'clone');
    await client.cloneVersion(v2, clone, { download: false });
    await symlink(join(cacheDir, 'bucket/p/a/v2/sub'), join(clone, 'all'));
    const v3 = { ...V1, version: 'v3' };
    const result = await client.uploadDirectory(v3, clone, { deduplicate: false });
    expect(result).toMatchObject({ sent: { files: 3, bytes: 4 }, linked: { files: 0 } });
    expect(Object.keys(await client.fetchManifest(v3))).toEqual(['all/m.txt', 'n.txt', 'sub/m.txt']);
  });

  it('`never`: files that are not in the cache are fetched', async () => {
    const { prepare, bucket } = await createClone({ download: false });
    expect((await prepare('never')).files).toHaveLength(4);
    expect(await readFile(join(bucket, 'sub/b.txt'), 'utf8')).toBe('content of b');
  });

  it.each<[string, string, RegExp]>([
    ['to nothing', 'nowhere', /^x is a symlink to nothing/],
    ['to itself', 'x', /^x is a symlink that leads to itself/],
    ['to the folder that it stands in', '.', /^x is a symlink to a folder that it stands in/],
    ['below a file', 'real.txt/below', /^x is a symlink to nothing/],
  ])('%s are an error', async (_name, text, message) => {
    const { client, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', { 'real.txt': 'r' });
    await symlink(text, join(mine, 'x'));
    await expect(client.prepareDirectoryUpload(mine)).rejects.toMatchObject({
      code: 'invalid-tree',
      details: { faults: [expect.stringMatching(message)] },
    });
  });

  it('to a file of the cache that no version has are an error when it is not there', async () => {
    const { client, makeFolder, bucket } = await createClone();
    const mine = await makeFolder('mine', {});
    await symlink(join(bucket, 'no-such-file'), join(mine, 'x'));
    await expect(client.prepareDirectoryUpload(mine)).rejects.toMatchObject({ code: 'invalid-tree' });
  });
});

describe('what a version cannot hold', () => {
  it('is refused with every name, before anything is sent', async () => {
    const { client, makeFolder, registry } = await createRig(seed);
    const mine = await makeFolder('mine', { 'fine.txt': '', '..hidden': '', 'sub/...x': '', 'back\\slash': '' });
    const before = registry.count({ method: 'POST' });
    await expect(client.uploadDirectory({ ...V1, version: 'v2' }, mine)).rejects.toMatchObject({
      code: 'invalid-tree',
      message: expect.stringContaining('nothing was sent'),
      details: {
        faults: [
          '..hidden has a component that begins with ".."',
          'back\\slash contains a backslash',
          'sub/...x has a component that begins with ".."',
        ],
      },
    });
    expect(registry.count({ method: 'POST' })).toBe(before);
  });

  it.runIf(process.platform === 'linux')('has names that are not UTF-8 shown with their bytes', async () => {
    const { client, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', { 'fine.txt': '' });
    await writeFile(Buffer.concat([Buffer.from(`${mine}/caf`), Buffer.of(0xe9)]), '');
    await expect(client.prepareDirectoryUpload(mine)).rejects.toMatchObject({
      code: 'invalid-tree',
      message: expect.stringContaining('caf\\xe9 is not valid Unicode'),
    });
  });

  it.runIf(process.platform === 'linux')('lies deeper than any path of the system leads', async () => {
    const { client } = await createRig(seed);
    const names = Array.from({ length: 1000 }, (_, at) => `d${at}`);
    const { root, inmost } = await deepFolder(names);
    await writeFile(join(inmost, 'file'), '');
    await symlink('file', join(inmost, 'link'));
    const at = names.join('/');
    await expect(client.prepareDirectoryUpload(root)).rejects.toMatchObject({
      code: 'invalid-tree',
      details: { faults: [`${at}/file is longer than 1024 bytes`, `${at}/link is longer than 1024 bytes`] },
    });
  });

  it.runIf(process.platform !== 'win32')('has special files named', async () => {
    const { client, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', {});
    execFileSync('mkfifo', [join(mine, 'pipe')]);
    await symlink('/dev/null', join(mine, 'device'));
    await expect(client.prepareDirectoryUpload(mine)).rejects.toMatchObject({
      code: 'invalid-tree',
      details: {
        faults: [
          'device is a symlink to something that is neither a file nor a folder',
          'pipe is neither a file nor a folder nor a link',
        ],
      },
    });
  });

  it.each([
    ['a file', 'file'],
    ['nothing', 'nothing'],
  ])('is a folder that is %s', async (_name, path) => {
    const { client, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', { file: '' });
    await expect((async () => client.prepareDirectoryUpload(join(mine, path)))()).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});

describe('a file that was edited through its link', () => {
  it('is not published as if it were the old one: it is named, with what to do', async () => {
    const { client, clone, bucket } = await createClone();
    await chmod(join(bucket, 'sub/b.txt'), 0o644);
    await writeFile(join(clone, 'sub/b.txt'), 'EDITED');
    await expect(client.prepareDirectoryUpload(clone)).rejects.toMatchObject({
      code: 'invalid-tree',
      details: {
        faults: [expect.stringMatching(/^sub\/b\.txt was edited through its link, in the cache\.[\s\S]*--rescue/)],
      },
    });
    expect(await readFile(join(bucket, 'sub/b.txt'), 'utf8')).toBe('EDITED');
  });

  it('is found also when its size and time are as before', async () => {
    const { client, clone, bucket } = await createClone();
    const file = join(bucket, 'a.txt');
    await chmod(file, 0o644);
    await utimes(file, 1e9, 1e9);
    await client.saveVersion(V1);
    await writeFile(file, 'CONTENT OF A');
    await utimes(file, 1e9, 1e9);
    await expect(client.prepareDirectoryUpload(clone)).rejects.toMatchObject({ code: 'invalid-tree' });
  });

  it('is not seen in one that was merely linked once more, or left by another client', async () => {
    const { client, clone, bucket, folder, cacheDir } = await createClone();
    await link(join(bucket, 'a.txt'), join(folder, 'once-more'));
    await rm(join(cacheDir, '.gypsum-client/1/verified'), { recursive: true });
    expect((await client.prepareDirectoryUpload(clone)).links).toHaveLength(4);
  });
});

describe('.gypsumignore', () => {
  it('leaves out what it names, with itself, and it is said how much', async () => {
    const { client, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', {
      '.gypsumignore': '*.tmp\nbuild/\n..odd\n',
      'a.txt': 'a',
      'x.tmp': '',
      'sub/y.tmp': '',
      'sub/.gypsumignore': 'data like any other',
      'build/one': '',
      'build/two': '',
      '..odd': 'what could not be published',
    });
    const { files, ignored } = await client.prepareDirectoryUpload(mine);
    expect(files.map(({ path }) => path)).toEqual(['a.txt', 'sub/.gypsumignore']);
    expect(ignored).toBe(4);
    expect(await client.planUpload({ ...V1, version: 'v2' }, mine)).toMatchObject({ ignored: 4 });
    expect(await client.uploadDirectory({ ...V1, version: 'v2' }, mine)).toMatchObject({ files: 2, ignored: 4 });
  });

  it('publishes nothing where that is all there is', async () => {
    const { client, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', { '.gypsumignore': '*\n', 'a.txt': 'a', 'sub/b.txt': 'b' });
    const v2 = { ...V1, version: 'v2' };
    const refused = {
      code: 'invalid-tree',
      message: expect.stringMatching(/Every file of .*mine is left out by its \.gypsumignore\.$/),
      details: { ignored: 2 },
    };
    await expect(client.prepareDirectoryUpload(mine)).rejects.toMatchObject(refused);
    await expect(client.planUpload(v2, mine)).rejects.toMatchObject(refused);
    await expect(client.uploadDirectory(v2, mine)).rejects.toMatchObject(refused);
    expect(await client.listVersions(V1)).toEqual(['v1']);
  });

  it('keeps ignored folders from being looked into', async () => {
    const { client, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', {
      '.gypsumignore': 'left-out/',
      'a.txt': '',
      'left-out/x': '',
      'left-out/y': '',
    });
    const scanned: number[] = [];
    const onEvent = (event: GypsumEvent) => {
      if (event.type === 'progress' && event.task === 'scan') scanned.push(event.files);
    };
    await client.prepareDirectoryUpload(mine, { onEvent });
    expect(scanned).toEqual([1]);
  });

  it('means links too, and what is in folders that are links', async () => {
    const { client, clone, bucket } = await createClone({ download: false });
    await writeFile(join(clone, '.gypsumignore'), 'a.txt\nall/sub/\n');
    await symlink(bucket, join(clone, 'all'));
    const { links, ignored } = await client.prepareDirectoryUpload(clone);
    expect(links.map(({ path }) => path)).toEqual(['all/sub.txt', 'sub/b.txt', 'sub/deep/c.txt', 'sub.txt']);
    expect(ignored).toBe(4);
  });
});
