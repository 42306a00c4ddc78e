import {
  chmodSync,
  fstatSync,
  linkSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChangePlan } from '../../src/index.ts';
import { freshName } from '../../src/tree/put-file.ts';
import { aroundCalls } from '../helpers/around-calls.ts';
import { type CloneRig, createCloneRig, expectSoundCache, linksTo, V1, V2 } from '../helpers/edits.ts';
import { leftoverName } from '../helpers/leftover-name.ts';

const inodeOf = (path: string) => lstatSync(path).ino;

describe('staging', () => {
  it('makes a writable file of a link, and leaves the cached one as it was', async () => {
    const rig = await createCloneRig();
    const { client, clone, look } = rig;
    expect(await client.stageFiles([join(clone, 'changed')])).toEqual({
      verb: 'stage',
      ...V1,
      directory: clone,
      made: 0,
      replaced: 1,
      removed: 0,
      bytes: 3,
      left: [],
      unchanged: 0,
      fetched: { contents: 0, bytes: 0 },
    });
    expect(look()).toEqual({ ...linksTo('v1'), changed: 'one' });
    expect(lstatSync(join(clone, 'changed')).mode & 0o777).toBe(0o644 & ~process.umask());
    writeFileSync(join(clone, 'changed'), 'EDITED');
    expectSoundCache(rig);
    // Nothing is to be done a second time.
    expect(await client.stageFiles([join(clone, 'changed')])).toMatchObject({ replaced: 0, unchanged: 1 });
  });

  it.each<[string, string[], string[]]>([
    ['a folder', ['sub'], ['sub/x', 'sub/y']],
    ['globs and names', ['*ed', 'sub/**'], ['changed', 'sub/x', 'sub/y']],
    ['the clone', ['.'], Object.keys(linksTo('v1'))],
  ])('means with %s all that is there', async (_what, paths, staged) => {
    const { client, clone, look } = await createCloneRig();
    await client.stageFiles(paths.map((path) => join(clone, path)));
    const real = Object.entries(look()).filter(([, what]) => !what.startsWith('-> '));
    expect(real.map(([path]) => path)).toEqual(staged.toSorted());
  });

  it('means all of the clone that a folder lies in, or what in there matches', async () => {
    const { client, clone } = await createCloneRig();
    const sub = join(clone, 'sub');
    expect(await client.stageFiles([sub], { globs: ['to-*/**', 'same'] })).toMatchObject({ replaced: 2 });
    expect(await client.stageFiles([sub], { all: true })).toMatchObject({ replaced: 5, unchanged: 2 });
  });

  it('has the bytes of a copy on the disk before it takes the place of its link', async () => {
    const { client, clone } = await createCloneRig();
    const calls: string[] = [];
    aroundCalls({
      fsync(call, file, done) {
        const { ino } = fstatSync(file);
        call(file, (error) => {
          calls.push(`sync ${ino}`);
          done(error);
        });
      },
      renameSync(call, from, to) {
        calls.push(`rename ${lstatSync(from).ino}`);
        call(from, to);
      },
    });
    await client.stageFiles([join(clone, 'changed')]);
    const staged = inodeOf(join(clone, 'changed'));
    expect(calls.filter((call) => call.endsWith(` ${staged}`)).slice(-2)).toEqual([
      `sync ${staged}`,
      `rename ${staged}`,
    ]);
  });

  it('keeps what makes a file executable', async () => {
    const { client, clone, cached } = await createCloneRig();
    chmodSync(cached('same'), 0o555);
    await client.stageFiles([join(clone, 'same')]);
    expect(lstatSync(join(clone, 'same')).mode & 0o777).toBe(0o755 & ~process.umask());
  });

  it('fetches what a link leads to that dangles', async () => {
    const rig = await createCloneRig('symlink', false);
    const { client, clone, look, registry } = rig;
    expect(await client.stageFiles([join(clone, 'sub')])).toMatchObject({
      replaced: 2,
      fetched: { contents: 2, bytes: 2 },
    });
    expect(look()).toEqual({ ...linksTo('v1'), 'sub/x': 'x', 'sub/y': 'y' });
    expect(registry.count({ route: 'file' })).toBe(2);
    expectSoundCache(rig);
  });

  it('leaves what nothing says it is, and says so', async () => {
    const { client, clone } = await createCloneRig();
    symlinkSync('/no/where', join(clone, 'foreign'));
    writeFileSync(join(clone, 'mine'), '');
    expect(await client.stageFiles([join(clone, 'foreign'), join(clone, 'mine')])).toMatchObject({
      replaced: 0,
      unchanged: 1,
      left: [{ path: 'foreign', state: 'foreign' }],
    });
  });

  it('makes a file of its own of a hard link', async () => {
    const rig = await createCloneRig('hardlink');
    const { client, clone, cached } = rig;
    expect(inodeOf(join(clone, 'same'))).toBe(inodeOf(cached('same')));
    expect(await client.stageFiles([join(clone, 'same')])).toMatchObject({ replaced: 1 });
    expect(inodeOf(join(clone, 'same'))).not.toBe(inodeOf(cached('same')));
    expect(lstatSync(join(clone, 'same')).mode & 0o777).toBe(0o644 & ~process.umask());
    expectSoundCache(rig);
    // It is known to be the version's: publishing sends nothing.
    const { files, links } = await client.prepareDirectoryUpload(clone);
    expect([files.length, links.length]).toEqual([0, 7]);
  });

  it('makes a file of its own of a hard link that has another name by now', async () => {
    const rig = await createCloneRig('hardlink');
    const { client, clone, cached } = rig;
    renameSync(join(clone, 'same'), join(clone, 'sub/moved'));
    expect(await client.stageFiles([join(clone, 'sub/moved')])).toMatchObject({ replaced: 1, unchanged: 0 });
    writeFileSync(join(clone, 'sub/moved'), 'EDITED');
    expect(inodeOf(join(clone, 'sub/moved'))).not.toBe(inodeOf(cached('same')));
    expectSoundCache(rig);
  });

  it('makes files of their own of hard links to a version that the clone has left, also of those that were edited', async () => {
    const rig = await createCloneRig('hardlink');
    const { client, clone, cached, folder } = rig;
    for (const [from, to] of [
      ['old/gone', 'moved'],
      ['to-file/in', 'sub/edited'],
    ] as const) {
      renameSync(join(clone, from), join(clone, to));
    }
    writeFileSync(join(folder, 'mine'), 'mine');
    linkSync(join(folder, 'mine'), join(clone, 'mine'));
    await client.checkoutVersion(V2, clone);
    expect(await client.stageFiles([join(clone, 'moved'), join(clone, 'mine')])).toMatchObject({
      replaced: 1,
      unchanged: 1,
    });
    writeFileSync(join(clone, 'moved'), 'EDITED');
    expect(inodeOf(join(clone, 'mine'))).toBe(inodeOf(join(folder, 'mine')));
    expectSoundCache(rig);

    chmodSync(cached('to-file/in'), 0o644);
    writeFileSync(join(clone, 'sub/edited'), 'EDITED');
    await expect(client.stageFiles([join(clone, 'sub/edited')])).rejects.toMatchObject({ code: 'wrong-content' });
    await client.stageFiles([join(clone, 'sub/edited')], { rescue: true });
    expect(readFileSync(join(clone, 'sub/edited'), 'utf8')).toBe('EDITED');
    expectSoundCache(rig);
  });

  it('makes a file of its own of a hard link whose cached name is gone', async () => {
    const rig = await createCloneRig('hardlink');
    const { client, clone, cached } = rig;
    rmSync(cached('same'));
    expect(await client.stageFiles([join(clone, 'same')])).toMatchObject({ replaced: 1, unchanged: 0 });
    writeFileSync(join(clone, 'same'), 'EDITED');
    expect(readFileSync(cached('same'), 'utf8')).toBe('same');
    expectSoundCache(rig);
  });

  it.each(['sub/x', 'sub', '.'])('takes away what a killed process has left beside %s', async (path) => {
    const { client, clone, look } = await createCloneRig();
    const [left, living] = [leftoverName(), freshName('sub')];
    writeFileSync(join(clone, 'sub', left), 'half');
    writeFileSync(join(clone, living), 'half');
    await client.stageFiles([join(clone, path)]);
    expect(look()).toMatchObject({ 'sub/x': 'x', [living]: 'half' });
    expect(look()).not.toHaveProperty([`sub/${left}`]);
  });

  it('does nothing to copies, which can be written to', async () => {
    const { client, clone } = await createCloneRig('copy');
    const before = inodeOf(join(clone, 'same'));
    expect(await client.stageFiles([clone])).toMatchObject({ replaced: 0, unchanged: 7 });
    expect(inodeOf(join(clone, 'same'))).toBe(before);
  });

  it.each(['symlink', 'hardlink'] as const)('refuses what was edited through a %s, or rescues it', async (mode) => {
    const rig = await createCloneRig(mode);
    const { client, clone, cached } = rig;
    chmodSync(cached('changed'), 0o644);
    writeFileSync(join(clone, 'changed'), 'EDITED');
    utimesSync(cached('changed'), 1, 1);
    const paths = [join(clone, 'changed'), join(clone, 'same')];
    await expect(client.stageFiles(paths)).rejects.toMatchObject({
      code: 'wrong-content',
      message: expect.stringContaining('changed (save p/a/v1)'),
      hint: expect.stringContaining('--rescue'),
      details: { directory: clone, paths: ['changed'] },
    });
    expect(rig.look()).toMatchObject({ same: mode === 'symlink' ? '-> v1:/same' : 'same' });

    expect(await client.stageFiles(paths, { rescue: true })).toMatchObject({ replaced: 1, unchanged: 1 });
    expect(rig.look()).toMatchObject({ same: 'same', changed: 'EDITED' });
    expectSoundCache(rig);
  });

  it.each<[string, (clone: string, other: string) => string[], string]>([
    ['nothing', () => [], 'invalid-argument'],
    ['what is not there', (clone) => [join(clone, 'no-such-file')], 'not-found'],
    ['what no glob matches', (clone) => [join(clone, '*.none')], 'not-found'],
    ['what is no path', () => ['\0'], 'not-found'],
    ['what is in no clone', (_, other) => [other], 'invalid-argument'],
    ['two clones', (clone, other) => [clone, `${other}/../second`], 'invalid-argument'],
  ])('refuses %s', async (_what, paths, code) => {
    const { client, clone, look, makeFolder, folder } = await createCloneRig();
    await client.cloneVersion(V1, join(folder, 'second'));
    const other = await makeFolder('other', { x: 'x' });
    await expect(client.stageFiles(paths(clone, other))).rejects.toMatchObject({ code });
    expect(look()).toEqual(linksTo('v1'));
  });

  it('says what it would do, and does that later, all of it or up to what has changed', async () => {
    const { client, clone, look } = await createCloneRig();
    const plan = await client.planStage([join(clone, 'sub'), join(clone, 'changed')]);
    expect(look()).toEqual(linksTo('v1'));
    expect(plan.steps.map(({ path, before }) => [path, before?.type])).toEqual([
      ['changed', 'symlink'],
      ['sub/x', 'symlink'],
      ['sub/y', 'symlink'],
    ]);
    const kept = JSON.parse(JSON.stringify(plan));
    rmSync(join(clone, 'sub/x'));
    writeFileSync(join(clone, 'sub/x'), 'mine');
    await expect(client.applyChangePlan(kept)).rejects.toMatchObject({
      code: 'file-changed',
      message: expect.stringContaining('1 of 3 changes are done'),
      details: { path: 'sub/x', done: ['changed'], left: ['sub/x', 'sub/y'] },
    });
    expect(look()).toEqual({ ...linksTo('v1'), changed: 'one', 'sub/x': 'mine' });
    writeFileSync(join(clone, 'sub/x'), 'x');
    expect(await client.applyChangePlan(kept)).toMatchObject({ replaced: 3 });
    expect(look()).toMatchObject({ changed: 'one', 'sub/x': 'x', 'sub/y': 'y' });
  });

  it.each<[string, string, (rig: CloneRig) => string]>([
    ['a file that no version has', 'not-found', ({ cached }) => cached('nothing')],
    ['a version that is not there', 'not-found', ({ cached }) => cached('x', { ...V1, version: 'v9' })],
    ['what is not in the cache', 'invalid-argument', ({ clone }) => join(clone, 'added')],
  ])('makes no file of %s, whatever a plan says', async (_what, code, sourceOf) => {
    const rig = await createCloneRig();
    const { client, clone, look } = rig;
    writeFileSync(join(clone, 'added'), 'one');
    const plan = await client.planStage([join(clone, 'changed')]);
    const steps = plan.steps.map((step) => ({ ...step, after: { ...step.after, source: sourceOf(rig) } }));
    await expect(client.applyChangePlan({ ...plan, steps } as ChangePlan)).rejects.toMatchObject({ code });
    expect(look()).toEqual({ ...linksTo('v1'), added: 'one' });
  });
});
