import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CloneState } from '../../src/index.ts';
import { countFiles } from '../../src/model/count.ts';
import { type CloneOptions, cloneBy } from '../../src/ops/clone-version.ts';
import { putFile } from '../../src/tree/put-file.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { a: 'content of a', b: 'content of b', 'sub/c': 'c', 'sub/deep/d': 'd', empty: '', same: 'c' };
const seed = { versions: { 'p/a/v1': FILES, 'p/a/v2': { ...FILES, b: 'another' } } };
const ALL = { files: 6, bytes: 27 };

/** Shared bytes look like a copy; not every file system that tests run on has them. */
const put = { ...putFile, reflink: copyFileSync };

/** A rig with a clone of the seed. */
async function createClone(options: CloneOptions = {}) {
  return cloneIn(await createRig(seed), options);
}

async function cloneIn(rig: Rig, options: CloneOptions, name = 'clone') {
  const clone = join(rig.folder, name);
  await cloneBy(put, rig.client.context, V1, clone, options);
  rig.registry.resetCalls();
  const bucket = join(rig.cacheDir, 'bucket/p/a/v1');
  const edit = async (path: string, content: string) => {
    await chmod(join(bucket, path), 0o644);
    await writeFile(join(bucket, path), content);
  };
  const at = (path: string) => join(clone, path);
  const replace = async (path: string, content: string) => {
    await rm(at(path), { recursive: true, force: true });
    await writeFile(at(path), content);
  };
  return { ...rig, clone, bucket, at, edit, replace, status: () => rig.client.cloneStatus(clone) };
}

type Clone = Awaited<ReturnType<typeof createClone>>;

const MODES = ['symlink', 'hardlink', 'reflink', 'copy'] as const;

/** What is done to a clone, and what is said of it. */
const CHANGES: readonly [string, (at: Clone) => Promise<unknown>, object[]][] = [
  [
    'a file that was changed',
    ({ replace }) => replace('a', 'longer than before'),
    [{ path: 'a', state: 'modified', size: 18 }],
  ],
  [
    'a file that was changed and is as large as before',
    ({ replace }) => replace('a', 'CONTENT OF A'),
    [{ path: 'a', state: 'modified', size: 12 }],
  ],
  [
    'a file with the content of another path',
    ({ replace }) => replace('a', 'content of b'),
    [{ path: 'a', state: 'modified', size: 12 }],
  ],
  ['a new file', ({ replace }) => replace('new', 'new'), [{ path: 'new', state: 'added', size: 3 }]],
  [
    'a file with the content of one that is still there',
    ({ replace }) => replace('new', 'd'),
    [{ path: 'new', state: 'added', size: 1 }],
  ],
  ['a file that was removed', ({ at }) => rm(at('a')), [{ path: 'a', state: 'deleted', size: 12 }]],
  [
    'a file that was moved',
    ({ at }) => rename(at('a'), at('sub/new')),
    [{ path: 'sub/new', state: 'moved', size: 12, from: 'a' }],
  ],
  [
    'a folder that was moved, with equal files elsewhere',
    async ({ at }) => {
      await rm(at('same'));
      await rename(at('sub'), at('moved'));
    },
    [
      { path: 'moved/c', state: 'moved', size: 1, from: 'sub/c' },
      { path: 'moved/deep/d', state: 'moved', size: 1, from: 'sub/deep/d' },
      { path: 'same', state: 'deleted', size: 1 },
    ],
  ],
  [
    'a file that was moved and written anew',
    async ({ at, replace }) => {
      await rm(at('a'));
      await replace('sub/new', 'content of a');
    },
    [{ path: 'sub/new', state: 'moved', size: 12, from: 'a' }],
  ],
  [
    'an empty file that was moved',
    ({ at }) => rename(at('empty'), at('void')),
    [
      { path: 'empty', state: 'deleted', size: 0 },
      { path: 'void', state: 'added', size: 0 },
    ],
  ],
  [
    'a folder in place of a file',
    async ({ at, replace }) => {
      await rm(at('a'));
      await mkdir(at('a'));
      await replace('a/x', 'x!');
    },
    [
      { path: 'a', state: 'deleted', size: 12 },
      { path: 'a/x', state: 'added', size: 2 },
    ],
  ],
  [
    'a file in place of a folder',
    ({ replace }) => replace('sub', 'file'),
    [
      { path: 'sub', state: 'added', size: 4 },
      { path: 'sub/c', state: 'deleted', size: 1 },
      { path: 'sub/deep/d', state: 'deleted', size: 1 },
    ],
  ],
  ['a folder with nothing in it', ({ at }) => mkdir(at('hollow')), []],
  [
    'a symlink to another file of the cache',
    async ({ at, bucket }) => {
      await rm(at('a'));
      await symlink(join(bucket, 'b'), at('a'));
    },
    [{ path: 'a', state: 'retargeted', size: 12, link: { ...V1, path: 'b' } }],
  ],
  [
    'a symlink to the same content at another path',
    async ({ at, bucket }) => {
      await rm(at('same'));
      await symlink(join(bucket, 'sub/c'), at('same'));
    },
    [],
  ],
  [
    'a new symlink into the cache',
    ({ at, bucket }) => symlink(join(bucket, 'a'), at('x')),
    [{ path: 'x', state: 'added', size: 12 }],
  ],
  [
    'a new symlink to a file that is not in the cache',
    async ({ at, bucket }) => {
      await rm(at('a'));
      await rm(join(bucket, 'a'));
      await symlink(join(bucket, 'a'), at('a'));
    },
    [{ path: 'a', state: 'dangling', size: 12 }],
  ],
  [
    'symlinks to a file, a folder and nothing elsewhere',
    async ({ at, makeFolder }) => {
      const mine = await makeFolder('mine', { file: 'mine', 'c/d': '' });
      await rm(at('sub'), { recursive: true });
      await symlink('../mine/file', at('x'));
      await symlink(mine, at('sub'));
      await symlink('nothing', at('y'));
    },
    [
      { path: 'sub', state: 'foreign', size: 0, target: expect.stringMatching(/^\/.*\/mine$/) },
      { path: 'sub/c', state: 'deleted', size: 1 },
      { path: 'sub/deep/d', state: 'deleted', size: 1 },
      { path: 'x', state: 'foreign', size: 4, target: '../mine/file' },
      { path: 'y', state: 'foreign', size: 0, target: 'nothing' },
    ],
  ],
  [
    'a pipe',
    async ({ at }) => {
      await rm(at('a'));
      execFileSync('mkfifo', [at('a'), at('pipe')]);
    },
    [
      { path: 'a', state: 'special', size: 0 },
      { path: 'pipe', state: 'special', size: 0 },
    ],
  ],
];

describe.each(MODES)('the status of a clone of mode %s', (mode) => {
  it('is clean as long as nothing was changed, without a request', async () => {
    const { status, registry, clone } = await createClone({ mode });
    const none = { files: 0, bytes: 0 };
    expect(await status()).toEqual({
      ...V1,
      directory: clone,
      mode,
      clean: true,
      states: {
        linked: ALL,
        staged: none,
        modified: none,
        added: none,
        deleted: none,
        moved: none,
        dangling: none,
        retargeted: none,
        edited: none,
        foreign: none,
        special: none,
      },
      entries: [],
      publishing: { send: none, link: ALL, refused: [] },
    });
    expect(registry.calls).toEqual([]);
  });

  it('tells what was changed', async () => {
    const rig = await createRig(seed);
    const told: Record<string, unknown> = {};
    for (const [index, [name, change]] of CHANGES.entries()) {
      const at = await cloneIn(rig, { mode }, `clone-${index}`);
      await change(at);
      const { entries, states, clean } = await at.status();
      told[name] = entries;
      expect(clean).toBe(entries.every(({ state }) => state === 'dangling'));
      for (const [state, count] of Object.entries(states)) {
        const own = entries.filter((entry) => entry.state === (state as CloneState));
        if (state !== 'linked') expect(count).toEqual(countFiles(own));
      }
    }
    expect(told).toEqual(Object.fromEntries(CHANGES.map(([name, , entries]) => [name, entries])));
  });

  it('tells a copy with unchanged content', async () => {
    const { status, replace } = await createClone({ mode });
    await replace('a', 'content of a');
    const staged = { path: 'a', state: 'staged', size: 12 };
    const { entries, publishing } = await status();
    expect(entries).toEqual(mode === 'symlink' ? [staged] : []);
    expect(publishing).toMatchObject({ send: { files: 0 }, link: ALL });
  });
});

describe('the status of a clone tells', () => {
  it.each(['symlink', 'hardlink'] as const)('what was edited through a %s, and wherever it stands', async (mode) => {
    const { status, edit, at } = await createClone({ mode });
    await edit('sub/c', 'C');
    await rename(at('same'), at('new'));
    const { entries, publishing } = await status();
    expect(entries).toEqual([
      { path: 'new', state: 'edited', size: 1, link: { ...V1, path: mode === 'symlink' ? 'same' : 'sub/c' } },
      { path: 'same', state: 'deleted', size: 1 },
      { path: 'sub/c', state: 'edited', size: 1, link: { ...V1, path: 'sub/c' } },
    ]);
    expect(publishing.refused.map(({ path, kind }) => [path, kind])).toEqual([
      ['new', 'edited'],
      ['sub/c', 'edited'],
    ]);
  });

  it.each(['reflink', 'copy'] as const)('nothing of an edit in the cache in a clone of mode %s', async (mode) => {
    const { status, edit } = await createClone({ mode });
    await edit('a', 'edited in the cache');
    expect(await status()).toMatchObject({ clean: true, entries: [] });
  });

  it('files that change places in a clone of hard links', async () => {
    const { status, at } = await createClone({ mode: 'hardlink' });
    await rename(at('a'), at('x'));
    await rename(at('b'), at('a'));
    await rename(at('x'), at('b'));
    expect((await status()).entries).toEqual([
      { path: 'a', state: 'modified', size: 12 },
      { path: 'b', state: 'modified', size: 12 },
    ]);
  });

  it.each(MODES)('nothing of a file of mode %s that was only touched', async (mode) => {
    const { status, at } = await createClone({ mode });
    await utimes(at('a'), 1, 1);
    expect(await status()).toMatchObject({ clean: true });
  });

  it('what links lead to that is not in the cache, also where nothing was fetched: that is clean', async () => {
    const { status, registry } = await createClone({ download: false });
    const { clean, states, entries, publishing } = await status();
    expect({ clean, states, publishing }).toMatchObject({
      clean: true,
      states: { linked: { files: 0 }, dangling: ALL },
      publishing: { send: { files: 0 }, link: ALL, refused: [] },
    });
    expect(entries[0]).toEqual({ path: 'a', state: 'dangling', size: 12 });
    expect(registry.calls).toEqual([]);
  });

  it('what was left out of a clone of files', async () => {
    const { status } = await createClone({ mode: 'copy', include: ['sub/**'] });
    const { clean, states, entries } = await status();
    expect({ clean, states }).toMatchObject({ clean: true, states: { linked: { files: 2 }, dangling: { files: 4 } } });
    expect(entries.map(({ path }) => path)).toEqual(['a', 'b', 'empty', 'same']);
  });

  it('a link to another version by what that has there', async () => {
    const { status, at, bucket } = await createClone();
    for (const path of ['a', 'b']) {
      await rm(at(path));
      await symlink(join(bucket, '../v2', path), at(path));
    }
    // The same content, which is not here, and another.
    expect((await status()).entries).toEqual([
      { path: 'a', state: 'dangling', size: 12 },
      { path: 'b', state: 'retargeted', size: 7, link: { ...V2, path: 'b' } },
    ]);
  });

  it('what publishing refuses, and why', async () => {
    const { status, at, replace, folder } = await createClone();
    await replace('back\\slash', 'x');
    await symlink('loop', at('loop'));
    await symlink('nothing', at('nowhere'));
    await symlink(join(folder, 'other/bucket/p/a/v1/a'), at('moved'));
    await symlink('..', at('up'));
    await symlink('/dev/null', at('device'));
    execFileSync('mkfifo', [at('pipe')]);
    const { publishing, entries } = await status();
    expect(publishing.refused).toEqual([
      { path: 'back\\slash', kind: 'name', why: 'contains a backslash' },
      { path: 'device', kind: 'no-file', why: 'is a symlink to something that is neither a file nor a folder' },
      { path: 'loop', kind: 'loop', why: 'is a symlink that leads to itself' },
      { path: 'moved', kind: 'astray', why: 'is a symlink into a cache that has it not, or is not there' },
      { path: 'nowhere', kind: 'dangling', why: 'is a symlink to nothing' },
      { path: 'pipe', kind: 'special', why: 'is neither a file nor a folder nor a link' },
      { path: 'up', kind: 'circle', why: 'is a symlink to a folder that it stands in' },
    ]);
    expect(entries.map(({ state }) => state)).toEqual([
      'added',
      'foreign',
      'foreign',
      'foreign',
      'foreign',
      'special',
      'foreign',
    ]);
  });

  it('how much is ignored, which counts as not there', async () => {
    const { status, replace, at } = await createClone();
    await mkdir(at('build'));
    await replace('build/x', 'x');
    await replace('y.tmp', 'y');
    await replace('.gypsumignore', 'build\n*.tmp\na\n');
    const { ignored, entries } = await status();
    expect(ignored).toBe(3);
    expect(entries).toEqual([{ path: 'a', state: 'deleted', size: 12 }]);
  });

  it('the whole clone from a folder in it', async () => {
    const { client, clone, at } = await createClone();
    await rm(at('a'));
    expect(await client.cloneStatus(join(clone, 'sub/deep'))).toMatchObject({
      directory: clone,
      entries: [{ path: 'a', state: 'deleted' }],
    });
  });
});

describe('a version that the cache does not remember', () => {
  it('is asked for once', async () => {
    const { status, registry, client } = await createClone();
    const { layout } = client.context.cache;
    await rm(layout.record(V1, 'manifest'));
    expect(await status()).toMatchObject({ clean: true });
    expect(registry.calls.map(({ path }) => path)).toEqual(['/file/p%2Fa%2Fv1%2F..manifest']);
    registry.resetCalls();
    expect(await status()).toMatchObject({ clean: true });
    expect(registry.calls).toEqual([]);
  });

  it('on probation is compared all the same, and what publishing would do is to send it', async () => {
    const { client, folder, makeFolder } = await createRig();
    await client.createProject('p');
    await client.uploadDirectory(V1, await makeFolder('mine', { a: 'a', b: 'b' }), { probation: true });
    const clone = join(folder, 'clone');
    await client.cloneVersion(V1, clone);
    await rm(join(clone, 'a'));
    expect(await client.cloneStatus(clone)).toMatchObject({
      states: { linked: { files: 1 }, deleted: { files: 1 } },
      publishing: { send: { files: 1, bytes: 1 }, link: { files: 0 } },
    });
  });
});

it('a folder that is no clone is refused with what to do', async () => {
  const { client, folder } = await createClone();
  await expect(client.cloneStatus(folder)).rejects.toMatchObject({
    code: 'invalid-argument',
    hint: expect.stringMatching(/gypsum relink/),
  });
});
