import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { syncFolders } from '../../src/index.ts';
import { fsPath } from '../../src/model/local-path.ts';
import { freshName } from '../../src/tree/put-file.ts';
import { foldNames } from '../helpers/around-calls.ts';
import { deepFolder } from '../helpers/deep-folder.ts';
import { type Item, layOut } from '../helpers/files.ts';
import { otherFileSystem } from '../helpers/other-file-system.ts';
import { age, changes, look, makePair, type Pair, sync, words } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

type Items = Record<string, Item>;

/** Lays files out, no two of them with the same time. */
function layOutAt(root: string, items: Items, since: number): void {
  layOut(root, items);
  for (const path of Object.keys(items)) age(join(root, path), since + 10 * (path.charCodeAt(0) + path.length));
}

/** Replicates one state of a source, then another one; gives what the second run did. */
async function change(before: Items, after: Items): Promise<string[]> {
  const pair = await makePair();
  layOutAt(pair.src, before, 1_600_000_000);
  await sync(pair);
  rmSync(pair.src, { recursive: true });
  mkdirSync(pair.src);
  layOutAt(pair.src, after, 1_600_000_005);
  return changes(await sync(pair));
}

describe('a replica', () => {
  it('is made with all there is: contents, symlinks, empty folders, hidden files, modes and times', async () => {
    const pair = await makePair({
      a: 'x',
      '.hidden': 'h',
      'd/e/f': 'y',
      empty: 'folder/',
      l: { link: 'd/e' },
      b: { link: 'no' },
    });
    chmodSync(join(pair.src, 'a'), 0o740);
    chmodSync(join(pair.src, 'd'), 0o1771);
    for (const path of ['a', 'd/e/f', 'l', 'empty', 'd/e', 'd']) age(join(pair.src, path));
    expect(words(await sync(pair))).toEqual([
      'create .hidden',
      'create a',
      'link b',
      'mkdir d',
      'mkdir d/e',
      'create d/e/f',
      'mkdir empty',
      'link l',
    ]);
    expect(lstatSync(join(pair.dst, 'd')).mode & 0o7777).toBe(0o1771);
  });

  it('that is equal is left alone, and nothing is written to it', async () => {
    const pair = await makePair({ a: 'x', 'd/b': 'y' });
    await sync(pair);
    const before = snapshot(pair.dst);
    expect(await syncFolders(pair.src, pair.dst)).toMatchObject({ operations: [], failures: [], unchanged: 3 });
    expect(snapshot(pair.dst)).toEqual(before);
  });

  it('is made where nothing is, open to no more people than its source, but not the folder above', async () => {
    const pair = await makePair({ a: 'x' });
    chmodSync(pair.src, 0o750);
    const dst = join(pair.top, 'new');
    await syncFolders(`${pair.src}/`, `${dst}/`);
    expect(await look(dst)).toEqual(await look(pair.src));
    expect(lstatSync(dst).mode & 0o777).toBe(0o750);
    await expect(syncFolders(pair.src, join(pair.top, 'no/where'))).rejects.toMatchObject({
      code: 'destination-refused',
    });
    expect(existsSync(join(pair.top, 'no'))).toBe(false);
  });

  it('heals itself: what was removed, changed or added there is as in the source again', async () => {
    const pair = await makePair({ 'd/a': 'x', b: 'yy', c: 'zz', e: 'e' });
    await sync(pair);
    rmSync(join(pair.dst, 'd'), { recursive: true });
    // Neither its size nor its time tell.
    writeFileSync(join(pair.dst, 'b'), 'YY');
    const { atime, mtime } = lstatSync(join(pair.src, 'b'));
    utimesSync(join(pair.dst, 'b'), atime, mtime);
    writeFileSync(join(pair.dst, 'c'), readFileSync(join(pair.dst, 'b')));
    layOut(pair.dst, { 'extra/file': 'extra' });
    chmodSync(join(pair.dst, 'e'), 0o600);
    expect(changes(await sync(pair, { checksum: true }))).toEqual([
      'delete extra/file',
      'rmdir extra',
      'modify b',
      'modify c',
      'mkdir d',
      'create d/a',
      'chmod e',
    ]);
  });

  it.each<[string, Items, Items, string[]]>([
    ['a file that became a folder', { a: 'x' }, { 'a/b': 'yy' }, ['delete a', 'mkdir a', 'create a/b']],
    [
      'a folder that became a file',
      { 'a/b': 'x', 'a/c/d': 'y' },
      { a: 'z' },
      ['delete a/c/d', 'rmdir a/c', 'delete a/b', 'rmdir a', 'create a'],
    ],
    ['a symlink to a file', {}, { a: 'x', l: { link: 'a' } }, ['create a', 'link l']],
    ['a symlink to a folder', {}, { 'd/a': 'x', l: { link: 'd' } }, ['mkdir d', 'create d/a', 'link l']],
    ['a symlink that leads round', {}, { 'sub/up': { link: '..' } }, ['mkdir sub', 'link sub/up']],
    ['a symlink that leads elsewhere now', { l: { link: 'a' } }, { l: { link: 'b' } }, ['link l']],
    ['a new file', { a: 'x' }, { a: 'x', b: 'y' }, ['create b']],
    ['an edit', { a: 'x' }, { a: 'yy' }, ['modify a']],
    ['an edit to what is elsewhere', { a: 'x', b: 'y' }, { a: 'y', b: 'y' }, ['copy b a']],
    ['a file that is gone', { a: 'x', b: 'y' }, { b: 'y' }, ['delete a']],
    ['a folder that is gone', { 'd/a': 'x', 'd/b': 'y' }, {}, ['delete d/b', 'delete d/a', 'rmdir d']],
    ['another name', { a: 'x' }, { b: 'x' }, ['move a b']],
    ['a move into a new folder', { a: 'x' }, { 'n/a': 'x' }, ['mkdir n', 'move a n/a']],
    ['a copy', { a: 'x' }, { a: 'x', 'd/a': 'x' }, ['mkdir d', 'copy a d/a']],
    [
      'a folder of another name',
      { 'o/a': 'x', 'o/b': 'y', 'o/c': 'z' },
      { 'n/a': 'x', 'n/b': 'y', 'n/c': 'z' },
      ['move o n'],
    ],
    ['that of one with duplicates', { 'o/a': 'x', 'o/b': 'x' }, { 'n/a': 'x', 'n/b': 'x' }, ['move o n']],
    ['two files swapped', { a: 'x', b: 'y' }, { a: 'y', b: 'x' }, ['move b (park)', 'move a b', 'move (park) a']],
    [
      'a rename onto a new name and the loss of an equal file',
      { a: 'x', b: 'x' },
      { c: 'x' },
      ['move a c', 'delete b'],
    ],
    ['a file that went and came again', { b: 'y' }, { a: 'x', b: 'y' }, ['create a']],
    ['duplicates, the first gone and the other copied', { a: 'x', b: 'x' }, { b: 'x', c: 'x' }, ['move a c']],
    [
      'duplicates, one changed and the other copied',
      { a: 'x', b: 'x' },
      { a: 'new', b: 'x', 'd/b': 'x' },
      ['mkdir d', 'move a d/b', 'modify a'],
    ],
    ['duplicates, one of which moves', { a: 'x', b: 'x' }, { a: 'x', 'd/b': 'x' }, ['mkdir d', 'move b d/b']],
    ['a rename with an edit', { a: 'x' }, { b: 'yy' }, ['delete a', 'create b']],
    ['a name given away, and a new file of it', { a: 'x' }, { a: 'new', b: 'x' }, ['move a b', 'modify a']],
    ['two new files that are equal', {}, { a: 'x', b: 'x' }, ['create a', 'create b']],
    ['two files edited to one content', { a: 'x', b: 'y' }, { a: 'zz', b: 'zz' }, ['modify a', 'modify b']],
    ['a name with a blank', {}, { 'a b': 'x', 'c -> d': 'y' }, ['create a b', 'create c -> d']],
    ['a broken symlink', {}, { l: { link: 'nowhere' } }, ['link l']],
    ['empty folders in one another that are gone', { 'a/b/c': 'folder/' }, {}, ['rmdir a/b/c', 'rmdir a/b', 'rmdir a']],
  ])('follows %s', async (_, before, after, operations) => {
    expect(await change(before, after)).toEqual(operations);
  });

  it('has other modes and times where nothing else is other, and no file is written anew', async () => {
    const pair = await makePair({ a: 'x', 'd/b': 'y', l: { link: 'a' } });
    await sync(pair);
    const { ino } = lstatSync(join(pair.dst, 'a'));
    chmodSync(join(pair.src, 'a'), 0o400);
    chmodSync(join(pair.src, 'd'), 0o700);
    for (const path of ['a', 'd/b', 'l', 'd']) age(join(pair.src, path));
    expect(words(await sync(pair))).toEqual(['chmod a', 'touch a', 'touch d/b', 'touch l', 'chmod d', 'touch d']);
    expect(lstatSync(join(pair.dst, 'a')).ino).toBe(ino);
  });

  it('has no file that is rewritten where only the time is other, and every one whose content is', async () => {
    const pair = await makePair({ a: 'same', b: 'old!' }, { a: 'same', b: 'new!' });
    for (const path of ['a', 'b']) age(join(pair.dst, path));
    expect(words(await sync(pair))).toEqual(['touch a', 'modify b']);
  });

  it('has times of long ago and of the far future, as exact as they can be given', async () => {
    const pair = await makePair({ old: 'x', first: 'y', far: 'z', 'd/farther': 'f' });
    const times = {
      old: '1960-01-02T03:04:05.678901234Z',
      first: '1970-01-01T00:00:00.000000001Z',
      far: '2100-01-02T03:04:05.678901234Z',
      d: '2400-01-02T03:04:05.678901234Z',
    };
    for (const [path, time] of Object.entries(times)) execFileSync('touch', ['-d', time, join(pair.src, path)]);
    expect((await syncFolders(pair.src, pair.dst)).failures).toEqual([]);
    expect((await syncFolders(pair.src, pair.dst)).operations).toEqual([]);
    for (const path of Object.keys(times)) {
      const [wanted, given] = [pair.src, pair.dst].map((root) => lstatSync(join(root, path)).mtimeMs);
      expect(Math.abs((wanted ?? 0) - (given ?? 0))).toBeLessThan(1);
    }
  });

  it('has names that are not UTF-8', async () => {
    const pair = await makePair();
    writeFileSync(fsPath(join(pair.src, 'caf\udce9')), 'x');
    writeFileSync(join(pair.src, 'caf\u00e9'), 'y');
    symlinkSync(fsPath('to\udcff'), fsPath(join(pair.src, 'l\udcff')));
    expect((await syncFolders(pair.src, pair.dst)).failures).toEqual([]);
    expect((await syncFolders(pair.src, pair.dst)).operations).toEqual([]);
    expect(await look(pair.dst)).toEqual(await look(pair.src));
    expect(readdirSync(pair.dst, { encoding: 'buffer' })).toEqual(readdirSync(pair.src, { encoding: 'buffer' }));
  });

  it('is more than 5,000 folders deep', async ({ skip }) => {
    if (process.platform !== 'linux') return skip('paths longer than the system takes are reached by Linux alone');
    const { root, inmost } = await deepFolder(Array.from({ length: 5_001 }, (_, n) => `d${n % 10}`));
    const dst = await deepFolder([]);
    writeFileSync(join(inmost, 'file'), 'deep');
    symlinkSync('file', join(inmost, 'link'));
    expect((await syncFolders(root, dst.root)).operations).toHaveLength(5_003);
    expect((await syncFolders(root, dst.root)).operations).toEqual([]);
  }, 120_000);

  it('moves and goes where its path is longer than the system takes', async ({ skip }) => {
    if (process.platform !== 'linux') return skip('such paths are reached by Linux alone');
    const { root, inmost } = await deepFolder(Array.from({ length: 1_501 }, (_, n) => `d${n % 10}`));
    const dst = await deepFolder([]);
    writeFileSync(join(inmost, 'file'), 'deep');
    expect((await syncFolders(root, dst.root)).operations).toHaveLength(1_502);
    renameSync(join(root, 'd0'), join(root, 'other'));
    expect(words(await syncFolders(root, dst.root))).toEqual(['move d0 other']);
    renameSync(join(inmost, 'file'), join(inmost, 'renamed'));
    const { operations } = await syncFolders(root, dst.root);
    expect(operations.map(({ op }) => op)).toEqual(['move', 'touch']);
    expect((await syncFolders(await tempFolder(), dst.root, { force: true })).operations).toHaveLength(1_502);
    expect(readdirSync(dst.root)).toEqual([]);
  });

  it('is on another file system', async ({ skip }) => {
    const pair = await makePair({ a: 'x', 'd/b': 'y' });
    const other = otherFileSystem(pair.src);
    if (other === undefined) return skip('there is no other file system');
    await syncFolders(pair.src, other);
    expect(await look(other)).toEqual(await look(pair.src));
    renameSync(join(pair.src, 'd'), join(pair.src, 'e'));
    expect(words(await syncFolders(pair.src, other))).toEqual(['move d e']);
    expect(await look(other)).toEqual(await look(pair.src));
  });
});

describe('symlinks and special files of a replica', () => {
  it.each<[string, (pair: Pair) => void]>([
    ['a broken symlink', ({ dst }) => symlinkSync('nowhere', join(dst, 'stale'))],
    ['a symlink to a folder outside', ({ dst, outside }) => symlinkSync(outside, join(dst, 'stale'))],
    ['a FIFO', ({ dst }) => execFileSync('mkfifo', [join(dst, 'stale')])],
  ])('go where the source has nothing: %s', async (_, make) => {
    const pair = await makePair({ a: 'x' });
    make(pair);
    expect(words(await sync(pair))).toEqual(['delete stale', 'create a']);
  });

  it.each<[string, (pair: Pair) => void, string[]]>([
    ['a link to the file of the source', ({ src, dst }) => symlinkSync(join(src, 'a'), join(dst, 'a')), ['modify a']],
    [
      'a link to a file outside',
      ({ dst, outside }) => symlinkSync(join(outside, 'canary'), join(dst, 'a')),
      ['modify a'],
    ],
    ['a FIFO', ({ dst }) => execFileSync('mkfifo', [join(dst, 'a')]), ['modify a']],
    [
      'a folder with a link to outside',
      ({ dst, outside }) => layOut(dst, { 'a/out': { link: outside } }),
      ['delete a/out', 'rmdir a', 'create a'],
    ],
  ])('give way to a file of its own: %s', async (_, make, operations) => {
    const pair = await makePair({ a: 'x', 'd/b': 'y', 'd/c': 'z' });
    await sync(pair);
    rmSync(join(pair.dst, 'a'));
    make(pair);
    expect(words(await sync(pair))).toEqual(operations);
    expect(lstatSync(join(pair.dst, 'a'))).toMatchObject({ nlink: 1 });
    writeFileSync(join(pair.src, 'a'), 'changed');
    expect(readFileSync(join(pair.dst, 'a'), 'utf8')).toBe('x');
  });

  it('give way to a file of its own: hard links to files of the source', async () => {
    const pair = await makePair({ a: 'x', b: 'y' });
    linkSync(join(pair.src, 'a'), join(pair.dst, 'a'));
    linkSync(join(pair.src, 'a'), join(pair.dst, 'b'));
    expect(words(await syncFolders(pair.src, pair.dst))).toEqual(['modify a', 'modify b']);
    expect(lstatSync(join(pair.src, 'a')).nlink).toBe(1);
    await sync(pair);
  });

  it('give way to a folder, and nothing is written where they lead', async () => {
    const pair = await makePair({ 'd/canary': 'mine', 'd/new': 'x' }, { keep: 'k' });
    symlinkSync(join(pair.outside, 'folder'), join(pair.dst, 'd'));
    expect(words(await sync(pair))).toEqual(['delete keep', 'delete d', 'mkdir d', 'create d/canary', 'create d/new']);
  });

  it('that are hard links to files outside are replaced, and those change in nothing', async () => {
    const pair = await makePair({ a: 'alive', b: 'moved' });
    await sync(pair);
    rmSync(join(pair.dst, 'a'));
    linkSync(join(pair.outside, 'canary'), join(pair.dst, 'a'));
    chmodSync(join(pair.src, 'a'), 0o600);
    rmSync(join(pair.dst, 'b'));
    linkSync(join(pair.outside, 'folder/canary'), join(pair.dst, 'c'));
    const before = readFileSync(join(pair.outside, 'canary'), 'utf8');
    const modes = () => ['canary', 'folder/canary'].map((path) => lstatSync(join(pair.outside, path)).mode);
    const [modesBefore] = [modes()];
    const result = await syncFolders(pair.src, pair.dst, { force: true });
    expect(words(result)).toEqual(['delete c', 'modify a', 'create b']);
    expect(await look(pair.dst)).toEqual(await look(pair.src));
    expect(readFileSync(join(pair.outside, 'canary'), 'utf8')).toBe(before);
    expect(modes()).toEqual(modesBefore);
  });

  it.for(['c', 'b'])(
    'that are devices are told of in the source, and go in the replica: %s',
    async (type, { skip }) => {
      const pair = await makePair({ a: 'x' });
      for (const path of ['dst/a', 'dst/stale', 'src/device']) {
        const { error, status } = spawnSync('mknod', [join(pair.top, path), type, '1', '3']);
        if (error !== undefined || status !== 0) return skip('nobody but root may make device nodes');
      }
      const result = await syncFolders(pair.src, pair.dst, { force: true });
      expect(result.skipped).toEqual([{ path: 'device', why: 'is a FIFO, a socket or a device' }]);
      expect(words(result)).toEqual(['delete stale', 'modify a']);
      expect(result.failures).toEqual([]);
      expect(readdirSync(pair.dst)).toEqual(['a']);
      expect(readFileSync(join(pair.dst, 'a'), 'utf8')).toBe('x');
    },
  );

  it('of the source are told of, and never opened', async () => {
    const pair = await makePair({ a: 'x' });
    execFileSync('mkfifo', [join(pair.src, 'pipe')]);
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((done) => server.listen(join(pair.src, 'socket'), done));
    const result = await syncFolders(pair.src, pair.dst);
    expect(words(result)).toEqual(['create a']);
    expect(result.skipped).toEqual(
      ['pipe', 'socket'].map((path) => ({ path, why: 'is a FIFO, a socket or a device' })),
    );
    expect((await syncFolders(pair.src, pair.dst)).operations).toEqual([]);
  });

  it('are taken for what they lead to if that is asked for; what leads round is told of once', async () => {
    const pair = await makePair({
      a: 'x',
      'd/b': 'y',
      l: { link: 'a' },
      m: { link: 'd' },
      broken: { link: 'nowhere' },
      'sub/up': { link: '..' },
      self: { link: 'self' },
    });
    symlinkSync(join(pair.outside, 'folder'), join(pair.src, 'out'));
    symlinkSync(pair.dst, join(pair.src, 'replica'));
    const result = await sync(pair, { followLinks: true });
    expect(readFileSync(join(pair.dst, 'l'), 'utf8')).toBe('x');
    expect(readFileSync(join(pair.dst, 'm/b'), 'utf8')).toBe('y');
    expect(readFileSync(join(pair.dst, 'out/canary'), 'utf8')).toBe('alive');
    expect(['l', 'm', 'out'].map((path) => lstatSync(join(pair.dst, path)).isSymbolicLink())).toEqual([
      false,
      false,
      false,
    ]);
    expect(['sub/up', 'broken', 'replica'].map((path) => readlinkSync(join(pair.dst, path)))).toEqual([
      '..',
      'nowhere',
      pair.dst,
    ]);
    expect(result.skipped.map(({ path, why }) => `${path} ${why}`)).toEqual([
      'replica is not followed: it leads to the replica',
      'self is not followed: it cannot be followed (ELOOP)',
      'sub/up is not followed: it leads to a folder that it lies in',
    ]);
  });
});

describe('what is asked of a replica', () => {
  it('may be that nothing is removed', async () => {
    const pair = await makePair({ b: 'x', 'd/n': 'n' }, { a: 'x', 'd/o': 'o' });
    expect(changes(await sync(pair, { remove: false }))).toEqual(['create b', 'create d/n']);
    expect(readdirSync(pair.dst)).toEqual(['a', 'b', 'd']);
  });

  it('may be that something is neither copied nor removed', async () => {
    const pair = await makePair(
      { a: 'x', 'a.tmp': 't', 'build/x': 'b' },
      { 'old/b.tmp': 'o', 'old/c': 'c', 'build/y': 'y' },
    );
    const exclude = ['*.tmp', 'build/'];
    expect(words(await sync(pair, { exclude }))).toEqual(['delete old/c', 'create a']);
    expect((await look(pair.dst)).map((entry) => (entry as { path: string }).path)).toEqual([
      'a',
      'build',
      'build/y',
      'old',
      'old/b.tmp',
    ]);
  });

  it('may be to say what would be done, and do nothing', async () => {
    const pair = await makePair({ a: 'x', n: 'moved' }, { b: 'y', o: 'moved' });
    const before = snapshot(pair.top);
    const planned = await syncFolders(pair.src, pair.dst, { dryRun: true, stateDir: join(pair.top, 'state') });
    expect(snapshot(pair.top)).toEqual(before);
    expect(planned).toMatchObject({ dryRun: true, failures: [] });
    expect(changes(planned)).toEqual(['move o n', 'delete b', 'create a']);
    expect(words(await sync(pair))).toEqual(words(planned));
    const missing = await syncFolders(pair.src, join(pair.top, 'new'), { dryRun: true });
    expect(words(missing)).toEqual(['create a', 'create n']);
    expect(existsSync(join(pair.top, 'new'))).toBe(false);
  });

  it('is not that more than half of it goes, unless that is said', async () => {
    const pair = await makePair({ a: 'x' }, { a: 'x', 'd/b': 'y' });
    const before = snapshot(pair.top);
    await expect(syncFolders(pair.src, pair.dst)).rejects.toMatchObject({
      code: 'destination-refused',
      details: { removed: 2, total: 3 },
    });
    expect(snapshot(pair.top)).toEqual(before);
    await sync(pair, { force: true });
    const half = await makePair({ a: 'x' }, { a: 'x', b: 'y' });
    expect(changes(await syncFolders(half.src, half.dst))).toEqual(['delete b']);
  });

  it('may be that bytes are on the disk before they take their place, and digests of all of them', async () => {
    const pair = await makePair({ a: 'x', b: 'y' });
    chmodSync(join(pair.src, 'a'), 0o444);
    const digests: Record<string, string | undefined> = {};
    await sync(pair, {
      durable: true,
      digests: true,
      onOperation({ path }, digest) {
        digests[path] = digest;
      },
    });
    expect(digests).toEqual({
      a: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
      b: 'a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa',
    });
  });
});

function aliasOf(folder: string, top: string): string {
  const alias = join(top, 'alias');
  symlinkSync(folder, alias);
  return alias;
}

describe('a run', () => {
  it('that is to end does so behind the file in hand, and is no failure', async () => {
    const pair = await makePair({ a: 'x', b: 'y', 'd/c': 'z' });
    const stop = new AbortController();
    const result = await syncFolders(pair.src, pair.dst, { until: stop.signal, onOperation: () => stop.abort() });
    expect(result).toMatchObject({ operations: [{ op: 'create', path: 'a' }], failures: [], stopped: true });
    expect(readdirSync(pair.dst)).toEqual(['a']);
    expect(await syncFolders(pair.src, pair.dst, { until: stop.signal })).toMatchObject({
      operations: [],
      stopped: true,
    });
    await sync(pair);
  });

  it('that is stopped throws the reason, also before it began', async () => {
    const pair = await makePair({ a: 'x', b: 'y' });
    const [stop, reason] = [new AbortController(), new Error('enough')];
    stop.abort(reason);
    await expect(syncFolders(pair.src, pair.dst, { signal: stop.signal })).rejects.toBe(reason);
    expect(readdirSync(pair.dst)).toEqual([]);
  });

  it('tells of what has vanished meanwhile, and does the rest', async () => {
    const pair = await makePair({ a: 'x', b: 'y', c: 'z' });
    const failed: string[] = [];
    const result = await syncFolders(pair.src, pair.dst, {
      onOperation: () => rmSync(join(pair.src, 'b'), { force: true }),
      onFailure: ({ path }) => failed.push(path),
    });
    expect(words(result)).toEqual(['create a', 'create c']);
    expect(result.failures).toEqual([
      { path: 'b', op: 'create', code: 'ENOENT', message: expect.stringContaining('ENOENT') },
    ]);
    expect(failed).toEqual(['b']);
    await sync(pair);
  });
});

describe('before anything is written', () => {
  it.each<[string, (pair: Pair) => [string, string]]>([
    ['one folder', ({ src }) => [src, src]],
    ['one folder by a symlink', ({ top, src }) => [src, aliasOf(src, top)]],
    ['a replica in its source', ({ src }) => [src, join(src, 'd')]],
    ['a new replica in its source', ({ src }) => [src, join(src, 'new')]],
    ['a source in its replica', ({ src }) => [join(src, 'd'), src]],
    ['a replica in its source by a symlink above it', ({ top, src }) => [src, join(aliasOf(src, top), 'd')]],
    ['a file as the source', ({ src, dst }) => [join(src, 'a'), dst]],
    ['no source', ({ top, dst }) => [join(top, 'none'), dst]],
    ['an empty text', ({ src }) => [src, '']],
    ['an empty text as the source', ({ dst }) => ['', dst]],
  ])('it is refused that there is %s', async (_, folders) => {
    const pair = await makePair({ a: 'x', 'd/b': 'y' });
    const named = folders(pair);
    const before = snapshot(pair.top);
    await expect(syncFolders(...named)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(snapshot(pair.top)).toEqual(before);
  });

  it('it is refused that a file, or a link to nothing, stands where the replica is to be', async () => {
    const { top, src } = await makePair({ a: 'x' });
    symlinkSync('nowhere', join(top, 'link'));
    for (const dst of [join(src, '../outside/canary'), join(top, 'link')]) {
      await expect(syncFolders(src, dst)).rejects.toMatchObject({ code: 'destination-refused' });
    }
  });

  it('it is refused that names of the source are one on the file system of the replica', async () => {
    const pair = await makePair({ README: 'one', readme: 'other', a: 'x' }, { a: 'x' });
    foldNames();
    for (const dst of [pair.dst, join(pair.top, 'new')]) {
      await expect(syncFolders(pair.src, dst)).rejects.toMatchObject({
        code: 'destination-refused',
        details: { collisions: [{ path: 'readme', other: 'README' }] },
      });
    }
    expect([readdirSync(pair.dst), existsSync(join(pair.top, 'new'))]).toEqual([['a'], false]);
  });

  it('it is refused that a log lies in one of the folders, also by a symlink', async () => {
    const pair = await makePair({ a: 'x' });
    symlinkSync(pair.dst, join(pair.top, 'alias'));
    for (const log of [join(pair.src, 'log'), join(pair.dst, 'log'), join(pair.top, 'alias/log')]) {
      await expect(syncFolders(pair.src, pair.dst, { written: [log] })).rejects.toMatchObject({
        code: 'invalid-argument',
      });
    }
    expect(readdirSync(pair.dst)).toEqual([]);
  });

  it('it is looked whether another process writes there, or above or below', async () => {
    const pair = await makePair({ a: 'x' });
    const stateDir = join(pair.top, 'state');
    const claims = join(stateDir, 'replicas');
    mkdirSync(claims, { recursive: true });
    const claim = (destination: string, pid: number) =>
      writeFileSync(
        join(claims, `other${pid}.json`),
        JSON.stringify({ host: '', pid, destination, since: new Date().toISOString() }),
      );
    for (const held of [pair.dst, pair.top, join(pair.dst, 'd')]) {
      claim(held, 1);
      await expect(syncFolders(pair.src, pair.dst, { stateDir })).rejects.toMatchObject({ code: 'in-use' });
      expect(readdirSync(claims)).toEqual(['other1.json']);
    }
    claim(pair.src, 1);
    await syncFolders(pair.src, pair.dst, { stateDir });
    expect(readdirSync(claims)).toEqual(['other1.json']);
  });

  it('a process that is not there any more writes nowhere', async () => {
    const pair = await makePair({ a: 'x' });
    const claims = join(pair.top, 'state/replicas');
    mkdirSync(claims, { recursive: true });
    const dead = { host: hostname(), pid: 999_999_999, destination: pair.dst, since: new Date().toISOString() };
    writeFileSync(join(claims, 'dead.json'), JSON.stringify(dead));
    writeFileSync(join(claims, 'half.json'), '{');
    await syncFolders(pair.src, pair.dst, { stateDir: join(pair.top, 'state') });
    expect(readdirSync(claims)).toEqual(['half.json']);
  });

  it('two runs on one replica at once are one run, or none', async () => {
    const pair = await makePair(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}`, `${n}`])));
    const stateDir = join(pair.top, 'state');
    const runs = await Promise.allSettled([1, 2].map(() => syncFolders(pair.src, pair.dst, { stateDir })));
    expect(runs.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(2);
    await syncFolders(pair.src, pair.dst, { stateDir });
    expect(await look(pair.dst)).toEqual(await look(pair.src));
  });

  it('what is written down of the run is left out of what is replicated', async () => {
    const pair = await makePair({ a: 'x' });
    const stateDir = join(pair.src, 'state');
    mkdirSync(join(stateDir, 'replicas'), { recursive: true });
    expect(words(await syncFolders(pair.src, pair.dst, { stateDir }))).toEqual(['create a', 'mkdir state']);
    expect((await syncFolders(pair.src, pair.dst, { stateDir })).operations).toEqual([]);
  });
});

describe('what killed runs have left', () => {
  it('goes, in the replica alone, and neither side has it', async () => {
    const pair = await makePair({ a: 'x' });
    await sync(pair);
    const dead = `..gypsum-999999999.1.${freshName('').split('.')[4]}.00000000-0000-0000-0000-000000000000`;
    const part = `..gypsum-part-${'0'.repeat(32)}`;
    for (const name of [dead, part]) layOut(pair.dst, { [name]: 'left' });
    layOut(pair.src, { [dead]: 'left in the source' });
    mkdirSync(join(pair.dst, 'gone'));
    layOut(pair.dst, { [`gone/${part}`]: 'left' });
    expect(words(await syncFolders(pair.src, pair.dst, { force: true }))).toEqual(['rmdir gone']);
    expect(readdirSync(pair.dst)).toEqual(['a']);
    expect(readdirSync(pair.src)).toEqual([dead, 'a']);
  });

  it('is gone on with where a large file was copied', async () => {
    const pair = await makePair();
    const large = join(pair.src, 'large');
    writeFileSync(large, 'begin');
    truncateSync(large, 80 * 1024 * 1024);
    const stop = new AbortController();
    const reason = new Error('enough');
    const running = syncFolders(pair.src, pair.dst, { signal: stop.signal });
    setImmediate(() => stop.abort(reason));
    await expect(running).rejects.toBe(reason);
    await sync(pair);
  });
});
