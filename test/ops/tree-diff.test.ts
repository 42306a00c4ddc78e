import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Diff } from '../../src/index.ts';
import type { RecordEntry } from '../../src/model/tree-record.ts';
import { formatTreeRecord, TREE_RECORD } from '../../src/model/tree-record.ts';
import { readFixture, versionFiles } from '../helpers/fixture-tree.ts';
import { createRig, md5 } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };

const withRecord = (files: Readonly<Record<string, string>>, entries: readonly RecordEntry[]) => ({
  ...files,
  [TREE_RECORD]: formatTreeRecord({ entries }),
});

/** A version with symlinks, an empty folder and a program. */
const FILES = withRecord({ 'run.sh': 'run\n', 'sub/file': 'file\n' }, [
  { type: 'symlink', path: 'broken', target: 'nothing', targetType: 'unknown' },
  { type: 'directory', path: 'empty', mode: 0o755 },
  { type: 'file', path: 'run.sh', mode: 0o755 },
  { type: 'directory', path: 'sub', mode: 0o755 },
  { type: 'file', path: 'sub/file', mode: 0o600 },
  { type: 'symlink', path: 'sub/up', target: '../run.sh', targetType: 'file' },
]);

/** The same, changed in every way. */
const CHANGED = withRecord({ broken: 'now a file\n', 'run.sh': 'run\n', 'sub/up/f': 'f\n' }, [
  { type: 'symlink', path: 'empty', target: 'sub', targetType: 'dir' },
  { type: 'file', path: 'run.sh', mode: 0o644 },
  { type: 'symlink', path: 'sub/file', target: 'up/f', targetType: 'file' },
]);

const NOTHING = { added: 0, removed: 0, modified: 0, moved: 0 };

/** Gives how many entries changed in which way. */
function numbers({ counts }: Diff) {
  const of = (type: keyof typeof NOTHING) => {
    const { files, symlinks = 0, folders = 0 } = counts[type];
    return files + symlinks + folders;
  };
  return { added: of('added'), removed: of('removed'), modified: of('modified'), moved: of('moved') };
}

/** Tells changes shortly: `+ a`, `- b`, `~ c`. */
function told({ changes }: Diff): string[] {
  const signs = { added: '+', removed: '-', modified: '~', moved: '>' };
  return changes.map(({ type, path }) => `${signs[type]} ${path}`);
}

async function createClone(options: object = {}, files: Readonly<Record<string, string>> = FILES) {
  const rig = await createRig({ versions: { 'p/a/v1': files, 'p/a/v2': CHANGED } });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V1, clone, options);
  return { ...rig, clone, at: (path: string) => join(clone, path) };
}

const to = (target: string) => ({ type: 'symlink', target });

describe('a clone of a version with symlinks', () => {
  it.each([{ mode: 'symlink' }, { mode: 'copy' }, { mode: 'hardlink' }, { download: false }] as const)(
    'differs from it in nothing when it is fresh: %o',
    async (options) => {
      const { client, clone } = await createClone(options);
      const diff = await client.diffClone(clone);
      expect(diff).toMatchObject({ changes: [], skipped: [] });
      expect(numbers(diff)).toEqual(NOTHING);
      expect(diff.counts.unchanged).toEqual({ files: 2, bytes: 9, symlinks: 2, folders: 1 });
    },
  );

  it('differs from it in nothing with every kind of symlink, nor does a copy, from it or from the clone', async () => {
    const { client, clone, folder } = await createClone({}, versionFiles(readFixture('test_symlinks')));
    const copy = join(folder, 'copy');
    await client.getTree(V1, copy);
    for (const diff of [
      await client.diffClone(clone),
      await client.diffClone(copy, V1),
      await client.diffFolders(clone, copy),
    ]) {
      expect(diff).toMatchObject({ changes: [], skipped: [], counts: { unchanged: { files: 5, symlinks: 15 } } });
    }
  });

  it('may be a copy with symlinks that could not be made there: they do not differ', async () => {
    const { client, folder } = await createClone();
    const copy = join(folder, 'copy');
    await client.getTree(V1, copy, { symlinks: 'skip' });
    expect(told(await client.diffClone(copy, V1))).toEqual(['- broken', '- sub/up']);
    const entries = [{ type: 'symlink', path: 'sub/up', target: '../run.sh', targetType: 'file' }] as const;
    writeFileSync(join(copy, TREE_RECORD), formatTreeRecord({ entries, notMade: true }));
    expect(told(await client.diffClone(copy, V1))).toEqual(['- broken']);
  });

  it('differs from it by symlinks, folders, kinds and permissions', async () => {
    const { client, clone, at } = await createClone();
    rmSync(at('broken'));
    symlinkSync('elsewhere', at('broken'));
    rmSync(at('run.sh'));
    writeFileSync(at('run.sh'), 'run\n', { mode: 0o644 });
    rmSync(at('sub/file'));
    symlinkSync('up', at('sub/file'));
    rmSync(at('sub/up'));
    mkdirSync(at('sub/up'));
    mkdirSync(at('new'));
    symlinkSync('new', at('to-new'));
    rmSync(at('empty'), { recursive: true });
    const diff = await client.diffClone(clone);
    const run = { size: 4, md5sum: md5('run\n') };
    expect(diff.changes).toEqual([
      { type: 'modified', path: 'broken', before: to('nothing'), after: to('elsewhere') },
      { type: 'removed', path: 'empty', before: { type: 'directory' } },
      { type: 'added', path: 'new', after: { type: 'directory' } },
      { type: 'modified', path: 'run.sh', before: { ...run, mode: 0o755 }, after: { ...run, mode: 0o644 } },
      {
        type: 'modified',
        path: 'sub/file',
        before: { size: 5, md5sum: md5('file\n'), mode: 0o600 },
        after: to('up'),
      },
      { type: 'modified', path: 'sub/up', before: to('../run.sh'), after: { type: 'directory' } },
      { type: 'added', path: 'to-new', after: to('new') },
    ]);
    expect(told(await client.diffClone(clone, V1, { reverse: true }))).toEqual([
      '~ broken',
      '+ empty',
      '- new',
      '~ run.sh',
      '~ sub/file',
      '~ sub/up',
      '- to-new',
    ]);
  });

  it('is compared with another version, whether that has a record or not', async () => {
    const { client, clone, registry } = await createClone();
    await registry.publish({ versions: { 'p/a/plain': { 'run.sh': 'run\n', 'sub/file': 'file\n' } } });
    expect(told(await client.diffClone(clone, V2))).toEqual(told(await client.diffVersions(V2, V1)));
    expect(told(await client.diffClone(clone, { ...V1, version: 'plain' }))).toEqual([
      '+ broken',
      '+ empty',
      '~ run.sh',
      '~ sub/file',
      '+ sub/up',
    ]);
  });
});

describe('two versions with symlinks', () => {
  it('differ by their trees, without their records', async () => {
    const { client } = await createClone();
    const diff = await client.diffVersions(V1, V2);
    expect(diff.changes).toMatchObject([
      { type: 'modified', path: 'broken', before: to('nothing'), after: { size: 11 } },
      { type: 'modified', path: 'empty', before: { type: 'directory' }, after: to('sub') },
      { type: 'modified', path: 'run.sh', before: { mode: 0o755 }, after: { mode: 0o644 } },
      { type: 'modified', path: 'sub/file', before: { size: 5 }, after: to('up/f') },
      { type: 'modified', path: 'sub/up', before: to('../run.sh'), after: { type: 'directory' } },
      { type: 'added', path: 'sub/up/f' },
    ]);
    expect(diff.counts).toMatchObject({
      added: { files: 1 },
      modified: { files: 2, symlinks: 2, folders: 1 },
      unchanged: { files: 0, bytes: 0 },
    });
  });

  it('are compared by their files where a record is stale, with a warning', async () => {
    const stale = withRecord({ 'link/file': 'x' }, [
      { type: 'symlink', path: 'link', target: 'x', targetType: 'unknown' },
      { type: 'file', path: 'gone', mode: 0o755 },
    ]);
    const { client, watch, events } = await createRig({
      versions: { 'p/a/v1': stale, 'p/a/v2': { 'link/file': 'x' } },
    });
    expect(await client.diffVersions(V1, V2, watch)).toMatchObject({ changes: [] });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'left-out',
        ref: V1,
        entries: [expect.objectContaining({ path: 'gone' }), expect.objectContaining({ path: 'link' })],
      }),
    );
  });

  it('are not compared where a record is none', async () => {
    const { client } = await createRig({ versions: { 'p/a/v1': { [TREE_RECORD]: '{}' }, 'p/a/v2': { a: 'a' } } });
    await expect(client.diffVersions(V1, V2)).rejects.toMatchObject({ code: 'invalid-manifest' });
  });
});

describe('two folders', () => {
  it('are compared by the text of their symlinks, whatever they lead to, and without a record that lies there', async () => {
    const { client, makeFolder } = await createRig();
    const left = await makeFolder('left', { a: 'a', [TREE_RECORD]: formatTreeRecord({ entries: [] }) });
    const right = await makeFolder('right', { a: 'a' });
    for (const folder of [left, right]) symlinkSync('nowhere', join(folder, 'same'));
    symlinkSync('a', join(left, 'l'));
    symlinkSync(join(left, 'a'), join(right, 'l'));
    mkdirSync(join(left, 'e'));
    chmodSync(join(right, 'a'), 0o664);
    const { changes } = await client.diffFolders(left, right);
    expect(changes).toEqual([
      { type: 'removed', path: 'e', before: { type: 'directory' } },
      { type: 'modified', path: 'l', before: to('a'), after: to(join(left, 'a')) },
    ]);
  });
});

it('a patch has symlinks, programs and permissions as git has them, which git applies', async () => {
  const { client, folder, registry } = await createRig({ versions: { 'p/a/v1': FILES, 'p/a/v2': CHANGED } });
  await registry.publish({
    versions: {
      'p/a/v3': withRecord({ 'run.sh': 'walk\n', 'new.sh': 'new\n' }, [
        { type: 'symlink', path: 'broken', target: 'some\nthing', targetType: 'unknown' },
        { type: 'symlink', path: 'bytes', target: '\udce9', targetType: 'unknown' },
        { type: 'symlink', path: 'l', target: 'x', targetType: 'unknown' },
        { type: 'file', path: 'new.sh', mode: 0o755 },
        { type: 'file', path: 'run.sh', mode: 0o755 },
      ]),
    },
  });
  const patchOf = async (version: string) => {
    const { changes } = await client.diffVersions(V1, { ...V1, version }, { patch: true });
    return changes;
  };
  const header = 'diff --git a/run.sh b/run.sh\nold mode 100755\nnew mode 100644\n';
  expect((await patchOf('v2')).find(({ path }) => path === 'run.sh')?.patch).toBe(header);
  expect((await patchOf('v3')).find(({ path }) => path === 'bytes')).toMatchObject({ noPatch: 'binary' });
  for (const [version, expected] of [
    [
      'v2',
      {
        broken: 'now a file\n',
        empty: '-> sub',
        'run.sh': 'run\n',
        sub: '/',
        'sub/file': '-> up/f',
        'sub/up': '/',
        'sub/up/f': 'f\n',
      },
    ],
    ['v3', { broken: '-> some\nthing', l: '-> x', 'new.sh': 'new\n', 'run.sh': 'walk\n' }],
  ] as const) {
    const copy = join(folder, version);
    await client.getTree(V1, copy);
    rmSync(join(copy, 'empty'), { recursive: true });
    writeFileSync(join(folder, 'patch'), (await patchOf(version)).map(({ patch = '' }) => patch).join(''));
    execFileSync('git', ['apply', '../patch'], { cwd: copy });
    expect(treeShape(copy)).toEqual(expected);
    expect(lstatSync(join(copy, 'run.sh')).mode & 0o100).toBe(version === 'v2' ? 0 : 0o100);
  }
  expect(lstatSync(join(folder, 'v3/new.sh')).mode & 0o100).toBe(0o100);
});
