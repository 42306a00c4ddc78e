import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFingerprints } from '../../src/cache/fingerprints.ts';
import { createCloneRig, expectSoundCache, linksTo, V1, V2, VERSIONS } from '../helpers/edits.ts';
import { leftoverName } from '../helpers/leftover-name.ts';
import { md5, readTree } from '../helpers/rig.ts';

const edit = (path: string, content: string) => {
  rmSync(path, { force: true });
  writeFileSync(path, content);
};

describe('restoring', () => {
  it.each(['symlink', 'hardlink'] as const)('has staged copies stand as %ss again', async (mode) => {
    const rig = await createCloneRig(mode);
    const { client, clone, cached, look } = rig;
    await client.stageFiles([clone]);
    expect(await client.restoreFiles([join(clone, 'sub')])).toEqual({
      verb: 'restore',
      ...V1,
      directory: clone,
      made: 0,
      replaced: 2,
      removed: 0,
      bytes: mode === 'symlink' ? 0 : 2,
      left: [],
      unchanged: 0,
      fetched: { contents: 0, bytes: 0 },
    });
    expect(await client.restoreFiles([clone], { all: true })).toMatchObject({ replaced: 5, unchanged: 2 });
    if (mode === 'symlink') expect(look()).toEqual(linksTo('v1'));
    else expect(lstatSync(join(clone, 'sub/x')).ino).toBe(lstatSync(cached('sub/x')).ino);
    expectSoundCache(rig);
  });

  it('leaves the cache knowing that all of it is right, whose inodes have other names now', async () => {
    const { client, clone, cached } = await createCloneRig('hardlink');
    await client.stageFiles([clone]);
    await client.restoreFiles([clone]);
    const files = Object.entries(VERSIONS['p/a/v1']);
    const prints = await openFingerprints(
      client.context.cache.layout,
      'p',
      files.map(([, content]) => md5(content)),
    );
    for (const [path, content] of files) expect(prints.check(md5(content), lstatSync(cached(path))), path).toBe('same');
  });

  it('leaves copies in a clone of copies', async () => {
    const { client, clone } = await createCloneRig('copy');
    const before = lstatSync(join(clone, 'same')).ino;
    expect(await client.restoreFiles([clone])).toMatchObject({ replaced: 0, unchanged: 7 });
    expect(lstatSync(join(clone, 'same')).ino).toBe(before);
  });

  it.each(['sub/x', 'sub', '.'])('takes away what a killed process has left beside %s', async (path) => {
    const { client, clone, look } = await createCloneRig();
    await client.stageFiles([join(clone, 'sub/x')]);
    const left = leftoverName();
    writeFileSync(join(clone, 'sub', left), 'half');
    await client.restoreFiles([join(clone, path)]);
    expect(look()).toEqual(linksTo('v1'));
  });

  it('leaves what was modified, replaced or deleted, and says so', async () => {
    const { client, clone, look } = await createCloneRig();
    edit(join(clone, 'changed'), 'mine');
    edit(join(clone, 'added'), 'added');
    rmSync(join(clone, 'old/gone'));
    rmSync(join(clone, 'same'));
    mkdirSync(join(clone, 'same'));
    rmSync(join(clone, 'to-folder'));
    symlinkSync('/else/where', join(clone, 'to-folder'));
    const before = look();
    expect(await client.restoreFiles([clone])).toMatchObject({
      replaced: 0,
      unchanged: 3,
      left: [
        { path: 'changed', state: 'modified' },
        { path: 'old/gone', state: 'deleted' },
        { path: 'same', state: 'blocked' },
        { path: 'to-folder', state: 'foreign' },
      ],
    });
    expect(look()).toEqual(before);
  });

  it.each(['symlink', 'copy'] as const)(
    'restores that too if it is forced, and keeps what it was (%s)',
    async (mode) => {
      const rig = await createCloneRig(mode);
      const { client, clone, look, cacheDir } = rig;
      const before = look();
      edit(join(clone, 'changed'), 'mine');
      edit(join(clone, 'added'), 'added');
      rmSync(join(clone, 'old'), { recursive: true });
      rmSync(join(clone, 'to-folder'));
      symlinkSync('/else/where', join(clone, 'to-folder'));
      const { trash = '', ...result } = await client.restoreFiles([clone], { force: true });
      expect(result).toMatchObject({ made: 1, replaced: 2, left: [], unchanged: 4 });
      expect(look()).toEqual({ ...before, added: 'added' });
      expect(trash.startsWith(join(cacheDir, '.gypsum-client/1/trash/'))).toBe(true);
      expect(readdirSync(trash).toSorted()).toEqual(['changed', 'to-folder']);
      expect(readFileSync(join(trash, 'changed'), 'utf8')).toBe('mine');
      expect(readlinkSync(join(trash, 'to-folder'))).toBe('/else/where');
      expectSoundCache(rig);

      expect((await client.measureCache()).trash).toBe(4);
      expect(await client.pruneCache({ dryRun: true })).toMatchObject({ trash: [trash], freed: 4 });
      expect(await client.pruneCache()).toMatchObject({ trash: [trash], freed: 4 });
      expect((await client.measureCache()).trash).toBe(0);
      expect(look()).toEqual({ ...before, added: 'added' });
    },
  );

  it('mends links that lead to another file, into another cache, or to nothing', async () => {
    const rig = await createCloneRig('symlink', false);
    const { client, clone, cached, look, registry } = rig;
    const lead = (path: string, target: string) => {
      rmSync(join(clone, path));
      symlinkSync(target, join(clone, path));
    };
    lead('sub/x', cached('sub/y'));
    lead('changed', '/moved/cache/bucket/p/a/v1/changed');
    const paths = ['sub/x', 'changed', 'same'].map((path) => join(clone, path));
    const plan = await client.planRestore(paths);
    expect(plan).toMatchObject({ fetch: ['changed', 'sub/x', 'same'], unchanged: 1, left: [] });
    const { trash = '', ...result } = await client.applyChangePlan(plan);
    expect(result).toMatchObject({ replaced: 2, fetched: { contents: 3 } });
    expect(readlinkSync(join(trash, 'sub/x'))).toBe(cached('sub/y'));
    expect(look()).toEqual(linksTo('v1'));
    expect(readFileSync(join(clone, 'same'), 'utf8')).toBe('same');
    // Others go on dangling, these too if they are not to be fetched.
    rmSync(cached('same'));
    registry.resetCalls();
    expect(await client.restoreFiles([join(clone, 'same')], { download: false })).toMatchObject({ unchanged: 1 });
    expect(registry.calls).toEqual([]);
  });

  it('fetches what a copy becomes a link to: its content stays within reach', async () => {
    const { client, clone, look } = await createCloneRig('symlink', false);
    edit(join(clone, 'same'), 'same');
    expect(await client.restoreFiles([clone], { download: false })).toMatchObject({
      replaced: 1,
      fetched: { contents: 1 },
    });
    expect(look()).toEqual(linksTo('v1'));
    expect(readFileSync(join(clone, 'same'), 'utf8')).toBe('same');
  });

  it('fetches nothing that was left out of a clone of a part', async () => {
    const { client, folder, cached } = await createCloneRig();
    const part = join(folder, 'part');
    rmSync(cached('same'));
    await client.cloneVersion(V1, part, { include: ['sub'] });
    await client.dropFiles([join(part, 'sub/x')], { force: true });
    expect(await client.planRestore([part])).toMatchObject({ fetch: ['sub/x'], steps: [] });
  });

  it('leaves what was edited through its link: the edit is nowhere else', async () => {
    const { client, clone, cached } = await createCloneRig();
    chmodSync(cached('changed'), 0o644);
    writeFileSync(join(clone, 'changed'), 'EDITED');
    const left = { replaced: 0, unchanged: 6, left: [{ path: 'changed', state: 'edited' }] };
    expect(await client.restoreFiles([clone])).toMatchObject(left);
    expect(await client.planRestore([clone])).not.toHaveProperty('edits');
    const forced = await client.planRestore([clone], { force: true });
    expect(forced).toMatchObject({ steps: [], left: left.left, edits: ['changed'] });
    expect(await client.applyChangePlan(forced)).toMatchObject(left);
    expect(readFileSync(cached('changed'), 'utf8')).toBe('EDITED');
  });

  it.each(['symlink', 'hardlink'] as const)(
    'keeps in the trash what was edited through a %s, if it is forced',
    async (mode) => {
      const rig = await createCloneRig(mode);
      const { client, clone, cached, look } = rig;
      chmodSync(cached('changed'), 0o644);
      writeFileSync(join(clone, 'changed'), 'EDITED');
      edit(join(clone, 'same'), 'mine');
      rmSync(join(clone, 'sub/x'));
      const { trash = '', ...result } = await client.restoreFiles([clone], { force: true });
      expect(result).toMatchObject({ left: [], made: 1, replaced: 2, unchanged: 4, fetched: { contents: 0 } });
      expect(look()).toEqual(mode === 'symlink' ? linksTo('v1') : VERSIONS['p/a/v1']);
      expect(lstatSync(cached('changed')).ino).toBe(statSync(join(clone, 'changed')).ino);
      expectSoundCache(rig);
      expect(await readTree(trash)).toEqual({ changed: 'EDITED', same: 'mine' });
      expect(await client.cloneStatus(clone)).toMatchObject({ clean: true });
      expect((await client.verifyCache([], { deep: true })).problems).toEqual([]);
    },
  );

  it('restores what was edited through links only as far as it is meant, and gives all that is equal its content again', async () => {
    const { client, clone, cached } = await createCloneRig();
    for (const path of ['changed', 'sub/x']) {
      chmodSync(cached(path), 0o644);
      writeFileSync(join(clone, path), 'EDITED');
    }
    await client.saveVersion(V2);
    const { trash = '', left } = await client.restoreFiles([join(clone, 'sub')], { force: true });
    expect(left).toEqual([]);
    expect(await readTree(trash)).toEqual({ 'sub/x': 'EDITED' });
    expect(readFileSync(cached('sub/x'), 'utf8')).toBe('x');
    expect(readFileSync(cached('changed'), 'utf8')).toBe('EDITED');
  });

  it('leaves what was edited in the site cache, which is somebody else’s', async () => {
    const { connect, folder } = await createCloneRig();
    const site = join(folder, 'site');
    await connect({ cacheDir: site }).saveVersion(V1);
    const reader = connect({ cacheDir: join(folder, 'own'), siteCacheDir: site });
    const clone = join(folder, 'reader');
    await reader.cloneVersion(V1, clone);
    const edited = join(site, 'bucket/p/a/v1/changed');
    chmodSync(edited, 0o644);
    writeFileSync(edited, 'EDITED');
    expect(await reader.restoreFiles([clone], { force: true })).toMatchObject({
      left: [{ path: 'changed', state: 'edited' }],
    });
    expect(readFileSync(edited, 'utf8')).toBe('EDITED');
  });

  it('keeps an edit that comes between the plan and the deed', async () => {
    const { client, clone, look } = await createCloneRig();
    await client.stageFiles([join(clone, 'sub')]);
    const plan = await client.planRestore([join(clone, 'sub')]);
    writeFileSync(join(clone, 'sub/x'), 'X');
    await expect(client.applyChangePlan(plan)).rejects.toMatchObject({
      code: 'file-changed',
      details: { done: [], left: ['sub/x', 'sub/y'] },
    });
    expect(look()).toMatchObject({ 'sub/x': 'X', 'sub/y': 'y' });
  });

  it('refuses what is no file of the version', async () => {
    const { client, clone } = await createCloneRig();
    edit(join(clone, 'added'), 'added');
    await expect(client.restoreFiles([join(clone, 'added')])).rejects.toMatchObject({ code: 'not-found' });
  });
});
