import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  linkFolders,
  type StagedFolder,
  type StageFolderOptions,
  type StageState,
  stageFolder,
} from '../../src/index.ts';
import { ownedName } from '../../src/owned-name.ts';
import { putFolder } from '../../src/tree/put-folder.ts';
import { type Item, layOut } from '../helpers/files.ts';
import { leftoverName } from '../helpers/leftover-name.ts';
import { snapshot } from '../helpers/snapshot.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

async function setup(items: Record<string, Item>) {
  const top = await tempFolder();
  layOut(top, { 'src/f': 'f', 'src/sub/g': 'g', dst: 'folder/', 'beside/canary': 'canary', ...items });
  return { top, src: join(top, 'src'), dst: join(top, 'dst') };
}

/** Stages, and sees that nothing changes outside of the folder. */
async function stage({ top, dst }: { top: string; dst: string }, options?: StageFolderOptions): Promise<StagedFolder> {
  const before = snapshot(top, dst);
  const result = await stageFolder(dst, options);
  expect(snapshot(top, dst)).toEqual(before);
  return result;
}

const statesOf = ({ links }: StagedFolder) =>
  Object.fromEntries(links.map(({ path, state }): [string, StageState] => [path, state]));
const isFile = (path: string) => lstatSync(path).isFile();

function withUmask(mask: number): void {
  const before = process.umask(mask);
  onTestFinished(() => void process.umask(before));
}

describe('staging a folder', () => {
  it.each(['absolute', 'relative'] as const)(
    'makes writable files of %s links, whatever the current folder is',
    async (linkType) => {
      const pair = await setup({ 'dst/f': 'f', 'dst/sub/g': 'g' });
      await linkFolders(pair.src, pair.dst, { linkType, protect: true });
      const result = await stage(pair);
      expect(result).toMatchObject({
        directory: pair.dst,
        counts: { staged: 2, failed: 0, dangling: 0 },
        stopped: false,
      });
      for (const path of ['f', 'sub/g']) {
        expect(isFile(join(pair.dst, path))).toBe(true);
        expect(readFileSync(join(pair.dst, path), 'utf8')).toBe(readFileSync(join(pair.src, path), 'utf8'));
        expect(statSync(join(pair.dst, path)).mode & 0o777).toBe(0o644);
        expect(statSync(join(pair.src, path)).mode & 0o777).toBe(0o444);
      }
      expect((await stage(pair)).links).toEqual([]);
      expect(readdirSync(pair.dst).toSorted()).toEqual(['f', 'sub']);
    },
  );

  it('keeps x bits, has the umask take what it takes, and other permissions if they are given', async () => {
    const pair = await setup({ 'src/run': '#!', 'dst/run': { link: '../src/run' } });
    const modeOf = async (mode: number, options?: StageFolderOptions) => {
      chmodSync(join(pair.src, 'run'), mode);
      rmSync(join(pair.dst, 'run'));
      symlinkSync('../src/run', join(pair.dst, 'run'));
      await stage(pair, options);
      return statSync(join(pair.dst, 'run')).mode & 0o7777;
    };
    withUmask(0o022);
    expect(await modeOf(0o755)).toBe(0o755);
    expect(await modeOf(0o555)).toBe(0o755);
    expect(await modeOf(0o444)).toBe(0o644);
    expect(await modeOf(0o666)).toBe(0o644);
    expect(await modeOf(0o755, { mode: 0o644 })).toBe(0o644);
    withUmask(0o077);
    expect(await modeOf(0o755)).toBe(0o700);
  });

  it('gives the final content of a link to a link', async () => {
    const pair = await setup({
      'src/chain': { link: 'f' },
      'dst/a': { link: '../src/chain' },
      'dst/b': { link: 'a' },
      'dst/sub/c': { link: '../b' },
    });
    expect(statesOf(await stage(pair))).toEqual({ a: 'staged', b: 'staged', 'sub/c': 'staged' });
    for (const path of ['a', 'b', 'sub/c']) expect(readFileSync(join(pair.dst, path), 'utf8')).toBe('f');
  });

  it('says what it leaves alone', async () => {
    const pair = await setup({
      'dst/dangling': { link: '../src/no' },
      'dst/loop': { link: 'loop' },
      'dst/below-a-file': { link: '../src/f/x' },
      'dst/folder': { link: '../src/sub' },
      'dst/f': { link: '../src/f' },
      'dst/fifo': { link: '../src/fifo' },
      'dst/mine': 'mine',
      'dst/..gypsum-1': { link: '../src/f' },
    });
    execFileSync('mkfifo', [join(pair.src, 'fifo')]);
    const expected: Record<string, StageState> = {
      'below-a-file': 'dangling',
      dangling: 'dangling',
      f: 'staged',
      fifo: 'special',
      folder: 'folder',
      loop: 'dangling',
    };
    const before = snapshot(pair.top);
    expect(statesOf(await stage(pair, { dryRun: true }))).toEqual({ ...expected, f: 'link' });
    expect(snapshot(pair.top)).toEqual(before);
    const result = await stage(pair);
    expect(statesOf(result)).toEqual(expected);
    expect(result.counts).toEqual({ staged: 1, link: 0, folder: 1, other: 0, dangling: 3, special: 1, failed: 0 });
    expect(readlinkSync(join(pair.dst, 'dangling'))).toBe('../src/no');
    expect(result.links[0]).toEqual({ path: 'below-a-file', state: 'dangling', target: '../src/f/x' });
  });

  it('takes only links that lead into a folder, if one is named', async () => {
    const pair = await setup({
      'dst/f': { link: '../src/f' },
      'dst/chain': { link: 'f' },
      'dst/far': { link: '../src/away' },
      'src/away': { link: '../beside/canary' },
      'dst/other': { link: '../beside/canary' },
      'dst/gone': { link: '../src/gone' },
      alias: { link: 'src' },
      'dst/through': { link: '../alias/f' },
    });
    expect(statesOf(await stage(pair, { source: join(pair.top, 'alias') }))).toEqual({
      chain: 'staged',
      f: 'staged',
      far: 'staged',
      gone: 'dangling',
      other: 'other',
      through: 'staged',
    });
    expect(readlinkSync(join(pair.dst, 'other'))).toBe('../beside/canary');
  });

  it('takes only links that are named, and those below folders that are', async () => {
    const pair = await setup({
      'dst/f': { link: '../src/f' },
      'dst/sub/g': { link: '../../src/sub/g' },
      'dst/sub.too': { link: '../src/f' },
      'dst/rest': { link: '../src/f' },
    });
    expect(statesOf(await stage(pair, { only: ['f', 'sub'] }))).toEqual({ f: 'staged', 'sub/g': 'staged' });
    expect(lstatSync(join(pair.dst, 'sub.too')).isSymbolicLink()).toBe(true);
  });

  it('refuses what is no folder', async () => {
    const { top } = await setup({});
    await expect(stageFolder(join(top, 'nowhere'))).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(stageFolder(join(top, 'dst'), { source: join(top, 'no') })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  it('ends by its signal before anything is done', async () => {
    const pair = await setup({ 'dst/f': { link: '../src/f' } });
    const reason = new Error('enough');
    await expect(stage(pair, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(readlinkSync(join(pair.dst, 'f'))).toBe('../src/f');
  });
});

describe('staging links to folders', () => {
  const items = {
    'src/tree/a': 'a',
    'src/tree/hollow': 'folder/',
    'src/tree/deep/b': 'b',
    'src/tree/deep/link': { link: '../../f' },
    'src/tree/deep/folder-link': { link: '../../sub' },
    'dst/tree': { link: '../src/tree' },
  } as const;

  it('makes folders of files of their own, with what links in them lead to', async () => {
    const pair = await setup(items);
    chmodSync(join(pair.src, 'tree/a'), 0o555);
    expect(statesOf(await stage(pair, { folders: true }))).toEqual({ tree: 'staged' });
    for (const [path, text] of Object.entries({ a: 'a', 'deep/b': 'b', 'deep/link': 'f', 'deep/folder-link/g': 'g' })) {
      expect(isFile(join(pair.dst, 'tree', path)), path).toBe(true);
      expect(readFileSync(join(pair.dst, 'tree', path), 'utf8')).toBe(text);
    }
    expect(lstatSync(join(pair.dst, 'tree/hollow')).isDirectory()).toBe(true);
    expect(statSync(join(pair.dst, 'tree/a')).mode & 0o777).toBe(0o755 & ~process.umask());
    expect(readdirSync(pair.dst)).toEqual(['tree']);
  });

  it.each<[string, Record<string, Item>, RegExp]>([
    ['leads to a folder above', { 'dst/tree': { link: '..' } }, /leads to a folder that it lies in/],
    ['leads to its own folder', { 'dst/tree': { link: '.' } }, /leads to a folder that it lies in/],
    [
      'holds a circle',
      { 'src/ring/again': { link: '../ring' }, 'dst/tree': { link: '../src/ring' } },
      /again leads in a circle/,
    ],
    ['holds a link to nowhere', { 'src/bad/x': { link: 'no' }, 'dst/tree': { link: '../src/bad' } }, /x leads nowhere/],
  ])('leaves one as it is that %s', async (_what, items, why) => {
    const pair = await setup({ ...items, 'dst/z': { link: '../src/f' }, 'dst/ztree': { link: '../src/sub' } });
    const result = await stage(pair, { folders: true });
    expect(statesOf(result)).toEqual({ tree: 'failed', z: 'staged', ztree: 'staged' });
    expect(result.links[0]?.message).toMatch(why);
    expect(lstatSync(join(pair.dst, 'tree')).isSymbolicLink()).toBe(true);
    expect(readdirSync(pair.dst)).toEqual(['tree', 'z', 'ztree']);
  });

  it('ends at the first failure, if that is asked for', async () => {
    const pair = await setup({
      'src/bad/x': { link: 'no' },
      'dst/tree': { link: '../src/bad' },
      'dst/ztree': { link: '../src/sub' },
    });
    const result = await stage(pair, { folders: true, failFast: true });
    expect(result.stopped).toBe(true);
    expect(statesOf(result)).toEqual({ tree: 'failed', ztree: 'folder' });
  });

  it('leaves alone a link that has become something else', async () => {
    const { dst } = await setup({ ...items });
    const steps = [{ path: 'x', after: { type: 'symlink', target: '/' } }] as const;
    const before = { type: 'symlink', target: '../src/other' } as const;
    await expect(putFolder(dst, 'tree', before, steps, {})).rejects.toMatchObject({ code: 'file-changed' });
    expect(readlinkSync(join(dst, 'tree'))).toBe('../src/tree');
    expect(readdirSync(dst)).toEqual(['tree']);
  });

  it('ends what a killed run has begun, and nothing that another one may be at', async () => {
    const pair = await setup(items);
    const living = `..gypsum-${ownedName()}`;
    layOut(pair.dst, {
      // What stands there right after the link has gone.
      [`sub/${leftoverName()}/whole/a`]: 'a',
      [`${leftoverName()}/..unfinished/a`]: 'a',
      [`${leftoverName()}/tree/a`]: 'x',
      [leftoverName()]: 'half',
      [leftoverName()]: { link: '../src/f' },
      [`${living}/other/a`]: 'a',
    });
    const before = snapshot(pair.top);
    await stage(pair, { dryRun: true });
    expect(snapshot(pair.top)).toEqual(before);
    expect(statesOf(await stage(pair))).toEqual({ 'sub/whole': 'staged', tree: 'folder' });
    expect(readFileSync(join(pair.dst, 'sub/whole/a'), 'utf8')).toBe('a');
    expect(readdirSync(join(pair.dst, 'sub'))).toEqual(['whole']);
    expect(readdirSync(pair.dst).toSorted()).toEqual([living, 'sub', 'tree'].toSorted());
    expect(readlinkSync(join(pair.dst, 'tree'))).toBe('../src/tree');
  });
});

describe('a folder that was linked and staged', () => {
  it('can be edited, and linked again but for the edit', async () => {
    const pair = await setup({ 'dst/f': 'f', 'dst/sub/g': 'g' });
    for (let round = 0; round < 3; round++) {
      expect((await linkFolders(pair.src, pair.dst)).counts.linked).toBe(round === 0 ? 2 : 1);
      await stage(pair);
      writeFileSync(join(pair.dst, 'f'), `edit ${round}`);
    }
    const { counts } = await linkFolders(pair.src, pair.dst);
    expect(counts).toMatchObject({ linked: 1, different: 1 });
    expect(readFileSync(join(pair.dst, 'f'), 'utf8')).toBe('edit 2');
    expect(readFileSync(join(pair.src, 'f'), 'utf8')).toBe('f');
    // Both can be moved together: the links are relative.
    mkdirSync(join(pair.top, 'new'));
    for (const name of ['src', 'dst']) renameSync(join(pair.top, name), join(pair.top, 'new', name));
    expect(readFileSync(join(pair.top, 'new/dst/sub/g'), 'utf8')).toBe('g');
    unlinkSync(join(pair.top, 'new/dst/sub/g'));
  });
});
