import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePaths, withDirectories } from '../../src/model/tree.ts';
import { applyReplica } from '../../src/tree/apply-replica.ts';
import { findDoubtful } from '../../src/tree/find-doubtful.ts';
import { planReplica, type ReplicaPlanOptions } from '../../src/tree/plan-replica.ts';
import type { ReplicaEntry, ReplicaFile } from '../../src/tree/replica-entry.ts';
import type { Operation } from '../../src/tree/replica-plan.ts';
import { memoryRepository } from '../helpers/memory-repository.ts';

/** What stands at a path: a file with that content, a symlink, a special file, or a folder. */
type Item = string | { link: string } | 'folder/' | 'special/';

const MTIME = 1_700_000_000_000_000;

/** Makes a tree; contents are known by their digests. */
function treeOf(items: Readonly<Record<string, Item>>, mtime = MTIME): ReplicaEntry[] {
  const entries = Object.entries(items).sort(([a], [b]) => comparePaths(a, b));
  const tree = entries.map(([path, item]): ReplicaEntry => {
    if (item === 'folder/') return { type: 'directory', path, mode: 0o755, mtime };
    if (item === 'special/') return { type: 'special', path };
    if (typeof item !== 'string') return { type: 'symlink', path, target: item.link, mtime };
    return { type: 'file', path, size: item.length, mode: 0o644, mtime, digest: item };
  });
  const all = withDirectories(tree.map(({ path }) => ({ type: 'file', path, size: 0 })));
  const own = new Map(tree.map((entry) => [entry.path, entry]));
  return [...new Set(all.map(({ path }) => path))].map(
    (path) => own.get(path) ?? { type: 'directory', path, mode: 0o755, mtime },
  );
}

async function replicate(
  source: readonly ReplicaEntry[],
  destination: readonly ReplicaEntry[],
  options: ReplicaPlanOptions = {},
): Promise<{ operations: readonly Operation[]; entries: ReplicaEntry[] }> {
  const plan = await planReplica(source, destination, options);
  // It is data, and nothing of it is lost on the way.
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  const replica = memoryRepository(destination, options);
  await applyReplica(plan, memoryRepository(source), replica);
  return { operations: plan.operations, entries: replica.entries() };
}

/** What is done, in few words; a name for a short time is `(park)`. */
function words(operations: readonly Operation[]): string[] {
  return operations.map(wordsOf).map((text) => text.replace(/\.\.gypsum-\S+/, '(park)'));
}

function wordsOf(operation: Operation): string {
  const { op, path } = operation;
  if (op === 'move') return `move ${operation.from} ${path}${operation.stays ? ' (stays)' : ''}`;
  return op === 'copy' ? `copy ${operation.from} ${path}` : `${op} ${path}`;
}

async function done(before: Record<string, Item>, after: Record<string, Item>): Promise<string[]> {
  const [source, destination] = [treeOf(after), treeOf(before)];
  const { operations, entries } = await replicate(source, destination);
  expect(entries).toEqual(source);
  return words(operations);
}

describe('a plan of a replica', () => {
  it.each<[string, Record<string, Item>, Record<string, Item>, string[]]>([
    ['nothing', { a: 'x', 'd/b': 'y' }, { a: 'x', 'd/b': 'y' }, []],
    ['a new file', {}, { a: 'x' }, ['create a']],
    ['files with equal contents', {}, { a: 'x', b: 'x' }, ['create a', 'create b']],
    ['empty folders', {}, { 'a/b': 'folder/' }, ['mkdir a', 'mkdir a/b']],
    ['an edit', { a: 'x' }, { a: 'yy' }, ['modify a']],
    ['an edit to what is elsewhere', { a: 'x', b: 'yy' }, { a: 'yy', b: 'yy' }, ['copy b a']],
    ['a file that is gone', { a: 'x', b: 'y' }, { a: 'x' }, ['delete b']],
    ['a folder that is gone', { 'd/e/f': 'x', 'd/g': 'y' }, {}, ['delete d/g', 'delete d/e/f', 'rmdir d/e', 'rmdir d']],
    ['another name', { a: 'x' }, { b: 'x' }, ['move a b']],
    ['a move into a new folder', { a: 'x' }, { 'n/m/a': 'x' }, ['mkdir n', 'mkdir n/m', 'move a n/m/a']],
    ['a copy', { a: 'x' }, { a: 'x', b: 'x' }, ['copy a b']],
    [
      'a folder of another name',
      { 'o/a': 'x', 'o/b': 'y', 'o/c': 'z' },
      { 'n/a': 'x', 'n/b': 'y', 'n/c': 'z' },
      ['move o n'],
    ],
    ['a folder with duplicates', { 'o/a': 'x', 'o/b': 'x' }, { 'n/a': 'x', 'n/b': 'x' }, ['move o n']],
    ['a folder that is deeper now', { 'o/a': 'x', keep: 'k' }, { 'n/o/a': 'x', keep: 'k' }, ['mkdir n', 'move o n/o']],
    ['folders in a moved one', { 'o/s/a': 'x', 'o/e': 'folder/' }, { 'n/s/a': 'x', 'n/e': 'folder/' }, ['move o n']],
    [
      'a moved folder with an edit',
      { 'o/a': 'x', 'o/b': 'y', 'o/c': 'z', 'o/d': 'old' },
      { 'n/a': 'x', 'n/b': 'y', 'n/c': 'z', 'n/e': 'new!' },
      ['move o n', 'delete n/d', 'create n/e'],
    ],
    [
      'a folder of which most stays',
      { 'o/a': 'x', 'o/b': 'y', 'o/c': 'z' },
      { 'n/a': 'x' },
      ['mkdir n', 'move o/a n/a', 'delete o/c', 'delete o/b', 'rmdir o'],
    ],
    [
      'two files swapped',
      { a: 'x', b: 'y' },
      { a: 'y', b: 'x' },
      ['move b (park) (stays)', 'move a b (stays)', 'move (park) a'],
    ],
    [
      'a circle of three',
      { a: 'x', b: 'y', c: 'z' },
      { a: 'z', b: 'x', c: 'y' },
      ['move c (park) (stays)', 'move b c (stays)', 'move a b (stays)', 'move (park) a'],
    ],
    ['a row of names', { a: 'x', b: 'y' }, { b: 'x', c: 'y' }, ['move b c (stays)', 'move a b']],
    ['a name given away, and a new file of it', { a: 'x' }, { a: 'new', b: 'x' }, ['move a b (stays)', 'modify a']],
    ['a rename, and the loss of an equal file', { a: 'x', b: 'x' }, { c: 'x' }, ['move a c', 'delete b']],
    ['a rename with an edit', { a: 'x' }, { b: 'yy' }, ['delete a', 'create b']],
    ['two edits to one new content', { a: 'x', b: 'y' }, { a: 'zz', b: 'zz' }, ['modify a', 'modify b']],
    ['a duplicate that moves', { a: 'x', b: 'x' }, { a: 'x', c: 'x' }, ['move b c']],
    ['duplicates, one gone and one copied', { a: 'x', b: 'x' }, { b: 'x', c: 'x' }, ['move a c']],
    ['a file that is a folder now', { a: 'x' }, { 'a/b': 'yy' }, ['delete a', 'mkdir a', 'create a/b']],
    [
      'a file that is in a folder of its name now',
      { a: 'x' },
      { 'a/b': 'x' },
      ['move a (park)', 'mkdir a', 'move (park) a/b'],
    ],
    [
      'a folder that is a file now',
      { 'a/b/c': 'x', 'a/d': 'y' },
      { a: 'zz' },
      ['delete a/d', 'delete a/b/c', 'rmdir a/b', 'rmdir a', 'create a'],
    ],
    [
      'a folder that is the file in it now',
      { 'a/b': 'x' },
      { a: 'x' },
      ['move a/b (park)', 'rmdir a', 'move (park) a'],
    ],
    ['symlinks', { l: { link: 'a' } }, { l: { link: 'b' }, m: { link: 'c' } }, ['link l', 'link m']],
    ['a symlink that is a file now', { a: { link: 'b' } }, { a: 'x' }, ['modify a']],
    ['a symlink that is a folder now', { a: { link: 'b' } }, { 'a/x': 'x' }, ['delete a', 'mkdir a', 'create a/x']],
    ['a file that is a symlink now', { a: 'x' }, { a: { link: 'b' } }, ['link a']],
    ['a special file', { a: 'special/', b: 'special/' }, { b: 'x' }, ['delete a', 'modify b']],
    ['empty files, which are made anew', { a: '' }, { b: '' }, ['delete a', 'create b']],
  ])('of %s', async (_, before, after, operations) => {
    expect(await done(before, after)).toEqual(operations);
  });

  it('lists what moves with a folder', async () => {
    const { operations } = await planReplica(treeOf({ 'n/s/a': 'x' }), treeOf({ 'o/s/a': 'x' }));
    expect(operations).toEqual([{ op: 'move', type: 'directory', from: 'o', path: 'n', children: ['s', 's/a'] }]);
  });

  it('gives modes and times alone where the content is the same', async () => {
    const source = treeOf({ a: 'x', 'd/b': 'y', l: { link: 'a' } }, MTIME + 1);
    const destination = treeOf({ a: 'x', 'd/b': 'y', l: { link: 'a' } }).map(
      (entry): ReplicaEntry => (entry.path === 'a' ? ({ ...entry, mode: 0o600 } as ReplicaFile) : entry),
    );
    const { operations, entries } = await replicate(source, destination);
    expect(words(operations)).toEqual(['chmod a', 'touch a', 'touch d/b', 'touch l', 'touch d']);
    expect(entries).toEqual(source);
  });

  it('counts what goes, and what is as it is to be', async () => {
    const plan = await planReplica(
      treeOf({ a: 'x', b: 'new', 'd/e': 'y' }),
      treeOf({ a: 'x', b: 'old.', 'd/e': 'y', 'f/g': 'z' }),
    );
    expect(plan).toMatchObject({ removed: 2, unchanged: 3 });
  });

  it('removes nothing if it is not to, and then nothing moves away either', async () => {
    const { operations, entries } = await replicate(treeOf({ b: 'x', c: 'yy' }), treeOf({ a: 'x', c: 'old' }), {
      remove: false,
    });
    expect(words(operations)).toEqual(['create b', 'modify c']);
    expect(entries.map(({ path }) => path)).toEqual(['a', 'b', 'c']);
  });

  it('leaves a folder that holds something where nothing is to be removed', async () => {
    const plan = await planReplica(treeOf({ a: 'x' }), treeOf({ 'a/b': 'y' }), { remove: false });
    expect(plan).toMatchObject({
      operations: [],
      blocked: [{ path: 'a', why: expect.stringContaining('nothing is to be removed') }],
    });
    const empty = await replicate(treeOf({ a: 'x' }), treeOf({ a: 'folder/' }), { remove: false });
    expect(words(empty.operations)).toEqual(['rmdir a', 'create a']);
  });

  it('keeps the folders of what is left out, and moves none of them', async () => {
    const options = { left: ['o/s/secret'] };
    const gone = await planReplica(treeOf({}), treeOf({ 'o/s/a': 'x', 'o/t/b': 'y' }), options);
    expect(words(gone.operations)).toEqual(['delete o/t/b', 'rmdir o/t', 'delete o/s/a']);
    const moved = await planReplica(treeOf({ 'n/s/a': 'x' }), treeOf({ 'o/s/a': 'x' }), options);
    expect(words(moved.operations)).toEqual(['mkdir n', 'mkdir n/s', 'move o/s/a n/s/a']);
    const blocked = await planReplica(treeOf({ o: 'x', 'p/q': 'y' }), treeOf({ 'o/s': 'folder/' }), {
      left: ['o/s/secret', 'p'],
    });
    expect(blocked.blocked.map(({ path }) => path)).toEqual(['o', 'p']);
    expect(blocked.operations).toEqual([]);
  });

  it('makes a file of its own of one whose inode the source has, and of one that would have to change with its other names', async () => {
    const file = (path: string, mtime = MTIME): ReplicaFile => ({ type: 'file', path, size: 1, mode: 0o644, mtime });
    const destination = [
      { ...file('a'), inode: '1 1' },
      { ...file('b'), inode: '1 2' },
      { ...file('c'), inode: '1 3' },
    ];
    const source = [file('a'), file('b'), file('c', MTIME + 5)];
    const { operations } = await planReplica(source, destination, { shared: new Set(['1 1']) });
    expect(words(operations)).toEqual(['modify a', 'modify c']);
    const link: ReplicaEntry = { type: 'symlink', path: 'l', target: 't', mtime: MTIME };
    const other = await planReplica([{ ...link, mtime: 5 }], [{ ...link, inode: '1 4' }]);
    expect(words(other.operations)).toEqual(['link l']);
  });

  it('takes times of the far future and before 1970 for the same where they cannot be given more exactly', async () => {
    const at = (mtime: number): ReplicaEntry[] => [{ type: 'file', path: 'a', size: 1, mode: 0o644, mtime }];
    const differ = async (a: number, b: number) => (await planReplica(at(a), at(b))).operations.length > 0;
    expect(await differ(MTIME, MTIME + 1)).toBe(true);
    expect(await differ(5e15, 5e15 + 2)).toBe(false);
    expect(await differ(5e15, 5e15 + 3)).toBe(true);
    expect(await differ(-1_000_001, -1_001_000)).toBe(false);
    expect(await differ(-1_000_001, -1_002_000)).toBe(true);
  });
});

const name = fc.constantFrom('a', 'b', 'c', 'd');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const item: fc.Arbitrary<Item> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('', 'v', 'w', 'x', 'y', 'z', 'long') },
  { weight: 1, arbitrary: fc.constantFrom('one', 'two').map((link) => ({ link })) },
  { weight: 1, arbitrary: fc.constantFrom<Item>('folder/') },
);
const items = fc.dictionary(path, item, { maxKeys: 12, noNullPrototype: true }).map((all) => {
  const paths = Object.keys(all);
  const isFree = (at: string) => !paths.some((other) => at.startsWith(`${other}/`) && all[other] !== 'folder/');
  return Object.fromEntries(Object.entries(all).filter(([at]) => isFree(at)));
});
const tree = fc.tuple(items, fc.nat(2)).map(([all, later]) => treeOf(all, MTIME + later));

describe('whatever the two trees are, a plan', () => {
  it('makes the replica equal to its source, and leaves no path of both without its file', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, fc.boolean(), fc.boolean(), async (source, destination, moves, copies) => {
        const plan = await planReplica(source, destination, { moves, copies });
        const isLeaf = (entry: ReplicaEntry) => entry.type === 'file' || entry.type === 'symlink';
        const leaves = new Set(source.filter(isLeaf).map(({ path: at }) => at));
        const both = destination.filter((entry) => isLeaf(entry) && leaves.has(entry.path)).map(({ path: at }) => at);
        const replica = memoryRepository(destination, {
          moves,
          copies,
          onChange: (at) => expect(both.filter((one) => !at.has(one))).toEqual([]),
        });
        await applyReplica(plan, memoryRepository(source), replica);
        expect(replica.entries()).toEqual(source);
        expect((await planReplica(source, source)).operations).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('contents that have to be known', () => {
  const without = (entries: ReplicaEntry[]) =>
    entries.map(({ ...entry }) => {
      if (entry.type === 'file') delete entry.digest;
      return entry;
    });
  const doubtful = async (
    source: [Record<string, Item>, number?],
    destination: [Record<string, Item>, number?],
    options = {},
  ) => {
    const found = await findDoubtful(without(treeOf(...source)), without(treeOf(...destination)), options);
    return [found.source.map((file) => file.path), found.destination.map((file) => file.path)];
  };

  it('are those of one size and another time, and with "checksum" all of one size', async () => {
    const [before, after] = [
      { a: 'x', b: 'yy', e: '' },
      { a: 'z', b: 'zzz', e: '' },
    ];
    expect(await doubtful([after], [before])).toEqual([[], []]);
    expect(await doubtful([after, MTIME + 1], [before])).toEqual([['a'], ['a']]);
    expect(await doubtful([after], [before], { checksum: true })).toEqual([['a'], ['a']]);
  });

  it('are those of new files as large as some that are gone, and of those that may be copies', async () => {
    expect(await doubtful([{ n: 'xx', o: 'z' }], [{ p: 'yy', q: 'zzz' }])).toEqual([['n'], ['p']]);
    expect(await doubtful([{ n: 'xx' }], [{ p: 'yy' }], { moves: false })).toEqual([[], []]);
    expect(await doubtful([{ a: 'xx', 'd/a': 'xx', e: 'xx' }], [{ a: 'xx' }])).toEqual([['d/a', 'e'], ['a']]);
  });
});
