import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { chmod, link, lstat, mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type GypsumEvent, isGypsumError } from '../../src/index.ts';
import { fsPath } from '../../src/model/local-path.ts';
import { joinPath } from '../../src/model/tree.ts';
import { createPlaces } from '../../src/tree/places.ts';
import { aroundCalls } from '../helpers/around-calls.ts';
import { pathsBelow } from '../helpers/entries-below.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { 'x.txt': 'x\n', 'sub/y.txt': 'yy\n', 'sub/deep/z.txt': 'zzz\n', 'empty.txt': '' };
const seed = {
  versions: {
    'p/a/v1': FILES,
    'p/a/v2': { 'x.txt': { link: 'p/a/v1:/x.txt' }, 'sub/y.txt': { link: 'p/a/v1:/sub/y.txt' }, 'n.txt': 'new\n' },
  },
};
const hasTar = spawnSync('tar', ['--version']).status === 0;

async function createClone({
  mode = 'symlink',
  download = true,
}: {
  mode?: 'symlink' | 'copy' | 'hardlink';
  download?: boolean;
} = {}) {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'work/clone');
  await rig.client.cloneVersion(V1, clone, { mode, download });
  const dest = join(rig.folder, 'out/dest');
  return { ...rig, clone, dest, export: (options = {}) => rig.client.exportClone(clone, dest, options) };
}

/** Puts a file in the place of a link. */
async function replace(path: string, content: string): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, content);
}

/** Says that nothing of an export is there, not even the folder that was made for it. */
function expectNothing(folder: string): void {
  expect(readdirSync(folder).sort()).not.toContain('out');
  const left = pathsBelow(folder).filter((name) => name.includes('..gypsum-'));
  expect(left).toEqual([]);
}

describe('an exported clone', () => {
  it.each(['symlink', 'copy', 'hardlink'] as const)('of mode %s has real files of its own', async (mode) => {
    const { clone, dest, registry, ...rig } = await createClone({ mode });
    registry.resetCalls();
    expect(await rig.export()).toEqual({
      ...V1,
      directory: clone,
      destination: dest,
      files: 4,
      bytes: 9,
      changes: expect.objectContaining({ unchanged: { files: 4, bytes: 9 }, modified: { files: 0, bytes: 0 } }),
    });
    expect(registry.calls).toEqual([]);
    expect(await readTree(dest)).toEqual(FILES);
    for (const path of Object.keys(FILES)) {
      const stats = await lstat(join(dest, path));
      expect({ isFile: stats.isFile(), nlink: stats.nlink, mode: stats.mode & 0o777 }).toEqual({
        isFile: true,
        nlink: 1,
        mode: 0o644 & ~process.umask(),
      });
    }
    expect(readdirSync(dirname(dest))).toEqual(['dest']);
  });

  it('is the folder as it stands: edited, added, moved, executable, ignored and empty things', async () => {
    const { clone, dest, ...rig } = await createClone();
    await replace(join(clone, 'x.txt'), 'edited\n');
    await chmod(join(clone, 'x.txt'), 0o750);
    await rm(join(clone, 'empty.txt'));
    // A link to a link into the cache leads there, too.
    await symlink('sub/deep/z.txt', join(clone, 'another.txt'));
    await rename(join(clone, 'sub/y.txt'), join(clone, 'moved.txt'));
    await writeFile(join(clone, '.gypsumignore'), '*.tmp\n');
    await writeFile(join(clone, 'a.tmp'), 'tmp');
    await writeFile(join(clone, '..gypsum-1.half'), 'ha');
    await mkdir(join(clone, 'hollow/inner'), { recursive: true });
    await writeFile(join(clone, 'back\\slash'), 'odd');
    await writeFile(fsPath(join(clone, 'caf\udce9')), 'latin');
    expect(await rig.export()).toMatchObject({
      files: 8,
      changes: {
        modified: { files: 1, bytes: 7 },
        removed: { files: 1 },
        moved: { files: 1 },
        added: { files: 5 },
        unchanged: { files: 1 },
      },
    });
    expect(readFileSync(fsPath(join(dest, 'caf\udce9')), 'utf8')).toBe('latin');
    await rm(fsPath(join(dest, 'caf\udce9')));
    expect(await readTree(dest)).toEqual({
      'x.txt': 'edited\n',
      'moved.txt': 'yy\n',
      'another.txt': 'zzz\n',
      'sub/deep/z.txt': 'zzz\n',
      '.gypsumignore': '*.tmp\n',
      'a.tmp': 'tmp',
      'back\\slash': 'odd',
    });
    expect(statSync(join(dest, 'x.txt')).mode & 0o777).toBe(0o755 & ~process.umask());
    expect(readdirSync(join(dest, 'hollow'))).toEqual(['inner']);
  });

  it('may be of a folder in it, and of folders that are links', async () => {
    const { client, clone, dest, cacheDir, folder } = await createClone();
    await rm(join(clone, 'sub/deep'), { recursive: true });
    await symlink(join(cacheDir, 'bucket/p/a/v1/sub/deep'), join(clone, 'sub/deep'));
    const result = await client.exportClone(join(clone, 'sub'), dest);
    expect(result).toMatchObject({ files: 2, changes: { unchanged: { files: 2 }, removed: { files: 0 } } });
    expect(await readTree(dest)).toEqual({ 'y.txt': 'yy\n', 'deep/z.txt': 'zzz\n' });
    expect((await lstat(join(dest, 'deep'))).isDirectory()).toBe(true);
    await client.exportClone(relative(process.cwd(), clone), join(folder, 'again'));
    expect(await readTree(join(folder, 'again'))).toMatchObject({ 'sub/deep/z.txt': 'zzz\n' });
  });

  it('has what was made of copies, without permissions that no version has', async () => {
    const { clone, dest, ...rig } = await createClone({ mode: 'copy' });
    await chmod(join(clone, 'x.txt'), 0o600);
    await rig.export();
    expect(statSync(join(dest, 'x.txt')).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  it('has a file of its own also where that is a hard link to one elsewhere', async () => {
    const { clone, dest, folder, ...rig } = await createClone();
    await writeFile(join(folder, 'mine'), 'mine');
    await rm(join(clone, 'x.txt'));
    await link(join(folder, 'mine'), join(clone, 'x.txt'));
    expect(await rig.export()).toMatchObject({ changes: { modified: { files: 1 } } });
    expect(readFileSync(join(dest, 'x.txt'), 'utf8')).toBe('mine');
  });

  it.skipIf(!hasTar)('may be a tar file, with the time of the version, the same each time', async () => {
    const { client, clone, folder } = await createClone();
    await replace(join(clone, 'sub/run'), '#!');
    await chmod(join(clone, 'sub/run'), 0o700);
    await mkdir(join(clone, 'hollow'));
    const long = `${'long/'.repeat(60)}x`;
    await mkdir(dirname(join(clone, long)), { recursive: true });
    await writeFile(join(clone, long), '');
    const [first, second] = [join(folder, 'new/1.tar'), join(folder, '2.tar')];
    expect(await client.exportClone(clone, first)).toMatchObject({ destination: first, files: 6 });
    await client.exportClone(clone, second);
    expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
    const out = join(folder, 'extracted');
    mkdirSync(out);
    execFileSync('tar', ['-xpf', first, '-C', out]);
    expect(await readTree(out)).toEqual({ ...FILES, 'sub/run': '#!', [long]: '' });
    const { uploadFinish } = await client.fetchSummary(V1);
    const seconds = Math.floor((uploadFinish?.getTime() ?? 0) / 1000);
    for (const path of ['hollow', 'sub/run', 'x.txt', long])
      expect(statSync(join(out, path)).mtimeMs).toBe(seconds * 1000);
    expect(statSync(join(out, 'sub/run')).mode & 0o777).toBe(0o755);
  });

  it('is fetched first as far as it is missing, if that is asked for', async () => {
    const { clone, dest, folder, registry, ...rig } = await createClone({ download: false });
    await expect(rig.export()).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/not in the cache:\n {2}empty\.txt\n {2}sub\/deep\/z\.txt/),
      details: { missing: Object.keys(FILES).sort((a, b) => (a < b ? -1 : 1)) },
      hint: expect.stringMatching(/--fetch/),
    });
    expectNothing(folder);
    expect(registry.count({ key: 'p/a/v1/x.txt' })).toBe(0);
    expect(await rig.export({ fetch: true })).toMatchObject({ files: 4 });
    expect(await readTree(dest)).toEqual(FILES);
    // The clone is as it was.
    expect(await readlink(join(clone, 'x.txt'))).toMatch(/bucket\/p\/a\/v1\/x\.txt$/);
  });

  it.runIf(process.platform === 'linux')('may be 3,000 folders deep', async () => {
    const { client, clone, folder } = await createClone();
    // Node removes by whole paths, which are too long; this goes before the folder's own removal.
    onTestFinished(() => void execFileSync('rm', ['-rf', folder]));
    const places = createPlaces(clone);
    let inmost = '';
    for (let at = 0; at < 3_000; at++) {
      inmost = joinPath(inmost, 'd');
      mkdirSync(places.to(inmost));
    }
    writeFileSync(places.to(`${inmost}/own.txt`), 'own');
    symlinkSync(readlinkSync(join(clone, 'x.txt')), places.to(`${inmost}/link.txt`));
    places.close();
    const dest = join(folder, 'dest');
    expect(await client.exportClone(clone, dest)).toMatchObject({ files: 6 });
    const made = createPlaces(dest);
    expect(readFileSync(made.to(`${inmost}/own.txt`), 'utf8')).toBe('own');
    expect(readFileSync(made.to(`${inmost}/link.txt`), 'utf8')).toBe('x\n');
    made.close();
    const tar = join(folder, 'dest.tar');
    expect(await client.exportClone(clone, tar)).toMatchObject({ files: 6 });
    expect(readFileSync(tar).includes(`${inmost}/own.txt`)).toBe(true);
  });
});

describe.each(['dest', 'dest.tar'])('an export to %s fails as a whole', (name) => {
  it.each<[string, string, RegExp, (clone: string) => Promise<unknown>]>([
    [
      'of a link that dangles',
      'not-found',
      /sub\/y\.txt/,
      async (clone) => rm(await readlink(join(clone, 'sub/y.txt'))),
    ],
    [
      'of a cached file that was edited',
      'wrong-content',
      /^sub\/y\.txt cannot be exported.*p\/a\/v1:\/sub\/y\.txt/,
      async (clone) => {
        const cached = await readlink(join(clone, 'sub/y.txt'));
        await chmod(cached, 0o644);
        await writeFile(cached, 'zz\n');
      },
    ],
    [
      'of a link to a file outside',
      'invalid-tree',
      /out\.txt is a symlink/,
      (clone) => symlink('../o', join(clone, 'out.txt')),
    ],
    [
      'of a link to a file of the clone',
      'invalid-tree',
      /own\.txt is a symlink/,
      async (clone) => {
        await replace(join(clone, 'x.txt'), 'edited');
        await symlink('x.txt', join(clone, 'own.txt'));
      },
    ],
    ['of a link to itself', 'invalid-tree', /loop is a symlink/, (clone) => symlink('loop', join(clone, 'loop'))],
    [
      'of a special file',
      'invalid-tree',
      /pipe is neither a file/,
      async (clone) => execFileSync('mkfifo', [join(clone, 'pipe')]),
    ],
    [
      'of a link to a folder in the place of a cached file',
      'not-found',
      /sub\/y\.txt/,
      async (clone) => {
        const cached = await readlink(join(clone, 'sub/y.txt'));
        await rm(cached);
        await mkdir(cached);
      },
    ],
    [
      'of a link to what no version has',
      'invalid-tree',
      /odd is a symlink/,
      async (clone) => symlink(`${await readlink(join(clone, 'x.txt'))}-not`, join(clone, 'odd')),
    ],
  ])('because %s, with its name', async (_what, code, message, spoil) => {
    const { client, clone, folder } = await createClone();
    await spoil(clone);
    const before = await readTree(clone);
    await expect(client.exportClone(clone, join(folder, 'out', name))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
    expectNothing(folder);
    expect(await readTree(clone)).toEqual(before);
  });

  it('because a hard link into the cache was edited', async () => {
    const { client, clone, folder } = await createClone({ mode: 'hardlink' });
    await chmod(join(clone, 'x.txt'), 0o644);
    await writeFile(join(clone, 'x.txt'), 'z\n');
    await expect(client.exportClone(clone, join(folder, 'out', name))).rejects.toMatchObject({
      code: 'wrong-content',
      message: expect.stringMatching(/^x\.txt cannot/),
      hint: expect.stringContaining('gypsum stage --rescue'),
    });
    expectNothing(folder);
    // What the hint says helps.
    await client.stageFiles([join(clone, 'x.txt')], { rescue: true });
    await client.exportClone(clone, join(folder, 'out', name));
  });

  it('because a local file changes meanwhile', async () => {
    const { client, clone, folder } = await createClone();
    await replace(join(clone, 'x.txt'), 'edited\n');
    const onEvent = (event: GypsumEvent) => {
      if (event.type === 'start' && event.task === 'export') writeFileSync(join(clone, 'x.txt'), 'EDITED\n');
    };
    await expect(client.exportClone(clone, join(folder, 'out', name), { onEvent })).rejects.toMatchObject({
      code: 'file-changed',
      message: expect.stringMatching(/x\.txt changed/),
    });
    expectNothing(folder);
  });

  it('because a cached file goes meanwhile', async () => {
    const { client, clone, folder } = await createClone();
    const cached = await readlink(join(clone, 'x.txt'));
    const onEvent = (event: GypsumEvent) => {
      if (event.type === 'start' && event.task === 'export') rmSync(cached);
    };
    await expect(client.exportClone(clone, join(folder, 'out', name), { onEvent })).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expectNothing(folder);
  });

  it('because there is no space for it', async () => {
    const { client, clone, folder } = await createClone();
    aroundCalls({ statfs: async () => ({ bsize: 1, blocks: 100, bavail: 8 }) });
    await expect(client.exportClone(clone, join(folder, 'out', name))).rejects.toMatchObject({
      code: 'no-space',
      details: { needed: 9, free: 8 },
    });
    expectNothing(folder);
  });

  it('because it is stopped', async () => {
    const { client, clone, folder } = await createClone();
    const stop = new AbortController();
    const onEvent = (event: GypsumEvent) => {
      if (event.type === 'progress' && event.task === 'export') stop.abort('enough');
    };
    const { signal } = stop;
    await expect(client.exportClone(clone, join(folder, 'out', name), { signal, onEvent })).rejects.toBe('enough');
    expectNothing(folder);
  });

  it('because somebody makes its destination meanwhile, which stays as it is', async () => {
    const { client, clone, folder } = await createClone();
    const dest = join(folder, 'out', name);
    const onEvent = (event: GypsumEvent) => {
      if (event.type === 'progress' && event.task === 'export') mkdirSync(dest, { recursive: true });
    };
    await expect(client.exportClone(clone, dest, { onEvent })).rejects.toMatchObject({ code: 'destination-refused' });
    expect(readdirSync(join(folder, 'out'))).toEqual([name]);
    expect(readdirSync(dest)).toEqual([]);
  });
});

describe('an export is refused, before anything is read,', () => {
  it.each<[string, string, string]>([
    ['to a folder that is there', 'work', 'destination-refused'],
    ['to a file that is there', 'mine/there.tar', 'destination-refused'],
    ['to a symlink that is there', 'mine/broken', 'destination-refused'],
    ['into the clone', 'work/clone/dest', 'destination-refused'],
    ['into the clone by another way', 'mine/way/dest', 'destination-refused'],
    ['into the cache', 'cache/dest', 'destination-refused'],
    ['into the cache by another way', 'mine/near/dest', 'destination-refused'],
    ['into the site cache', 'site/dest', 'destination-refused'],
    ['below a symlink to itself', 'mine/loop/dest', 'destination-refused'],
    ['to what is no path', 'mine/a\0b', 'invalid-argument'],
    ['below a file', 'mine/there.tar/dest', 'destination-refused'],
    ['to a compressed file', 'mine/new.tar.gz', 'invalid-argument'],
    ['to nothing', '', 'invalid-argument'],
  ])('%s', async (_what, place, code) => {
    const { connect, clone, folder, cacheDir, makeFolder } = await createClone();
    const client = connect({ siteCacheDir: join(folder, 'site') });
    const mine = await makeFolder('mine', { 'there.tar': 'mine' });
    await makeFolder('site', {});
    await symlink('loop', join(mine, 'loop'));
    await symlink(cacheDir, join(mine, 'near'));
    await symlink('nowhere', join(mine, 'broken'));
    await symlink(clone, join(mine, 'way'));
    const before = await readTree(folder);
    const dest = place === '' ? '' : join(folder, place);
    await expect(client.exportClone(clone, dest)).rejects.toMatchObject({ code, hint: expect.any(String) });
    expect(await readTree(folder)).toEqual(before);
  });

  it('of what is no clone, or no folder', async () => {
    const { client, clone, dest, folder, makeFolder } = await createClone();
    const mine = await makeFolder('mine', { 'x.txt': 'x' });
    for (const wrong of [mine, join(clone, 'x.txt'), join(folder, 'nothing')]) {
      const error = await client.exportClone(wrong, dest).catch((reason: unknown) => reason);
      expect(isGypsumError(error, 'invalid-argument')).toBe(true);
    }
    expect(existsSync(dirname(dest))).toBe(false);
  });

  it('to a tar file, of names that are not UTF-8', async () => {
    const { client, clone, folder } = await createClone();
    await writeFile(fsPath(join(clone, 'caf\udce9')), 'latin');
    await expect(client.exportClone(clone, join(folder, 'out/x.tar'))).rejects.toMatchObject({
      code: 'destination-refused',
      message: expect.stringContaining('caf\\xe9'),
    });
    expectNothing(folder);
  });
});

it('a clone into the site cache is exported, and what that has lost is fetched', async () => {
  const { connect, folder } = await createRig(seed);
  const site = join(folder, 'site');
  await connect({ cacheDir: site }).saveVersion(V2);
  const reader = connect({ siteCacheDir: site });
  const clone = join(folder, 'clone');
  await reader.cloneVersion(V2, clone);
  expect(await readlink(join(clone, 'n.txt'))).toContain(site);
  await reader.exportClone(clone, join(folder, '1'));
  expect(await readTree(join(folder, '1'))).toEqual({ 'x.txt': 'x\n', 'sub/y.txt': 'yy\n', 'n.txt': 'new\n' });
  await rm(join(site, 'bucket/p/a/v2/n.txt'));
  await rm(join(site, '.gypsum-client'), { recursive: true });
  await expect(reader.exportClone(clone, join(folder, '2'))).rejects.toMatchObject({ code: 'not-found' });
  await reader.exportClone(clone, join(folder, '2'), { fetch: true });
  expect(await readTree(join(folder, '2'))).toMatchObject({ 'n.txt': 'new\n' });
});
