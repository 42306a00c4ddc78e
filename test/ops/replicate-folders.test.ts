import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replicateFolders } from '../../src/index.ts';
import { type Item, layOut } from '../helpers/files.ts';
import { age, look, makePair } from '../helpers/replica.ts';
import { keepReplica } from '../helpers/running-replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

type Items = Record<string, Item>;
type Edit = (root: string) => void;

const write = (path: string, content: string) => (root: string) => writeFileSync(join(root, path), content);
const remove = (path: string) => (root: string) => rmSync(join(root, path), { recursive: true });
const rename = (from: string, to: string) => (root: string) => renameSync(join(root, from), join(root, to));
const copy = (from: string, to: string) => (root: string) => copyFileSync(join(root, from), join(root, to));
const all =
  (...edits: Edit[]) =>
  (root: string) => {
    for (const edit of edits) edit(root);
  };

/** Has edits be made at once, as far as the replica can tell: the folder that is replicated comes back with them. */
function atOnce(root: string, edit: Edit): void {
  renameSync(root, `${root}-away`);
  edit(`${root}-away`);
  renameSync(`${root}-away`, root);
}

describe('a change of the source', () => {
  it.each<[string, Items, Edit, string[]]>([
    ['a new file', { a: 'x' }, write('b', 'y'), ['create b']],
    ['an edit', { a: 'x' }, write('a', 'changed'), ['modify a']],
    ['an edit of the same length', { a: 'x' }, write('a', 'y'), ['modify a']],
    ['an edit to what is elsewhere', { a: 'x', b: 'y' }, write('b', 'x'), ['copy a b']],
    ['a file that goes', { a: 'x', b: 'y' }, remove('a'), ['delete a']],
    ['a folder that goes', { 'd/a': 'x', 'd/b': 'y' }, remove('d'), ['delete d/b', 'delete d/a', 'rmdir d']],
    ['another name', { a: 'x', b: 'y' }, rename('a', 'c'), ['move a c']],
    [
      'a move into a new folder',
      { a: 'x' },
      all((root) => mkdirSync(join(root, 'n')), rename('a', 'n/a')),
      ['mkdir n', 'move a n/a'],
    ],
    ['a copy', { a: 'x' }, copy('a', 'b'), ['copy a b']],
    ['a folder of another name', { 'o/a': 'x', 'o/b': 'y', 'o/c': 'z' }, rename('o', 'n'), ['move o n']],
    ['that of one with duplicates', { 'd/a': 'x', 'd/b': 'x' }, rename('d', 'e'), ['move d e']],
    [
      'two files swapped',
      { a: 'x', b: 'y' },
      all(rename('a', 't'), rename('b', 'a'), rename('t', 'b')),
      ['move a b', 'move b a'],
    ],
    [
      'a rename and the loss of an equal file',
      { a: 'x', b: 'x' },
      all(rename('a', 'c'), remove('b')),
      ['move a c', 'delete b'],
    ],
    ['a duplicate that moves', { a: 'x', b: 'x' }, rename('a', 'c'), ['move a c']],
    ['a rename with an edit', { a: 'x' }, all(rename('a', 'b'), write('b', 'other')), ['delete a', 'create b']],
    ['a rename, and a new file there', { a: 'x' }, all(rename('a', 'b'), write('a', 'new')), ['move a b', 'modify a']],
    ['two new equal files', { k: 'k' }, all(write('a', 'x'), write('b', 'x')), ['create a', 'create b']],
    [
      'two files with one new content',
      { a: 'x', b: 'y' },
      all(write('a', 'zz'), write('b', 'zz')),
      ['modify a', 'modify b'],
    ],
    ['a name with blanks', { a: 'x' }, write('b c  d', 'y'), ['create b c  d']],
    [
      'a file that becomes a folder',
      { a: 'x' },
      all(remove('a'), (root) => layOut(root, { 'a/b': 'yy' })),
      ['delete a', 'mkdir a', 'create a/b'],
    ],
    [
      'a folder that becomes a file',
      { 'a/b': 'x' },
      all(remove('a'), write('a', 'zz')),
      ['delete a/b', 'rmdir a', 'create a'],
    ],
    ['a symlink to a file', { a: 'x' }, (root) => symlinkSync('a', join(root, 'l')), ['link l']],
    ['a symlink to nothing', { a: 'x' }, (root) => symlinkSync('none', join(root, 'l')), ['link l']],
    ['a symlink to a folder', { 'd/a': 'x' }, (root) => symlinkSync('d', join(root, 'l')), ['link l']],
    ['an empty folder', { a: 'x' }, (root) => mkdirSync(join(root, 'e')), ['mkdir e']],
    ['another mode', { a: 'x' }, (root) => chmodSync(join(root, 'a'), 0o711), ['chmod a']],
  ])('is carried over: %s', async (_, before, edit, expected) => {
    const pair = await makePair(before);
    const replica = await keepReplica(pair);
    await replica.settle();
    atOnce(pair.src, edit);
    const done = (await replica.settle()).sort();
    expect(done).toEqual([...expected].sort());
  });

  it.each<[string, Items, Edit[]]>([
    ['a content that comes back', { a: 'x', k: 'k' }, [remove('a'), write('b', 'x')]],
    ['a copy of what was one of two', { a: 'x', b: 'x' }, [remove('a'), copy('b', 'c')]],
    ['a copy after an edit of its twin', { a: 'x', b: 'x' }, [write('a', 'y'), copy('b', 'c')]],
    [
      'names that go round',
      { a: '1', b: '2', c: '3' },
      [all(rename('a', 't'), rename('b', 'a'), rename('c', 'b'), rename('t', 'c'))],
    ],
  ])('is carried over, one after the other: %s', async (_, before, edits) => {
    const pair = await makePair(before);
    const replica = await keepReplica(pair);
    await replica.settle();
    for (const edit of edits) {
      atOnce(pair.src, edit);
      await replica.settle();
    }
    expect(await look(pair.dst)).toEqual(await look(pair.src));
  });

  it('is carried over from the beginning, with duplicates and empty folders', async () => {
    const pair = await makePair({ a: 'x', b: 'x', 'd/c': 'x', e: 'folder/' });
    const replica = await keepReplica(pair);
    expect(await replica.settle()).toEqual(['create a', 'create b', 'mkdir d', 'create d/c', 'mkdir e']);
  });
});

describe('what others do to the replica', () => {
  it.each<[string, Edit, string[]]>([
    ['an edit', write('a', 'tampered'), ['restore: modify a']],
    [
      'an edit that keeps size and time',
      (root) => {
        const { atime, mtime } = lstatSync(join(root, 'a'));
        writeFileSync(join(root, 'a'), 'X');
        utimesSync(join(root, 'a'), atime, mtime);
        // Exactly the same one, where it has parts of a millisecond.
        age(join(root, 'a'));
      },
      ['restore: modify a'],
    ],
    ['the content of another file', copy('d/b', 'a'), ['restore: modify a']],
    ['the loss of a file', remove('a'), ['restore: create a']],
    ['the loss of a folder', remove('d'), ['restore: create d/b', 'restore: mkdir d']],
    ['another name', rename('a', 'z'), ['restore: move z a']],
    ['a file more', write('extra', 'e'), ['prune: delete extra']],
    [
      'folders more, in each other',
      (root) => layOut(root, { 'n/o/p': 'folder/' }),
      ['prune: rmdir n', 'prune: rmdir n/o', 'prune: rmdir n/o/p'],
    ],
    [
      'a folder for a file',
      all(remove('a'), (root) => layOut(root, { 'a/x': 'x!' })),
      ['prune: delete a/x', 'restore: create a', 'restore: rmdir a'],
    ],
    [
      'a file for a folder',
      all(remove('d'), write('d', 'file')),
      ['restore: create d/b', 'restore: delete d', 'restore: mkdir d'],
    ],
    [
      'a symlink for a file',
      all(remove('a'), (root) => symlinkSync('../outside/canary', join(root, 'a'))),
      ['restore: modify a'],
    ],
    [
      'a symlink for a folder',
      all(remove('d'), (root) => symlinkSync('../outside/folder', join(root, 'd'))),
      ['restore: create d/b', 'restore: delete d', 'restore: mkdir d'],
    ],
    ['another mode', (root) => chmodSync(join(root, 'a'), 0o777), ['restore: chmod a']],
    [
      'a symlink that leads elsewhere',
      all(remove('l'), (root) => symlinkSync('b', join(root, 'l'))),
      ['restore: link l'],
    ],
    [
      'the loss of all',
      (root) => rmSync(root, { recursive: true }),
      ['restore: create a', 'restore: create d/b', 'restore: create k', 'restore: link l', 'restore: mkdir d'],
    ],
  ])('is undone, and told so: %s', async (_, edit, expected) => {
    const pair = await makePair({ a: 'x', 'd/b': 'y', k: 'kept', l: { link: 'a' } });
    age(join(pair.src, 'a'));
    const replica = await keepReplica(pair);
    await replica.settle();
    const before = snapshot(pair.top, pair.dst);
    edit(pair.dst);
    // Where neither size nor time tells, both folders look the same.
    await expect.poll(() => replica.done.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(expected.length);
    expect((await replica.settle()).sort()).toEqual(expected);
    expect(readFileSync(join(pair.dst, 'a'), 'utf8')).toBe('x');
    expect(snapshot(pair.top, pair.dst)).toEqual(before);
  });
});

describe('a replica that is kept', () => {
  it('writes nothing where nothing happens, and reads no content', async () => {
    const pair = await makePair({ a: 'x', 'd/b': 'y' });
    for (const path of ['a', 'd/b']) age(join(pair.src, path));
    const stateDir = join(pair.top, 'state');
    const tasks: string[] = [];
    let scans = 0;
    const replica = await keepReplica(pair, {
      stateDir,
      onEvent(event) {
        if (event.type === 'start' && event.task === 'scan') scans++;
        if (event.type === 'start') tasks.push(event.task);
      },
    });
    await replica.settle();
    // Files that are new are read again until their times tell of every change.
    const read = () => tasks.splice(0).includes('digest');
    await expect
      .poll(
        async () => {
          read();
          const from = scans;
          await expect.poll(() => scans).toBeGreaterThan(from + 3);
          return read();
        },
        { timeout: 20_000 },
      )
      .toBe(false);
    const before = snapshot(pair.top);
    const from = scans;
    await expect.poll(() => scans).toBeGreaterThan(from + 5);
    expect(read()).toBe(false);
    expect(snapshot(pair.top)).toEqual(before);
  });

  it('knows after a restart what it has read, and what others did meanwhile', async () => {
    const pair = await makePair({ a: 'x', 'd/b': 'y', e: 'z' });
    const stateDir = join(pair.top, 'state');
    const first = await keepReplica(pair, { stateDir });
    await first.settle();
    await first.stop();
    writeFileSync(join(pair.dst, 'a'), 'tampered');
    writeFileSync(join(pair.dst, 'extra'), 'extra');
    renameSync(join(pair.src, 'd'), join(pair.src, 'n'));
    const second = await keepReplica(pair, { stateDir });
    expect((await second.settle()).sort()).toEqual(['move d n', 'prune: delete extra', 'restore: modify a']);
  });

  it.each<[string, (file: string) => void]>([
    ['is damaged', (file) => writeFileSync(file, `${readFileSync(file, 'utf8')}{"half\n`)],
    ['is empty', (file) => writeFileSync(file, '')],
    ['is of another source', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('/src"', '/other"'))],
  ])('adopts what is there where what was remembered %s', async (_, damage) => {
    const pair = await makePair({ a: 'x' });
    const stateDir = join(pair.top, 'state');
    const first = await keepReplica(pair, { stateDir });
    await first.settle();
    await first.stop();
    const [file = ''] = readdirSync(join(stateDir, 'replicas')).map((name) => join(stateDir, 'replicas', name));
    damage(file);
    const damaged = readFileSync(file, 'utf8');
    writeFileSync(join(pair.dst, 'extra'), 'extra');
    const aside: string[] = [];
    const second = await keepReplica(pair, { stateDir, onSetAside: (path) => aside.push(path) });
    expect(await second.settle()).toEqual(['delete extra']);
    expect(aside).toEqual([`${file}.aside`]);
    expect(readFileSync(`${file}.aside`, 'utf8')).toBe(damaged);
  });

  it('goes on where the source goes away and comes back, and loses the replica nothing', async () => {
    const pair = await makePair({ a: 'x' });
    const replica = await keepReplica(pair);
    await replica.settle();
    renameSync(pair.src, `${pair.src}-away`);
    await expect.poll(() => replica.errors.length).toBeGreaterThan(1);
    expect(existsSync(join(pair.dst, 'a'))).toBe(true);
    renameSync(`${pair.src}-away`, pair.src);
    writeFileSync(join(pair.src, 'b'), 'y');
    expect(await replica.settle()).toEqual(['create b']);
  });

  it('says once what is in order again, also where nothing had to be done for it', async () => {
    const pair = await makePair({ a: 'x', d: 'a file' }, { a: 'x', 'd/kept': 'k' });
    for (const root of [pair.src, pair.dst]) age(join(root, 'a'));
    const told: unknown[] = [];
    let scans = 0;
    const replica = await keepReplica(pair, {
      remove: false,
      onEvent: (event) => void (event.type === 'end' && event.task === 'scan' && scans++),
      onResult: ({ operations, failures, recovered, isAfterError }) =>
        told.push([
          operations.length,
          failures.map(({ path }) => path),
          recovered.map(({ path }) => path),
          isAfterError,
        ]),
    });
    const moreScans = async () => {
      const from = scans;
      await expect.poll(() => scans, { timeout: 20_000 }).toBeGreaterThan(from + 3);
    };
    await moreScans();
    expect(told.splice(0)).toEqual([[0, ['d'], [], false]]);
    rmSync(join(pair.src, 'd'));
    await moreScans();
    expect(told.splice(0)).toEqual([[0, [], ['d'], false]]);
    renameSync(pair.src, `${pair.src}-away`);
    await expect.poll(() => replica.errors.length, { timeout: 20_000 }).toBeGreaterThan(1);
    renameSync(`${pair.src}-away`, pair.src);
    await moreScans();
    expect(told).toEqual([[0, [], [], true]]);
  });

  it('hears of changes from the system, and need not look by itself', async () => {
    const pair = await makePair({ a: 'x', 'd/b': 'y' });
    const replica = await keepReplica(pair, { watch: true, scanEvery: 1_000_000_000 });
    await replica.settle();
    for (const [root, path] of [
      [pair.src, 'a'],
      [pair.src, 'd/b'],
      [pair.dst, 'd/b'],
      [pair.src, 'n/o/p'],
    ] as const) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), `changed: ${root}/${path}`);
      await expect.poll(() => replica.done.length, { timeout: 20_000 }).toBeGreaterThan(0);
      await replica.settle();
    }
  });

  it('hears of changes in a source that went away, and came back as another folder', async () => {
    const pair = await makePair({ a: 'x', 'd/b': 'y' });
    const replica = await keepReplica(pair, { watch: true, scanEvery: 1_000_000_000 });
    await replica.settle();
    renameSync(pair.src, `${pair.src}-away`);
    await expect.poll(() => replica.errors.length, { timeout: 20_000 }).toBeGreaterThan(0);
    layOut(pair.top, { 'new/a': 'x', 'new/d/b': 'back', once: 'once', twice: 'twice' });
    renameSync(join(pair.top, 'new'), pair.src);
    expect(await replica.settle()).toEqual(['modify d/b']);
    for (const content of ['once', 'twice']) {
      renameSync(join(pair.top, content), join(pair.src, 'd/b'));
      await expect.poll(() => replica.done.length, { timeout: 20_000 }).toBeGreaterThan(0);
      expect(await replica.settle()).toEqual(['modify d/b']);
    }
  });

  it.each<[string, string, (pair: { top: string; src: string; dst: string }) => Promise<unknown>]>([
    [
      'an interval of less than a millisecond',
      'invalid-argument',
      ({ src, dst }) => replicateFolders(src, dst, { every: 0.5, until: AbortSignal.abort() }),
    ],
    [
      'no interval',
      'invalid-argument',
      ({ src, dst }) => replicateFolders(src, dst, { every: Number.NaN, until: AbortSignal.abort() }),
    ],
    [
      'one folder',
      'invalid-argument',
      ({ src }) => replicateFolders(src, src, { every: 1, until: AbortSignal.abort() }),
    ],
    [
      'a log in it',
      'invalid-argument',
      ({ src, dst }) =>
        replicateFolders(src, dst, { every: 1, until: AbortSignal.abort(), written: [join(dst, 'log')] }),
    ],
    [
      'a destination that is not empty, where it is to be',
      'destination-refused',
      ({ src, dst }) => replicateFolders(src, dst, { every: 1, until: AbortSignal.abort(), requireEmpty: true }),
    ],
    [
      'the loss of more than half of what is there',
      'destination-refused',
      ({ src, dst }) => replicateFolders(src, dst, { every: 1, until: new AbortController().signal }),
    ],
  ])('is refused before anything is written: %s', async (_, code, start) => {
    const pair = await makePair({ a: 'x' }, { b: 'y', c: 'z' });
    const before = snapshot(pair.top);
    await expect(start(pair)).rejects.toMatchObject({ code });
    expect(snapshot(pair.top)).toEqual(before);
  });

  it('is one process’s, and another one is told so', async () => {
    const pair = await makePair({ a: 'x' });
    const stateDir = join(pair.top, 'state');
    const replica = await keepReplica(pair, { stateDir });
    await replica.settle();
    await expect(
      replicateFolders(pair.src, pair.dst, { every: 1, until: AbortSignal.abort(), stateDir }),
    ).rejects.toMatchObject({ code: 'in-use' });
  });

  it('ends at once where it is aborted, with the reason', async () => {
    const pair = await makePair({ a: 'x' });
    const stop = new AbortController();
    const reason = new Error('enough');
    const ended = replicateFolders(pair.src, pair.dst, {
      every: 1,
      until: new AbortController().signal,
      signal: stop.signal,
      onResult: () => stop.abort(reason),
    });
    await expect(ended).rejects.toBe(reason);
  });
});
