import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePaths, type Entry, type FileEntry, isBelow, sortPaths, withDirectories } from '../../src/model/tree.ts';
import { compareTrees, sameEntry } from '../../src/tree/compare.ts';
import { planLayout } from '../../src/tree/plan.ts';

const folder = (path: string): Entry => ({ type: 'directory', path });
const link = (path: string, target = `/bucket/${path}`): Entry => ({ type: 'symlink', path, target });
const file = (path: string, size = 1): FileEntry => ({ type: 'file', path, size });
const special = (path: string): Entry => ({ type: 'special', path });

describe('two trees side by side', () => {
  it('give every path of either once, in order', () => {
    const paths = fc.uniqueArray(fc.constantFrom<string[]>('a', 'a/b', 'a/b/c', 'a-', 'a.', 'b', 'b/a', 'c'));
    fc.assert(
      fc.property(paths, paths, (left, right) => {
        const pairs = [
          ...compareTrees(
            sortPaths(left).map((path) => file(path)),
            sortPaths(right).map(folder),
          ),
        ];
        expect(pairs.map((pair) => pair.path)).toEqual(sortPaths([...new Set([...left, ...right])]));
        for (const pair of pairs) {
          expect(pair.left?.type).toBe(left.includes(pair.path) ? 'file' : undefined);
          expect(pair.right?.type).toBe(right.includes(pair.path) ? 'directory' : undefined);
        }
      }),
    );
  });

  const md5 = (hex: string) => ({ algorithm: 'md5', hex }) as const;
  it.each<[string, Entry, Entry, boolean]>([
    ['two folders', folder('a'), folder('a'), true],
    ['two symlinks with one text', link('a', 'x'), link('a', 'x'), true],
    ['two symlinks with two texts', link('a', 'x'), link('a', './x'), false],
    ['a symlink and a folder', link('a'), folder('a'), false],
    ['a folder and a symlink', folder('a'), link('a'), false],
    ['a file and a folder', file('a'), folder('a'), false],
    ['a symlink and a file', link('a'), file('a'), false],
    ['files of which no content is known', file('a'), file('a'), false],
    ['files with one digest', { ...file('a'), digest: md5('0') }, { ...file('a'), digest: md5('0') }, true],
    ['files with two digests', { ...file('a'), digest: md5('0') }, { ...file('a'), digest: md5('1') }, false],
    ['files with two sizes', { ...file('a', 2), digest: md5('0') }, { ...file('a'), digest: md5('0') }, false],
    ['a file that is known and one that is not', { ...file('a'), digest: md5('0') }, file('a'), false],
    ['two special files', special('a'), special('a'), false],
  ])('know whether %s are the same', (_what, a, b, same) => {
    expect(sameEntry(a, b)).toBe(same);
  });
});

describe('a plan', () => {
  it('makes everything in an empty folder, folders first', () => {
    expect(planLayout(withDirectories([link('a/b/c'), link('a/d'), link('e')]), [])).toEqual({
      steps: [
        { path: 'a', after: { type: 'directory', path: 'a' } },
        { path: 'a/b', after: { type: 'directory', path: 'a/b' } },
        { path: 'a/b/c', after: link('a/b/c') },
        { path: 'a/d', after: link('a/d') },
        { path: 'e', after: link('e') },
      ],
      conflicts: [],
      unchanged: 0,
    });
  });

  it('makes real files of those of another folder, but for those that are known to be there', () => {
    const digest = { algorithm: 'md5', hex: '0' } as const;
    const known = (path: string): FileEntry => ({ ...file(path), digest });
    const files = { mode: 'copy', source: ({ path }: FileEntry) => `/bucket/${path}` } as const;
    const { steps, conflicts, unchanged } = planLayout(
      withDirectories([known('a/new'), known('b'), known('c'), known('d'), known('e')]),
      [known('b'), file('c'), link('d'), link('e', '/elsewhere')],
      files,
    );
    expect(steps).toEqual([
      { path: 'a', after: { type: 'directory', path: 'a' } },
      { path: 'a/new', after: { type: 'file', mode: 'copy', source: '/bucket/a/new', size: 1, digest } },
      { path: 'd', before: link('d'), after: { type: 'file', mode: 'copy', source: '/bucket/d', size: 1, digest } },
    ]);
    expect([conflicts, unchanged]).toEqual([['c', 'e'], 1]);
  });

  it('has nothing to do where all is there, and leaves what else is there alone', () => {
    const wanted = withDirectories([link('a/b'), link('c')]);
    const actual = [folder('a'), link('a/b'), file('a/mine'), file('b'), link('c'), special('d')];
    expect(planLayout(wanted, actual)).toEqual({ steps: [], conflicts: [], unchanged: 2 });
  });

  it.each<[string, Entry]>([
    ['a file', file('a')],
    ['another symlink', link('a', '/elsewhere')],
    ['a folder', folder('a')],
    ['a special file', special('a')],
  ])('keeps %s where a link should be', (_what, there) => {
    expect(planLayout([link('a'), link('b')], [there])).toEqual({
      steps: [{ path: 'b', after: link('b') }],
      conflicts: ['a'],
      unchanged: 0,
    });
  });

  it.each<[string, Entry]>([
    ['a file', file('a')],
    ['a symlink to a folder', link('a', '/etc')],
    ['a special file', special('a')],
  ])('writes nothing through %s where a folder should be', (_what, there) => {
    const wanted = withDirectories([link('a/b/c'), link('a/d'), link('a.txt'), link('b')]);
    const { steps, conflicts } = planLayout(wanted, [there]);
    expect(conflicts).toEqual(['a/b/c', 'a/d']);
    expect(steps.map((step) => step.path)).toEqual(['a.txt', 'b']);
  });

  it('makes each path once, never at or below anything that is there, and forgets none', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'a.', 'a-'), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join('/'));
    const leaves = fc
      .uniqueArray(path, { maxLength: 8 })
      .map((paths) => sortPaths(paths).filter((one) => !paths.some((other) => isBelow(other, one))));
    const kind = fc.constantFrom(file, folder, special, link, (at: string) => link(at, '/elsewhere'));
    fc.assert(
      fc.property(leaves, leaves, fc.infiniteStream(kind), (wantedPaths, actualPaths, kinds) => {
        const wanted = withDirectories(wantedPaths.map((at) => link(at)));
        const actual = withDirectories(actualPaths.map((at) => (kinds.next().value ?? file)(at)));
        const { steps, conflicts, unchanged } = planLayout(wanted, actual);

        const there = new Map(actual.map((entry) => [entry.path, entry.type]));
        const made = steps.map((step) => step.path);
        expect(made).toEqual(sortPaths([...new Set(made)]));
        for (const at of made) {
          expect(there.has(at)).toBe(false);
          for (const [other, type] of there) if (isBelow(at, other)) expect(type).toBe('directory');
        }
        const links = steps.filter(({ after }) => after.type === 'symlink').length;
        expect(links + conflicts.length + unchanged).toBe(wantedPaths.length);
        expect(conflicts).toEqual(conflicts.toSorted(comparePaths));
      }),
      { numRuns: 2_000 },
    );
  });
});
