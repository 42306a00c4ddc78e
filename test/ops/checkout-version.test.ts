import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { status } from '../../mocks/index.ts';
import type { ChangePlan, CloneMode } from '../../src/index.ts';
import { findClone } from '../../src/ops/find-clone.ts';
import { setOut } from '../../src/ops/set-out.ts';
import { applyChanges } from '../../src/tree/apply-changes.ts';
import { type CloneRig, createCloneRig, expectSoundCache, linksTo, V1, V2, V3, VERSIONS } from '../helpers/edits.ts';

const MODES: readonly CloneMode[] = ['symlink', 'hardlink', 'copy'];

const edit = (path: string, content: string) => {
  rmSync(path, { force: true });
  writeFileSync(path, content);
};

/** What a clone of a version looks like in a mode. */
const cloneOf = (mode: CloneMode, version: 'v1' | 'v2' | 'v3') =>
  mode === 'symlink' ? linksTo(version) : VERSIONS[`p/a/${version}`];

async function receiptOf({ cacheDir }: CloneRig) {
  const folder = join(cacheDir, '.gypsum-client/1/clones');
  const [name = '', ...others] = await readdir(folder);
  expect(others).toEqual([]);
  return JSON.parse(await readFile(join(folder, name), 'utf8'));
}

describe.each(MODES)('checking out in a clone of mode %s', (mode) => {
  it('has it go over to another version, and back', async () => {
    const rig = await createCloneRig(mode);
    const { client, clone, look } = rig;
    expect(await client.checkoutVersion(V2, clone)).toMatchObject({
      verb: 'checkout',
      ...V2,
      from: V1,
      directory: clone,
      removed: 3,
      made: 3,
      replaced: mode === 'symlink' ? 4 : 2,
      unchanged: mode === 'symlink' ? 0 : 2,
      left: [],
    });
    expect(look()).toEqual(cloneOf(mode, 'v2'));
    expect(existsSync(join(clone, 'old'))).toBe(false);
    expect(await receiptOf(rig)).toMatchObject({ ...V2, mode, destination: clone });
    expect(await receiptOf(rig)).not.toHaveProperty('from');
    const { files, links } = await client.prepareDirectoryUpload(clone);
    expect(files).toEqual([]);
    expect(links.map(({ link }) => link)).toEqual(links.map(({ path }) => ({ ...V2, path })));
    if (mode === 'hardlink')
      expect(lstatSync(join(clone, 'changed')).ino).toBe(lstatSync(rig.cached('changed', V2)).ino);

    expect(await client.checkoutVersion(V1, join(clone, 'sub'))).toMatchObject({ ...V1, from: V2, left: [] });
    expect(look()).toEqual(cloneOf(mode, 'v1'));
    expectSoundCache(rig);
  });

  it('does nothing where it is already', async () => {
    const rig = await createCloneRig(mode);
    const result = await rig.client.checkoutVersion(V1, rig.clone);
    expect(result).toMatchObject({ made: 0, replaced: 0, removed: 0, unchanged: 7, left: [] });
    expect(result).not.toHaveProperty('from');
    expect(rig.registry.calls).toEqual([]);
  });

  it('keeps what somebody has made of it, and says where the versions differ there', async () => {
    const rig = await createCloneRig(mode);
    const { client, clone, look } = rig;
    edit(join(clone, 'same'), 'MINE');
    edit(join(clone, 'changed'), 'mine');
    edit(join(clone, 'added'), 'added');
    edit(join(clone, 'old/more'), 'more');
    edit(join(clone, 'old/gone'), 'still wanted');
    rmSync(join(clone, 'sub/x'));
    rmSync(join(clone, 'sub/y'));
    mkdirSync(join(clone, 'new'));
    edit(join(clone, 'new/come'), 'other');
    mkdirSync(join(clone, 'empty'));
    renameSync(join(clone, 'to-file/in'), join(clone, 'to-file/moved'));
    expect((await client.checkoutVersion(V2, clone)).left).toEqual([
      { path: 'changed', state: 'modified', conflict: true },
      { path: 'new/come', state: 'added', conflict: true },
      { path: 'old/gone', state: 'modified', conflict: true },
      { path: 'same', state: 'modified' },
      { path: 'sub/x', state: 'deleted' },
      { path: 'sub/y', state: 'deleted', conflict: true },
      { path: 'to-file', state: 'blocked', conflict: true },
    ]);
    expect(look()).toEqual({
      same: 'MINE',
      changed: 'mine',
      added: 'added',
      empty: 'folder/',
      'new/come': 'other',
      'old/gone': 'still wanted',
      'old/more': 'more',
      sub: 'folder/',
      'to-file/moved': mode === 'symlink' ? '-> v1:/to-file/in' : 'i',
      'to-folder/in': mode === 'symlink' ? '-> v2:/to-folder/in' : 'f',
    });
    expectSoundCache(rig);
  });
});

describe('checking out', () => {
  it('makes a link of a file that has come to the same, and leaves a staged copy that is still right', async () => {
    const rig = await createCloneRig();
    const { client, clone, look } = rig;
    edit(join(clone, 'changed'), 'two');
    mkdirSync(join(clone, 'new'));
    edit(join(clone, 'new/come'), 'new');
    await client.stageFiles(['sub/x', 'sub/y', 'old/gone'].map((path) => join(clone, path)));
    expect(await client.checkoutVersion(V2, clone)).toMatchObject({ left: [], unchanged: 1 });
    expect(look()).toEqual({ ...linksTo('v2'), 'sub/x': 'x' });
  });

  it('never goes through a symlink in the place of a folder', async () => {
    const { client, clone, look, makeFolder } = await createCloneRig();
    const other = await makeFolder('other', { x: 'other' });
    rmSync(join(clone, 'sub'), { recursive: true });
    symlinkSync(other, join(clone, 'sub'));
    symlinkSync(other, join(clone, 'new'));
    expect((await client.checkoutVersion(V2, clone)).left).toEqual([
      { path: 'new/come', state: 'blocked', conflict: true },
      { path: 'sub/x', state: 'deleted' },
      { path: 'sub/y', state: 'deleted', conflict: true },
    ]);
    expect(look()).toMatchObject({ sub: `-> ${other}`.replace('/', ':/'), 'to-file': '-> v2:/to-file' });
    expect(await readdir(other)).toEqual(['x']);
  });

  it('leaves links that were led elsewhere', async () => {
    const { client, clone, cached, look } = await createCloneRig();
    for (const [path, target] of [
      ['changed', cached('sub/x')],
      ['same', '/else/where'],
    ] as const) {
      rmSync(join(clone, path));
      symlinkSync(target, join(clone, path));
    }
    expect((await client.checkoutVersion(V2, clone)).left).toEqual([
      { path: 'changed', state: 'retargeted', conflict: true },
      { path: 'same', state: 'foreign' },
    ]);
    expect(look()).toMatchObject({ changed: '-> v1:/sub/x' });
  });

  it('fetches what comes, or has it dangle', async () => {
    const { client, clone, registry, cached, look } = await createCloneRig('symlink', false);
    expect(await client.checkoutVersion(V2, clone, { download: false })).toMatchObject({ fetched: { contents: 0 } });
    expect(look()).toEqual(linksTo('v2'));
    expect(registry.count({ route: 'file' })).toBe(2);
    expect(await client.checkoutVersion(V3, clone)).toMatchObject({ fetched: { contents: 4 } });
    expect(readFileSync(cached('only', V3), 'utf8')).toBe('three');
  });

  it('cannot have copies dangle', async () => {
    const { client, clone } = await createCloneRig('copy');
    const failing = client.checkoutVersion(V2, clone, { download: false });
    await expect(failing).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('goes on to fetch only a part of it, where it was a part', async () => {
    const { client, folder } = await createCloneRig('symlink', false);
    const part = join(folder, 'part');
    await client.cloneVersion(V1, part, { include: ['sub', 'old'] });
    expect(await client.checkoutVersion(V2, part)).toMatchObject({ fetched: { contents: 1, bytes: 1 } });
    expect(existsSync(join(part, 'sub/y'))).toBe(true);
    expect(existsSync(join(part, 'changed'))).toBe(false);
  });

  it('takes a hard link whose cached name is gone for what it is', async () => {
    const rig = await createCloneRig('hardlink');
    const { client, clone, cached, look } = rig;
    rmSync(cached('to-folder'));
    expect(await client.checkoutVersion(V2, clone)).toMatchObject({ left: [] });
    expect(look()).toEqual(VERSIONS['p/a/v2']);
    expectSoundCache(rig);
  });

  it('refuses to lose sight of what was edited through a link', async () => {
    const rig = await createCloneRig();
    const { client, clone, cached, look } = rig;
    chmodSync(cached('changed'), 0o644);
    writeFileSync(join(clone, 'changed'), 'EDITED');
    const failing = client.checkoutVersion(V2, clone);
    await expect(failing).rejects.toMatchObject({ code: 'wrong-content', details: { paths: ['changed'] } });
    expect(look()).toEqual(linksTo('v1'));
    expect(await receiptOf(rig)).toMatchObject(V1);
  });

  it('refuses a plan if a link was edited through since it was made', async () => {
    const rig = await createCloneRig();
    const { client, clone, cached, look } = rig;
    const plan = await client.planCheckout(V2, clone);
    chmodSync(cached('old/gone'), 0o644);
    writeFileSync(join(clone, 'old/gone'), 'EDITED');
    await expect(client.applyChangePlan(plan)).rejects.toMatchObject({ code: 'wrong-content' });
    expect(look()).toEqual(linksTo('v1'));
    expect(await receiptOf(rig)).toMatchObject(V1);
  });

  it('refuses a plan that was made for another version of the clone, or another clone', async () => {
    const { client, clone, folder, look } = await createCloneRig();
    const plan = await client.planCheckout(V2, clone);
    await client.checkoutVersion(V3, clone);
    const other = join(folder, 'other');
    await client.cloneVersion(V1, other, { mode: 'copy' });
    for (const directory of [clone, other]) {
      await expect(client.applyChangePlan({ ...plan, directory })).rejects.toMatchObject({
        code: 'file-changed',
        message: expect.stringContaining('is not the clone of p/a/v1 any more'),
      });
    }
    expect(look()).toEqual(linksTo('v3'));
  });

  it('has not left where the files of the new version were removed meanwhile, and cannot be had again', async () => {
    const rig = await createCloneRig();
    const { client, clone } = rig;
    const gone = new Error('gone');
    const found = await findClone(client.context, clone);
    const leaving = setOut(client.context, found, V2, () => Promise.reject(gone), {});
    await expect(leaving).rejects.toBe(gone);
    expect(await receiptOf(rig)).toMatchObject(V1);
    expect(await receiptOf(rig)).not.toHaveProperty('from');
  });

  it('goes nowhere where the first thing to be done has changed', async () => {
    const rig = await createCloneRig();
    const { client, clone, look } = rig;
    const plan = await client.planCheckout(V2, clone);
    const [first] = plan.steps;
    edit(join(clone, first?.path ?? ''), 'mine');
    const before = look();
    await expect(client.applyChangePlan(plan)).rejects.toMatchObject({ code: 'file-changed', details: { done: [] } });
    expect(look()).toEqual(before);
    expect(await receiptOf(rig)).toMatchObject(V1);
    expect(await client.cloneStatus(clone)).not.toHaveProperty('from');
  });

  it('leaves all as it was where a file cannot be fetched', async () => {
    const rig = await createCloneRig();
    const { client, clone, look, registry } = rig;
    await client.fetchManifest(V2);
    registry.inject(status(404), { route: 'file' });
    await expect(client.checkoutVersion(V2, clone)).rejects.toMatchObject({ code: 'not-found' });
    expect(look()).toEqual(linksTo('v1'));
    expect(await receiptOf(rig)).toMatchObject(V1);
  });

  it.each<[string, string, string]>([
    ['a folder that is in no clone', 'other', 'invalid-argument'],
    ['a folder that is not there', 'no-such-folder', 'invalid-argument'],
  ])('refuses %s', async (_what, name, code) => {
    const { client, folder, makeFolder } = await createCloneRig();
    await makeFolder('other', {});
    await expect(client.checkoutVersion(V2, join(folder, name))).rejects.toMatchObject({ code });
  });

  it('follows a clone that was moved', async () => {
    const rig = await createCloneRig('copy');
    const { client, clone, folder } = rig;
    const moved = join(folder, 'moved');
    renameSync(clone, moved);
    expect(await client.checkoutVersion(V2, moved)).toMatchObject({ directory: moved, left: [] });
    expect(await receiptOf(rig)).toMatchObject({ ...V2, destination: moved });
    expect(await client.checkoutVersion(V1, moved)).toMatchObject({ left: [], removed: 3 });
  });
});

describe.each(MODES)('a checkout in a clone of mode %s that was killed', (mode) => {
  /** Carries out so many steps of a plan, and leaves all as a kill would. */
  async function interrupt({ client, clone }: CloneRig, plan: ChangePlan, steps: number) {
    const { project, asset, version } = plan;
    await setOut(
      client.context,
      await findClone(client.context, clone),
      { project, asset, version },
      async () => {},
      {},
    );
    await applyChanges(clone, plan.steps.slice(0, steps), { orCopy: true });
  }

  it('after any step is finished, taken back or led elsewhere by another one', async () => {
    const rig = await createCloneRig(mode);
    const { client, clone, look } = rig;
    for (const version of [V2, V3]) await client.saveVersion(version);
    edit(join(clone, 'added'), 'added');
    rmSync(join(clone, 'same'));
    const expected = (version: 'v1' | 'v2' | 'v3') => {
      const { same: _, ...files } = cloneOf(mode, version);
      return { ...files, added: 'added' };
    };
    const { steps } = await client.planCheckout(V2, clone);
    expect(steps.length).toBeGreaterThan(8);
    for (let at = 0; at <= steps.length; at++) {
      const plan: ChangePlan = JSON.parse(JSON.stringify(await client.planCheckout(V2, clone)));
      await interrupt(rig, plan, at);
      expect(await receiptOf(rig)).toMatchObject({ ...V2, from: [V1] });
      expect(await client.cloneStatus(clone)).toMatchObject({ ...V2, from: [V1] });
      const [name, finish] = [
        ['v2', () => client.checkoutVersion(V2, clone)],
        ['v2', () => client.applyChangePlan(plan)],
        ['v1', () => client.checkoutVersion(V1, clone)],
        ['v3', () => client.checkoutVersion(V3, clone)],
      ][at % 4] as ['v1' | 'v2' | 'v3', () => Promise<unknown>];
      await finish();
      expect(look(), `${at} steps, then ${name}`).toEqual(expected(name));
      expect(await client.cloneStatus(clone)).not.toHaveProperty('from');
      await client.checkoutVersion(V1, clone);
      expect(look(), `${at} steps, then ${name} and v1`).toEqual(expected('v1'));
    }
    expectSoundCache(rig);
  });

  it('keeps the files of both versions in the cache', async () => {
    const rig = await createCloneRig(mode);
    const { client, clone, cached } = rig;
    const plan = await client.planCheckout(V2, clone);
    await client.saveVersion(V2);
    await interrupt(rig, plan, 3);
    await client.pruneCache({ unused: true });
    const isKept = mode !== 'copy';
    expect([existsSync(cached('changed')), existsSync(cached('changed', V2))]).toEqual([isKept, isKept]);
  });
});
