import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { LinkOptions, LinkPlan, LinkResult, LinkState } from '../../src/index.ts';
import { applyLinking, linkFolders, linkStatus, planLinking } from '../../src/index.ts';
import { ownedName } from '../../src/owned-name.ts';
import { type Item, layOut } from '../helpers/files.ts';
import { leftoverName } from '../helpers/leftover-name.ts';
import { snapshot } from '../helpers/snapshot.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

interface Pair {
  readonly top: string;
  readonly src: string;
  readonly dst: string;
}

async function setup(src: Record<string, Item>, dst: Record<string, Item> = src): Promise<Pair> {
  const top = await tempFolder();
  const pair = { top, src: join(top, 'src'), dst: join(top, 'dst') };
  mkdirSync(pair.src);
  mkdirSync(pair.dst);
  layOut(pair.src, src);
  layOut(pair.dst, dst);
  layOut(top, { 'beside/canary': 'canary' });
  return pair;
}

/** Links, and sees that nothing changes outside of the destination. */
async function link({ top, src, dst }: Pair, options?: LinkOptions): Promise<LinkResult> {
  const before = snapshot(top, dst);
  const result = await linkFolders(src, dst, options);
  expect(snapshot(top, dst)).toEqual(before);
  return result;
}

const statesOf = ({ files }: Pick<LinkResult, 'files'>) =>
  Object.fromEntries(files.map(({ path, state }): [string, LinkState] => [path, state]));

describe('linking two folders', () => {
  it('finds the files that both have', async () => {
    const { src, dst } = await setup({ 'file1.txt': 'Hello, World!' });
    const { steps, files } = await planLinking(src, dst);
    expect(files).toEqual([{ path: 'file1.txt', state: 'same', target: '../src/file1.txt' }]);
    expect(steps).toEqual([
      {
        path: 'file1.txt',
        before: { type: 'file', seen: expect.any(Array) },
        after: { type: 'symlink', target: '../src/file1.txt', seen: expect.any(Array) },
      },
    ]);
    expect(lstatSync(join(dst, 'file1.txt')).isFile()).toBe(true);
  });

  it.each<[LinkOptions, (src: string, dst: string) => string]>([
    [{ linkType: 'absolute' }, (src) => src],
    [{ linkType: 'relative' }, (src, dst) => relative(join(dst, '..'), src)],
    [{}, (src, dst) => relative(join(dst, '..'), src)],
  ])('with %j puts links to them in their places', async (options, text) => {
    const pair = await setup({ 'file1.txt': 'Hello, World!', 'sub/f2': '2', empty: '' });
    const result = await link(pair, options);
    expect(result).toMatchObject({
      source: pair.src,
      destination: pair.dst,
      counts: { linked: 3, failed: 0 },
      stopped: false,
      folders: [],
      unprotected: [],
    });
    for (const path of ['file1.txt', 'sub/f2', 'empty']) {
      const [file, place] = [join(pair.src, path), join(pair.dst, path)];
      expect(lstatSync(place).isSymbolicLink()).toBe(true);
      expect(readlinkSync(place)).toBe(text(file, place));
      expect(realpathSync(place)).toBe(file);
    }
    expect(readdirSync(pair.dst).toSorted()).toEqual(['empty', 'file1.txt', 'sub']);
  });

  it('says of every file what it is, and leaves alone what is not the same', async () => {
    const pair = await setup(
      {
        ' same': 'same',
        different: 'one',
        longer: 'one',
        missing: 'm',
        'a-folder': 'file',
        'a-fifo': 'file',
        'a-broken-link': 'b',
        'a-link-to-a-folder': 'file',
        'a-link-to-the-same': 'text',
        'a-link-to-another': 'text',
        'below/a-file': 'x',
      },
      {
        ' same': 'same',
        different: 'two',
        longer: 'more',
        extra: 'only here',
        'a-folder/x': 'x',
        'a-broken-link': { link: 'no/where' },
        'a-link-to-a-folder': { link: 'a-folder' },
        'a-link-to-the-same': { link: 'text' },
        'a-link-to-another': { link: 'extra' },
        text: 'text',
        below: 'a file',
      },
    );
    execFileSync('mkfifo', [join(pair.dst, 'a-fifo')]);
    execFileSync('mkfifo', [join(pair.src, 'fifo')]);
    symlinkSync('below', join(pair.src, 'link-to-folder'));
    const expected: Record<string, LinkState> = {
      ' same': 'linked',
      'a-broken-link': 'broken-link',
      'a-fifo': 'type-differs',
      'a-folder': 'type-differs',
      'a-link-to-a-folder': 'type-differs',
      'a-link-to-another': 'different',
      'a-link-to-the-same': 'linked',
      'below/a-file': 'type-differs',
      different: 'different',
      fifo: 'type-differs',
      longer: 'different',
      missing: 'missing',
    };
    expect(statesOf(await linkStatus(pair.src, pair.dst))).toEqual({
      ...expected,
      ' same': 'same',
      'a-link-to-the-same': 'same',
    });
    const before = snapshot(pair.dst);
    const result = await link(pair);
    expect(statesOf(result)).toEqual(expected);
    expect(result.counts).toEqual({
      linked: 2,
      'already-linked': 0,
      same: 0,
      different: 3,
      missing: 1,
      'type-differs': 5,
      'broken-link': 1,
      alias: 0,
      failed: 0,
    });
    const after = snapshot(pair.dst);
    for (const path of ['', ' same', 'a-link-to-the-same']) {
      delete before[path];
      delete after[path];
    }
    expect(after).toEqual(before);
    expect(Object.keys(statesOf(result))).toEqual(result.files.map(({ path }) => path));
  });

  it('twice is the same as once', async () => {
    const pair = await setup({ a: 'a', 'sub/b': 'b' });
    await link(pair);
    const before = snapshot(pair.dst);
    const again = await link(pair);
    expect(again.counts).toMatchObject({ linked: 0, 'already-linked': 2 });
    expect(snapshot(pair.dst)).toEqual(before);
  });

  it('has links that are right name their files in the other way, if that is asked for', async () => {
    const pair = await setup({ a: 'a' });
    await link(pair, { linkType: 'absolute' });
    expect((await link(pair)).counts).toMatchObject({ linked: 0, 'already-linked': 1 });
    expect(readlinkSync(join(pair.dst, 'a'))).toBe(join(pair.src, 'a'));
    expect((await link(pair, { linkType: 'relative' })).counts).toMatchObject({ linked: 1 });
    expect(readlinkSync(join(pair.dst, 'a'))).toBe('../src/a');
    expect((await link(pair, { linkType: 'absolute' })).counts).toMatchObject({ linked: 1 });
    expect(readFileSync(join(pair.dst, 'a'), 'utf8')).toBe('a');
  });

  it('mends broken links if it is asked to', async () => {
    const pair = await setup({ a: 'a' }, { a: { link: 'no/where' } });
    expect((await link(pair)).counts).toMatchObject({ 'broken-link': 1 });
    expect(readlinkSync(join(pair.dst, 'a'))).toBe('no/where');
    expect((await link(pair, { relink: true })).counts).toMatchObject({ linked: 1, 'broken-link': 0 });
    expect(readFileSync(join(pair.dst, 'a'), 'utf8')).toBe('a');
  });

  it('leads to a link of the source, not to what that leads to', async () => {
    const pair = await setup({ real: 'text', chain: { link: 'real' } }, { chain: 'text' });
    await link(pair);
    expect(readlinkSync(join(pair.dst, 'chain'))).toBe('../src/chain');
    expect(statesOf(await link(pair))).toEqual({ real: 'missing', chain: 'already-linked' });
  });

  it('goes on where a source is a link to nowhere', async () => {
    const pair = await setup(
      { a: 'a', broken: { link: 'nowhere' }, loop: { link: 'loop' }, z: 'z' },
      { a: 'a', broken: 'b', loop: 'l', z: 'z' },
    );
    const result = await link(pair);
    expect(statesOf(result)).toEqual({ a: 'linked', broken: 'failed', loop: 'failed', z: 'linked' });
    expect(readFileSync(join(pair.dst, 'broken'), 'utf8')).toBe('b');
  });

  it('makes relative links from where the destination really is', async () => {
    const pair = await setup({ a: 'a', 'sub/b': 'b' });
    mkdirSync(join(pair.top, 'far/away'), { recursive: true });
    renameSync(pair.dst, join(pair.top, 'far/away/dst'));
    symlinkSync('far/away', join(pair.top, 'near'));
    const there = { ...pair, dst: join(pair.top, 'near/dst') };
    expect((await linkFolders(there.src, there.dst)).counts).toMatchObject({ linked: 2 });
    expect(readlinkSync(join(there.dst, 'sub/b'))).toBe('../../../../src/sub/b');
    expect(readFileSync(join(there.dst, 'sub/b'), 'utf8')).toBe('b');
  });

  it('names the source as it was given, also through a symlink', async () => {
    const pair = await setup({ a: 'a' });
    symlinkSync('src', join(pair.top, 'alias'));
    await link({ ...pair, src: join(pair.top, 'alias') }, { linkType: 'absolute' });
    expect(readlinkSync(join(pair.dst, 'a'))).toBe(join(pair.top, 'alias/a'));
  });

  it('keeps names that are no UTF-8', async ({ skip }) => {
    if (process.platform !== 'linux') return skip('names are Unicode there');
    const pair = await setup({ '\u00e9': 'x' });
    const name = Buffer.from([0x66, 0xff]);
    for (const folder of [pair.src, pair.dst]) writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), 'odd');
    expect(statesOf(await linkFolders(pair.src, pair.dst))).toEqual({ 'f\udcff': 'linked', '\u00e9': 'linked' });
    expect(readlinkSync(Buffer.concat([Buffer.from(`${pair.dst}/`), name]), 'buffer')).toEqual(
      Buffer.concat([Buffer.from('../src/'), name]),
    );
  });

  it('takes away what a killed run has left in the destination, and nothing that another one may need', async () => {
    const [link1, file, inSource] = [leftoverName(), leftoverName(), leftoverName()];
    const living = `..gypsum-${ownedName()}`;
    const pair = await setup(
      { 'sub/a': 'a', [inSource]: 'left', [living]: 'left' },
      { 'sub/a': 'a', [`sub/${link1}`]: { link: '../src/a' }, [file]: 'left', [living]: 'left', '..gypsum-1': 'left' },
    );
    const before = snapshot(pair.top);
    await linkStatus(pair.src, pair.dst);
    expect(snapshot(pair.top)).toEqual(before);
    expect(statesOf(await link(pair))).toEqual({ 'sub/a': 'linked' });
    expect(readdirSync(pair.dst).toSorted()).toEqual(['..gypsum-1', living, 'sub'].toSorted());
    expect(readdirSync(join(pair.dst, 'sub'))).toEqual(['a']);
  });
});

describe('folders that are one, or lie in each other', () => {
  it.each<[string, (pair: Pair) => [src: string, dst: string]]>([
    ['the same folder', ({ src }) => [src, src]],
    [
      'a symlink to the source',
      ({ top, src }) => {
        symlinkSync('src', join(top, 'alias'));
        return [src, join(top, 'alias')];
      },
    ],
    [
      'a source that is a symlink to the destination',
      ({ top, dst }) => {
        symlinkSync('dst', join(top, 'alias'));
        return [join(top, 'alias'), dst];
      },
    ],
    [
      'a source in the destination',
      ({ dst }) => {
        mkdirSync(join(dst, 'in'));
        return [join(dst, 'in'), dst];
      },
    ],
    [
      'a source that is reached through the destination',
      ({ src, dst }) => {
        symlinkSync(src, join(dst, 'way'));
        return [join(dst, 'way'), dst];
      },
    ],
    ['the same folder, spelled otherwise', ({ src }) => [src, `${src}/../src/`]],
  ])('are refused: %s', async (_what, meddle) => {
    const pair = await setup({ f: 'f', 'sub/g': 'g' });
    const [src, dst] = meddle(pair);
    const before = snapshot(pair.top);
    for (const act of [linkFolders, planLinking, linkStatus]) {
      await expect(act(src, dst)).rejects.toMatchObject({ code: 'invalid-argument', hint: expect.any(String) });
    }
    expect(snapshot(pair.top)).toEqual(before);
  });

  it.each<[string, string, string]>([
    ['a source that is not there', 'nowhere', 'dst'],
    ['a destination that is not there', 'src', 'nowhere'],
    ['a source that is a file', 'beside/canary', 'dst'],
    ['a destination that is a file', 'src', 'beside/canary'],
    ['a name that no file has', 'sr\0c', 'dst'],
  ])('are refused: %s', async (_what, src, dst) => {
    const { top } = await setup({ f: 'f' });
    const before = snapshot(top);
    await expect(linkFolders(join(top, src), join(top, dst))).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(snapshot(top)).toEqual(before);
  });

  it('are refused as empty texts', async () => {
    const { src } = await setup({});
    await expect(linkFolders('', src)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(linkFolders(src, '')).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('are linked without the destination where that lies in the source', async () => {
    const top = await tempFolder();
    layOut(top, { 'a/f': 'f', 'a/d/f': 'f', 'a/d/d/f': 'f' });
    const before = snapshot(top, join(top, 'a/d'));
    const result = await linkFolders(join(top, 'a'), join(top, 'a/d'));
    expect(statesOf(result)).toEqual({ f: 'linked' });
    expect(readlinkSync(join(top, 'a/d/f'))).toBe('../f');
    expect(lstatSync(join(top, 'a/d/d/f')).isFile()).toBe(true);
    expect(snapshot(top, join(top, 'a/d'))).toEqual(before);
  });

  it.each<[string, (pair: Pair) => void, RegExp]>([
    [
      'a folder of the destination that is a symlink to that of the source',
      ({ src, dst }) => symlinkSync(join(src, 'sub'), join(dst, 'sub')),
      /already the same file, through the symlink sub/,
    ],
    [
      'a folder of the destination that is a symlink to elsewhere',
      ({ top, dst }) => {
        layOut(top, { 'beside/f': 'f' });
        symlinkSync(join(top, 'beside'), join(dst, 'sub'));
      },
      /would be reached through the symlink sub/,
    ],
    [
      'a hard link',
      ({ src, dst }) => {
        mkdirSync(join(dst, 'sub'));
        linkSync(join(src, 'sub/f'), join(dst, 'sub/f'));
      },
      /already the same file/,
    ],
    [
      'a source that is a link to the file of the destination',
      ({ src, dst }) => {
        layOut(dst, { 'sub/f': 'f' });
        unlinkSync(join(src, 'sub/f'));
        symlinkSync(join(dst, 'sub/f'), join(src, 'sub/f'));
      },
      /leads into the destination/,
    ],
    [
      'a source that is a link to another file of the destination',
      ({ src, dst }) => {
        layOut(dst, { 'sub/f': 'f', g: 'f' });
        unlinkSync(join(src, 'sub/f'));
        symlinkSync('../../dst/g', join(src, 'sub/f'));
      },
      /leads into the destination/,
    ],
    [
      'two links to one file',
      ({ top, src, dst }) => {
        layOut(top, { 'beside/real': 'f' });
        unlinkSync(join(src, 'sub/f'));
        symlinkSync('../../beside/real', join(src, 'sub/f'));
        layOut(dst, { 'sub/f': { link: '../../beside/real' } });
      },
      /lead to the same file/,
    ],
    [
      'a source that is a link through the destination and back',
      ({ src, dst }) => {
        layOut(src, { 'sub/real': 'f' });
        layOut(dst, { 'sub/f': { link: join(src, 'sub/real') } });
        unlinkSync(join(src, 'sub/f'));
        symlinkSync(join(dst, 'sub/f'), join(src, 'sub/f'));
      },
      /leads into the destination/,
    ],
  ])('have no file linked to itself: %s', async (_what, meddle, why) => {
    const pair = await setup({ 'sub/f': 'f' }, {});
    meddle(pair);
    const before = snapshot(pair.top);
    for (const linkType of [undefined, 'absolute', 'relative'] as const) {
      const { files } = await linkFolders(pair.src, pair.dst, { linkType, relink: true, createDst: true });
      expect(files.find(({ path }) => path === 'sub/f')).toMatchObject({
        state: 'alias',
        message: expect.stringMatching(why),
      });
      const now = snapshot(pair.top);
      for (const seen of [before, now]) for (const path of ['dst', 'dst/sub/real', 'dst/sub']) delete seen[path];
      expect(now).toEqual(before);
    }
    expect(readFileSync(join(pair.src, 'sub/f'), 'utf8')).toBe('f');
  });
});

describe('a destination that does not have all', () => {
  it('is made, if that is asked for, with all folders and a link for each file', async () => {
    const pair = await setup({ f: 'f', 'sub/g': 'g', 'sub/hollow': 'folder/' }, {});
    rmSync(pair.dst, { recursive: true });
    const result = await linkFolders(pair.src, join(pair.dst, 'deeper'), { createDst: true });
    expect(result).toMatchObject({ counts: { linked: 2, missing: 0 }, folders: ['', 'sub', 'sub/hollow'] });
    expect(readFileSync(join(pair.dst, 'deeper/sub/g'), 'utf8')).toBe('g');
    expect(readlinkSync(join(pair.dst, 'deeper/sub/g'))).toBe('../../../src/sub/g');
    expect(lstatSync(join(pair.dst, 'deeper/sub/hollow')).isDirectory()).toBe(true);
  });

  it('is completed, so that an interrupted run is finished', async () => {
    const pair = await setup({ f: 'f', 'sub/g': 'g' }, { f: 'other' });
    expect((await link(pair)).counts).toMatchObject({ linked: 0, missing: 1, different: 1 });
    expect(readdirSync(pair.dst)).toEqual(['f']);
    const result = await link(pair, { createDst: true });
    expect(result).toMatchObject({ counts: { linked: 1, different: 1 }, folders: ['sub'] });
    expect(readFileSync(join(pair.dst, 'f'), 'utf8')).toBe('other');
  });
});

describe('what is linked to', () => {
  const modeOf = (path: string) => statSync(path).mode & 0o777;

  it('is protected if that is asked for, keeps its x bits, and can be given back', async () => {
    const { src, dst } = await setup(
      { run: '#!', text: 't', other: '1', rest: 'r' },
      { run: '#!', text: 't', other: '2' },
    );
    for (const [name, mode] of [
      ['run', 0o755],
      ['text', 0o664],
      ['other', 0o644],
    ] as const)
      chmodSync(join(src, name), mode);
    await linkFolders(src, dst);
    expect(['run', 'text', 'other'].map((name) => modeOf(join(src, name)))).toEqual([0o755, 0o664, 0o644]);
    // Those that were links before are protected, too.
    expect(await linkFolders(src, dst, { protect: true })).toMatchObject({
      counts: { 'already-linked': 2 },
      unprotected: [],
    });
    expect(['run', 'text', 'other', 'rest'].map((name) => modeOf(join(src, name)))).toEqual([
      0o555, 0o444, 0o644, 0o644,
    ]);
    await linkFolders(src, dst, { protect: false });
    expect(['run', 'text', 'other'].map((name) => modeOf(join(src, name)))).toEqual([0o755, 0o644, 0o644]);
  });

  it('stays as it is outside of the source', async () => {
    const pair = await setup(
      { real: 'r', inner: { link: 'real' }, outer: { link: '../beside/canary' } },
      { inner: 'r', outer: 'canary' },
    );
    const { unprotected, counts } = await linkFolders(pair.src, pair.dst, { protect: true });
    expect(counts).toMatchObject({ linked: 2 });
    expect(unprotected).toEqual([{ path: 'outer', message: expect.stringMatching(/leads out of the source/) }]);
    expect([modeOf(join(pair.src, 'real')), modeOf(join(pair.top, 'beside/canary'))]).toEqual([0o444, 0o644]);
    chmodSync(join(pair.top, 'beside/canary'), 0o444);
    expect((await linkFolders(pair.src, pair.dst, { protect: true })).unprotected).toEqual([]);
    expect((await linkFolders(pair.src, pair.dst, { protect: false })).unprotected).toEqual([]);
    expect([modeOf(join(pair.src, 'real')), modeOf(join(pair.top, 'beside/canary'))]).toEqual([0o644, 0o444]);
  });
});

describe('a plan of linking', () => {
  /** As it comes out of a file. */
  const kept = (plan: LinkPlan): LinkPlan => JSON.parse(JSON.stringify(plan));

  it('can be kept as JSON, and carried out later, and once more', async () => {
    const pair = await setup({ a: 'a', 'sub/b': 'b', c: '1' }, { a: 'a', 'sub/b': 'b', c: '2' });
    const plan = kept(await planLinking(pair.src, pair.dst, { protect: true }));
    expect(lstatSync(join(pair.dst, 'a')).isFile()).toBe(true);
    expect((await applyLinking(plan)).counts).toMatchObject({ linked: 2, different: 1, failed: 0 });
    expect(readlinkSync(join(pair.dst, 'sub/b'))).toBe('../../src/sub/b');
    expect(statSync(join(pair.src, 'a')).mode & 0o222).toBe(0);
    expect((await applyLinking(plan)).counts).toMatchObject({ linked: 2, failed: 0 });
  });

  it.each<[string, (pair: Pair) => void]>([
    ['was edited', ({ dst }) => writeFileSync(join(dst, 'b'), 'B')],
    [
      'has another source',
      ({ src }) => {
        renameSync(join(src, 'b'), join(src, 'was-b'));
        writeFileSync(join(src, 'b'), 'b');
      },
    ],
    ['has no source any more', ({ src }) => unlinkSync(join(src, 'b'))],
    [
      'became a folder',
      ({ dst }) => {
        unlinkSync(join(dst, 'b'));
        mkdirSync(join(dst, 'b'));
      },
    ],
    [
      'became its own source',
      ({ src, dst }) => {
        unlinkSync(join(src, 'b'));
        symlinkSync(join(dst, 'b'), join(src, 'b'));
      },
    ],
  ])('leaves alone what %s, and goes on', async (_what, meddle) => {
    const pair = await setup({ a: 'a', b: 'b', c: 'c' });
    const plan = kept(await planLinking(pair.src, pair.dst));
    meddle(pair);
    const before = snapshot(join(pair.dst, 'b'));
    const result = await applyLinking(plan);
    expect(statesOf(result)).toEqual({ a: 'linked', b: 'failed', c: 'linked' });
    expect(result.files[1]?.message).toMatch(/is not what it was when this was planned/);
    expect(snapshot(join(pair.dst, 'b'))).toEqual(before);
    expect(readdirSync(pair.dst)).toEqual(['a', 'b', 'c']);
  });

  it('stops at the first failure if that is asked for', async () => {
    const pair = await setup({ a: 'a', b: 'b', c: 'c' });
    const plan = await planLinking(pair.src, pair.dst, { protect: true });
    writeFileSync(join(pair.dst, 'b'), 'B');
    const result = await applyLinking(plan, { failFast: true });
    expect(result.stopped).toBe(true);
    expect(statesOf(result)).toEqual({ a: 'linked', b: 'failed', c: 'same' });
    expect(lstatSync(join(pair.dst, 'c')).isFile()).toBe(true);
    expect(statSync(join(pair.src, 'a')).mode & 0o200).toBe(0o200);
  });

  it('does nothing where looking at the folders has failed already', async () => {
    const pair = await setup({ a: 'a', broken: { link: 'nowhere' }, c: 'c' }, { a: 'a', broken: 'b', c: 'c' });
    const before = snapshot(pair.top);
    const result = await linkFolders(pair.src, pair.dst, { failFast: true, createDst: true });
    expect(result).toMatchObject({ stopped: true, counts: { failed: 1, linked: 0, same: 1 } });
    expect(snapshot(pair.top)).toEqual(before);
  });

  it('is not carried out where the destination is another folder by now', async () => {
    const pair = await setup({ a: 'a' });
    const plan = await planLinking(pair.src, pair.dst);
    renameSync(pair.dst, join(pair.top, 'moved'));
    symlinkSync('moved', pair.dst);
    const before = snapshot(pair.top);
    await expect(applyLinking(plan)).rejects.toMatchObject({ code: 'file-changed' });
    expect(snapshot(pair.top)).toEqual(before);
  });

  type Loose = { [key: string]: unknown } & { steps: Record<string, unknown>[]; files: Record<string, unknown>[] };
  const itself = { type: 'file', seen: [1, 2, 3, 4, 5] };
  it.each<[string, (plan: Loose, pair: Pair) => unknown]>([
    ['nothing', () => undefined],
    ['a path that leads out', (plan) => ({ ...plan, steps: [{ ...plan.steps[0], path: '../beside/canary' }] })],
    ['an absolute path', (plan) => ({ ...plan, steps: [{ ...plan.steps[0], path: '/etc/passwd' }] })],
    ['a file that leads out', (plan) => ({ ...plan, files: [{ path: '../x', state: 'already-linked' }] })],
    [
      'a link to elsewhere',
      (plan) => ({
        ...plan,
        steps: [{ ...plan.steps[0], after: { type: 'symlink', target: '/x', seen: [1, 2, 3, 4, 5] } }],
      }),
    ],
    [
      'a link that is not proven',
      (plan) => ({ ...plan, steps: [{ ...plan.steps[0], after: { type: 'symlink', target: '../src/a' } }] }),
    ],
    ['a removal', (plan) => ({ ...plan, steps: [{ path: 'a', before: itself }] })],
    ['a new link', (plan) => ({ ...plan, steps: [{ path: 'a', after: plan.steps[0]?.after }] })],
    ['a new folder', (plan) => ({ ...plan, steps: [{ path: 'x', after: { type: 'directory' } }] })],
    [
      'a file that is linked to itself',
      (plan) => ({
        ...plan,
        steps: [{ path: 'a', before: itself, after: { type: 'symlink', target: '../src/a', seen: [1, 2, 3, 4, 5] } }],
      }),
    ],
    ['a relative folder', (plan) => ({ ...plan, source: 'src' })],
    ['folders that are one', (plan) => ({ ...plan, source: plan.destination, steps: [] })],
  ])('is refused with %s', async (_what, change) => {
    const pair = await setup({ a: 'a' });
    const plan = change(kept(await planLinking(pair.src, pair.dst)) as unknown as Loose, pair);
    const before = snapshot(pair.top);
    await expect(applyLinking(plan as LinkPlan)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(snapshot(pair.top)).toEqual(before);
  });
});

describe('while files are compared', () => {
  it('one that is written to is left alone', async () => {
    const pair = await setup({ a: 'x'.repeat(300_000), b: 'b' });
    // The first look at the clock within the large file: it has been read in part.
    let isTouched = false;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
      if (!isTouched && new Error().stack?.includes('same-bytes')) {
        isTouched = true;
        utimesSync(join(pair.dst, 'a'), 1, 1);
      }
      return 0;
    });
    try {
      const result = await linkFolders(pair.src, pair.dst);
      expect(statesOf(result)).toEqual({ a: 'failed', b: 'linked' });
      expect(result.files[0]?.message).toMatch(/changed while it was looked at/);
    } finally {
      clock.mockRestore();
    }
    expect(isTouched).toBe(true);
    expect(lstatSync(join(pair.dst, 'a')).isFile()).toBe(true);
  });

  it('the signal ends it, and nothing was changed', async () => {
    const pair = await setup({ a: 'a' });
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(linkFolders(pair.src, pair.dst, { signal })).rejects.toBe(reason);
    await expect(linkStatus(pair.src, pair.dst, { signal })).rejects.toBe(reason);
    expect(lstatSync(join(pair.dst, 'a')).isFile()).toBe(true);
  });
});
