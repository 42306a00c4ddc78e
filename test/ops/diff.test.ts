import { chmod, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Diff } from '../../src/index.ts';
import { createRig, md5 } from '../helpers/rig.ts';

const A = { project: 'p', asset: 'a' };
const V1 = { ...A, version: 'v1' };
const V2 = { ...A, version: 'v2' };
const seed = {
  versions: {
    'p/a/v1': { 'x.txt': 'one\ntwo\n', 'y.txt': 'yy\n', 'old/z.txt': 'zzz\n', 'b.bin': 'a\0b' },
    'p/a/v2': {
      'x.txt': 'one\n2\n',
      'y.txt': { link: 'p/a/v1:/y.txt' },
      'new/z.txt': { link: 'p/a/v1:/old/z.txt' },
      'b.bin': 'a\0c',
      'n.txt': 'new\n',
    },
  },
};
const SIGNS = { added: '+ ', removed: '- ', modified: '~ ', moved: '' };

/** Tells changes shortly: `+ a`, `- b`, `~ c`, `d -> e`. */
function told({ changes }: Diff): string[] {
  return changes.map((one) => (one.type === 'moved' ? `${one.from} -> ${one.path}` : SIGNS[one.type] + one.path));
}

const V1_TO_V2 = ['~ b.bin', '+ n.txt', 'old/z.txt -> new/z.txt', '~ x.txt'];

async function createClone(mode: 'symlink' | 'copy' | 'hardlink' = 'symlink', download = true) {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V1, clone, { mode, download });
  return { ...rig, clone, diff: (options = {}) => rig.client.diffClone(clone, undefined, options) };
}

describe('two versions differ', () => {
  it('by their manifests: no file is fetched', async () => {
    const { client, registry } = await createRig(seed);
    registry.resetCalls();
    const diff = await client.diffVersions(V1, V2);
    expect(told(diff)).toEqual(V1_TO_V2);
    expect(diff).toMatchObject({
      before: V1,
      after: V2,
      skipped: [],
      counts: { unchanged: { files: 1 }, moved: { files: 1 } },
    });
    expect(diff.changes.at(-1)).toEqual({
      type: 'modified',
      path: 'x.txt',
      before: { size: 8, md5sum: md5('one\ntwo\n') },
      after: { size: 6, md5sum: md5('one\n2\n') },
    });
    expect(registry.calls.every(({ key }) => key?.endsWith('..manifest') || key?.endsWith('..summary'))).toBe(true);
    expect(told(await client.diffVersions(V2, V1))).toEqual([
      '~ b.bin',
      '- n.txt',
      'new/z.txt -> old/z.txt',
      '~ x.txt',
    ]);
    expect(told(await client.diffVersions(V2, V2))).toEqual([]);
  });

  it('line by line if that is asked for: what that takes is fetched, once, and nothing else', async () => {
    const { client, registry } = await createRig(seed);
    registry.resetCalls();
    const { changes } = await client.diffVersions(V1, V2, { patch: true });
    expect(changes).toMatchObject([
      { path: 'b.bin', noPatch: 'binary' },
      { path: 'n.txt', patch: '--- /dev/null\n+++ b/n.txt\n@@ -0,0 +1,1 @@\n+new\n' },
      { type: 'moved' },
      { path: 'x.txt', patch: '--- a/x.txt\n+++ b/x.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n' },
    ]);
    expect(changes[2]).not.toHaveProperty('patch');
    const fetched = () => registry.calls.flatMap(({ key }) => (key?.includes('/..') ? [] : (key ?? []))).sort();
    expect(fetched()).toEqual(['p/a/v1/b.bin', 'p/a/v1/x.txt', 'p/a/v2/b.bin', 'p/a/v2/n.txt', 'p/a/v2/x.txt']);
    registry.resetCalls();
    await client.diffVersions(V1, V2, { patch: true });
    expect(registry.calls).toEqual([]);
  });

  it('line by line up to a size, and to a sum of sizes', async () => {
    const { client, registry } = await createRig({
      versions: {
        'p/a/v1': { large: '12345' },
        'p/a/v2': Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`${at + 10}`, `${at + 10}\n`])),
      },
    });
    const { changes } = await client.diffVersions(V1, V2, { patch: true, maxText: 3 });
    const of = (noPatch: string) => changes.filter((change) => change.noPatch === noPatch).map(({ path }) => path);
    expect(of('large')).toEqual(['large']);
    expect(of('many')).toEqual(['74', '75', '76', '77', '78', '79']);
    expect(changes.filter(({ patch }) => patch !== undefined)).toHaveLength(64);
    expect(registry.count({ key: /large|v2\/7[4-9]/ })).toBe(0);
    await expect(client.diffVersions(V1, V2, { maxText: -1 })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('not where one is not there, or not finished', async () => {
    const { client } = await createRig(seed);
    await client.startUpload({ ...A, version: 'begun' }, []);
    await expect(client.diffVersions(V1, { ...A, version: 'v9' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(client.diffVersions({ ...A, version: 'begun' }, V1)).rejects.toMatchObject({
      code: 'version-unfinished',
    });
  });
});

describe('a clone differs from its version', () => {
  it.each(['symlink', 'copy', 'hardlink'] as const)('not at all when it is fresh, of mode %s', async (mode) => {
    const { diff, registry, clone } = await createClone(mode);
    registry.resetCalls();
    expect(await diff()).toMatchObject({
      before: V1,
      after: { directory: clone },
      changes: [],
      counts: { unchanged: { files: 4 } },
    });
    expect(registry.calls).toEqual([]);
  });

  it('not where its links dangle: they are what versions say', async () => {
    const { diff, client, clone } = await createClone('symlink', false);
    expect(await diff()).toMatchObject({ changes: [], counts: { unchanged: { files: 4 } } });
    expect(told(await client.diffClone(clone, V2))).toEqual([
      '~ b.bin',
      '- n.txt',
      'new/z.txt -> old/z.txt',
      '~ x.txt',
    ]);
  });

  it('by what was edited, added, removed and moved, from wherever in it that is asked', async () => {
    const { client, clone } = await createClone();
    await rm(join(clone, 'x.txt'));
    await writeFile(join(clone, 'x.txt'), 'one\n2\n');
    await rm(join(clone, 'y.txt'));
    await writeFile(join(clone, 'y.txt'), 'yy\n');
    await rename(join(clone, 'old/z.txt'), join(clone, 'z.txt'));
    await rm(join(clone, 'b.bin'));
    await writeFile(join(clone, 'old/n.txt'), 'new\n');
    const diff = await client.diffClone(join(clone, 'old'), undefined, { patch: true });
    expect(told(diff)).toEqual(['- b.bin', '+ old/n.txt', '~ x.txt', 'old/z.txt -> z.txt']);
    expect(diff.changes[2]?.patch).toContain('\n one\n-two\n+2\n');
    const reverse = await client.diffClone(clone, V1, { reverse: true, patch: true });
    expect(told(reverse)).toEqual(['+ b.bin', '- old/n.txt', 'z.txt -> old/z.txt', '~ x.txt']);
    expect(reverse.changes[3]?.patch).toContain('\n one\n-2\n+two\n');
  });

  it('where somebody wrote through a link', async () => {
    const { diff, clone, watch, events } = await createClone();
    const cached = await readlink(join(clone, 'x.txt'));
    await chmod(cached, 0o644);
    await writeFile(cached, 'one\n2\n');
    const { changes } = await diff({ patch: true, ...watch });
    expect(changes).toMatchObject([{ type: 'modified', path: 'x.txt', after: { md5sum: md5('one\n2\n') } }]);
    expect(changes[0]?.patch).toContain('\n one\n-two\n+2\n');
    // A comparison leaves the edit where it is.
    expect(await readFile(cached, 'utf8')).toBe('one\n2\n');
    expect(events.map(({ type }) => type)).not.toContain('damaged');
  });

  it('as it would be published: by what links outside lead to, without what is ignored, and what cannot be is named', async () => {
    const { diff, clone, folder } = await createClone();
    await writeFile(join(folder, 'outside.txt'), 'yy\n');
    await rm(join(clone, 'y.txt'));
    await symlink('../outside.txt', join(clone, 'y.txt'));
    await symlink('nowhere', join(clone, 'broken'));
    await writeFile(join(clone, 'back\\slash'), 'odd');
    await writeFile(join(clone, '.gypsumignore'), '*.tmp\n');
    await writeFile(join(clone, 'a.tmp'), 'a');
    await mkdir(join(clone, 'empty'));
    expect(await diff()).toMatchObject({
      changes: [],
      skipped: [
        { path: 'back\\slash', why: expect.stringMatching(/backslash/) },
        { path: 'broken', why: expect.stringMatching(/nothing/) },
      ],
    });
  });

  it('on probation in the same way', async () => {
    const { client, folder, makeFolder } = await createRig(seed);
    const trial = { ...A, version: 'trial' };
    await client.uploadDirectory(trial, await makeFolder('mine', { 'x.txt': 'x' }), { probation: true });
    await client.cloneVersion(trial, join(folder, 'clone'));
    expect(await client.diffClone(join(folder, 'clone'))).toMatchObject({
      changes: [],
      counts: { unchanged: { files: 1 } },
    });
  });
});

describe('two folders differ', () => {
  it('by content, however it is had', async () => {
    const { client, clone, folder, makeFolder } = await createClone();
    const mine = await makeFolder('mine', { 'x.txt': 'one\ntwo\n', 'y.txt': 'other\n', 'n.txt': 'zzz\n' });
    await client.cloneVersion(V1, join(folder, 'copy'), { mode: 'copy' });
    expect(told(await client.diffFolders(clone, join(folder, 'copy')))).toEqual([]);
    const diff = await client.diffFolders(mine, clone, { patch: true });
    expect(diff).toMatchObject({ before: { directory: mine }, after: { directory: clone } });
    expect(told(diff)).toEqual(['+ b.bin', 'n.txt -> old/z.txt', '~ y.txt']);
    expect(diff.changes.at(-1)?.patch).toContain('-other\n+yy\n');
    expect(told(await client.diffClone(mine, V1))).toEqual(['- b.bin', 'old/z.txt -> n.txt', '~ y.txt']);
  });

  it('not where one is none, or no clone where one is needed', async () => {
    const { client, clone, folder, makeFolder } = await createClone();
    const mine = await makeFolder('mine', { 'x.txt': 'x' });
    for (const wrong of [
      client.diffFolders(clone, join(folder, 'nothing')),
      client.diffFolders(join(mine, 'x.txt'), clone),
      client.diffClone(join(folder, 'nothing'), V1),
      client.diffClone(mine),
    ]) {
      await expect(wrong).rejects.toMatchObject({ code: 'invalid-argument', hint: expect.any(String) });
    }
  });
});
