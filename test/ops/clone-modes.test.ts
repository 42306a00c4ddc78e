import { copyFileSync, cpSync, linkSync, lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFingerprints } from '../../src/cache/fingerprints.ts';
import type { CloneMode } from '../../src/model/clone-mode.ts';
import { fingerprintOf } from '../../src/model/fingerprint.ts';
import { type CloneOptions, cloneBy } from '../../src/ops/clone-version.ts';
import { type PutFile, putFile } from '../../src/tree/put-file.ts';
import { otherFileSystem } from '../helpers/other-file-system.ts';
import { createRig, md5, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { 'a.txt': 'content of a', 'sub/b.txt': 'content of b', 'sub/deep/c.txt': 'c', empty: '', same: 'c' };
const seed = { versions: { 'p/a/v1': FILES } };
const ALL = Object.keys(FILES).length;

const refused = (code: string) => () => {
  throw Object.assign(new Error(`${code}: refused`), { code });
};

/** Shared bytes look like a copy; not every file system that tests run on has them. */
const standIn: PutFile = { ...putFile, reflink: (source, path) => copyFileSync(source, path) };

const FILE_MODES = ['hardlink', 'reflink', 'copy'] as const;
const MODES: readonly CloneMode[] = ['symlink', ...FILE_MODES];

/** A rig with a clone of the seed, and what can be done with it. */
async function createClone(mode: CloneOptions['mode'], put: PutFile = standIn) {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  const result = await cloneBy(put, rig.client.context, V1, clone, { ...(mode && { mode }), ...rig.watch });
  rig.registry.resetCalls();
  const bucket = join(rig.cacheDir, 'bucket/p/a/v1');
  const own = join(rig.cacheDir, '.gypsum-client/1');
  return { ...rig, clone, result, bucket, own };
}

const sent = (registry: { count(filter: { method: string }): number }) => registry.count({ method: 'PUT' });

describe.each(MODES)('a clone of mode %s', (mode) => {
  it('has what the version has, and says how in its receipt', async () => {
    const { clone, result, own, bucket, registry } = await createClone(mode);
    expect(result).toMatchObject({ mode, files: ALL, links: { made: ALL, unchanged: 0 }, conflicts: [] });
    for (const [path, content] of Object.entries(FILES)) {
      expect(await readFile(join(clone, path), 'utf8')).toBe(content);
      const stats = await lstat(join(clone, path));
      const cached = await lstat(join(bucket, path));
      expect(stats.isSymbolicLink()).toBe(mode === 'symlink');
      expect(stats.ino === cached.ino).toBe(mode === 'hardlink');
      if (mode === 'hardlink') expect(stats.mode & 0o777).toBe(0o444);
      if (mode === 'copy') expect(stats.mode & 0o777).toBe(0o666 & ~process.umask());
    }
    const [receipt = ''] = await readdir(join(own, 'clones'));
    expect(JSON.parse(await readFile(join(own, 'clones', receipt), 'utf8'))).toMatchObject({ ...V1, mode });
    expect(registry.calls).toEqual([]);
    expect(Object.keys(await readTree(clone)).sort()).toEqual(Object.keys(FILES).sort());
  });

  it('is published again for nothing, and edited for what was edited', async () => {
    const { clone, client, registry, watch, events } = await createClone(mode);
    expect(await client.uploadDirectory(V2, clone, watch)).toMatchObject({
      sent: { files: 0 },
      linked: { files: ALL },
    });
    // Not one was read for it.
    const digested = events.map((event) => (event.type === 'start' && event.task === 'digest' ? event.files : 0));
    expect(Math.max(...digested)).toBe(0);
    await rm(join(clone, 'a.txt'));
    await writeFile(join(clone, 'a.txt'), 'edited');
    await writeFile(join(clone, 'new.txt'), 'new');
    await rm(join(clone, 'sub/deep/c.txt'));
    await rename(join(clone, 'sub/b.txt'), join(clone, 'moved.txt'));
    registry.resetCalls();
    const v3 = { ...V1, version: 'v3' };
    const result = await client.uploadDirectory(v3, clone);
    expect(result).toMatchObject({ sent: { files: 2 }, linked: { files: 3 } });
    expect(sent(registry)).toBe(2);
    const fresh = join(clone, '../fresh');
    await client.cloneVersion(v3, fresh, { mode: 'copy' });
    expect(await readTree(fresh)).toEqual({
      'a.txt': 'edited',
      empty: '',
      'moved.txt': FILES['sub/b.txt'],
      'new.txt': 'new',
      same: 'c',
    });
  });

  it('leaves the cache knowing that all of it is right, without reading it', async () => {
    const { client, bucket } = await createClone(mode);
    const prints = await openFingerprints(client.context.cache.layout, 'p', Object.values(FILES).map(md5));
    for (const [path, content] of Object.entries(FILES)) {
      expect(prints.check(md5(content), lstatSync(join(bucket, path)))).toBe('same');
    }
  });

  it('is as if it had never been when it fails', async () => {
    const rig = await createRig(seed);
    const theirs = await rig.makeFolder('theirs', { 'mine.txt': 'mine' });
    let calls = 0;
    const failing = Object.fromEntries(
      Object.entries(standIn).map(([name, put]) => [
        name,
        (...args: Parameters<PutFile['copy']>) => (++calls === 4 ? refused('EIO')() : put(...args)),
      ]),
    ) as unknown as PutFile;
    const clone = cloneBy(failing, rig.client.context, V1, theirs, { mode, merge: true });
    await expect(clone).rejects.toMatchObject({ code: 'EIO' });
    expect(await readTree(theirs)).toEqual({ 'mine.txt': 'mine' });
    expect(await readdir(theirs)).toEqual(['mine.txt']);
    for (const folder of ['clones', 'clone-files']) {
      const left = await readdir(join(rig.cacheDir, '.gypsum-client/1', folder)).catch(() => []);
      expect(left).toEqual([]);
    }
  });

  it('is completed by `merge`, in the mode that it has', async () => {
    const { clone, client } = await createClone(mode);
    await rm(join(clone, 'sub'), { recursive: true });
    await rm(join(clone, 'a.txt'));
    await writeFile(join(clone, 'a.txt'), 'CONTENT OF A');
    const result = await cloneBy(standIn, client.context, V1, clone, { merge: true });
    expect(result).toMatchObject({ mode, links: { made: 2, unchanged: 2 }, conflicts: ['a.txt'] });
    const { links, files } = await client.prepareDirectoryUpload(clone);
    expect(files).toEqual([{ path: 'a.txt', size: 12 }]);
    expect(links).toHaveLength(4);
  });

  it('is found again where it was moved to', async () => {
    const { clone, client, folder } = await createClone(mode);
    await rename(clone, join(folder, 'moved'));
    const { links, files } = await client.prepareDirectoryUpload(join(folder, 'moved'));
    expect([links.length, files]).toEqual([ALL, []]);
  });

  it('is of a version that may yet change: links are made of it by no rule', async () => {
    const { client, makeFolder, folder } = await createRig(seed);
    await client.uploadDirectory(V2, await makeFolder('new', { 'n.txt': 'nn' }), { probation: true });
    const clone = join(folder, 'clone');
    await cloneBy(standIn, client.context, V2, clone, { mode });
    const { links, files } = await client.prepareDirectoryUpload(clone);
    expect([links, files]).toEqual([[], [{ path: 'n.txt', size: 2 }]]);
    await expect(client.prepareDirectoryUpload(clone, { links: 'always' })).rejects.toMatchObject({
      code: 'invalid-tree',
    });
  });
});

describe('a file of a clone', () => {
  const rewrite = (content: string) => async (path: string) => {
    await rm(path);
    await writeFile(path, content);
  };
  /** What can happen to a file, each here to the one at the path that stands first, and whether it is a link then. */
  const CHANGES: readonly (readonly [path: string, isLink: boolean, change: (path: string) => Promise<void>])[] = [
    ['let-alone', true, async () => {}],
    ['touched', true, (path) => utimes(path, 1e9, 1e9)],
    ['permissions', true, (path) => chmod(path, 0o600)],
    ['written-again', true, rewrite('content of written-again')],
    ['same-size', false, rewrite('CONTENT OF SAME-SIZE')],
    ['replaced', false, rewrite('another')],
  ];
  const changing = { 'p/a/v1': Object.fromEntries(CHANGES.map(([path]) => [path, `content of ${path}`])) };
  const table = FILE_MODES.flatMap((mode) =>
    (['auto', 'always', 'never'] as const).map((rule) => [mode, rule] as const),
  );

  it.each(table)('(%s) is, by the rule %s, a link as long as it is what it was', async (mode, rule) => {
    const { client, folder } = await createRig({ versions: changing });
    const clone = join(folder, 'clone');
    await cloneBy(standIn, client.context, V1, clone, { mode });
    for (const [path, , change] of CHANGES) await change(join(clone, path));
    const { links, files } = await client.prepareDirectoryUpload(clone, { links: rule });
    const isLink = (wanted: boolean) =>
      CHANGES.filter(([, link]) => (link && rule !== 'never') === wanted)
        .map(([path]) => path)
        .sort();
    expect(links.map(({ path }) => path)).toEqual(isLink(true));
    expect(files.map(({ path }) => path)).toEqual(isLink(false));
    for (const { path, link } of links) expect(link).toEqual({ ...V1, path });
  });

  it.each(['reflink', 'copy'] as const)('(%s) that was edited in place is a file', async (mode) => {
    const { clone, client, bucket } = await createClone(mode);
    await writeFile(join(clone, 'a.txt'), 'CONTENT OF A');
    await truncate(join(clone, 'sub/b.txt'), 3);
    const { files } = await client.prepareDirectoryUpload(clone);
    expect(files).toEqual([
      { path: 'a.txt', size: 12 },
      { path: 'sub/b.txt', size: 3 },
    ]);
    expect(await readFile(join(bucket, 'a.txt'), 'utf8')).toBe('content of a');
  });

  it('(hardlink) that was edited in place was edited in the cache, and is not published', async () => {
    const { clone, client } = await createClone('hardlink');
    await chmod(join(clone, 'a.txt'), 0o644);
    await writeFile(join(clone, 'a.txt'), 'CONTENT OF A');
    await expect(client.prepareDirectoryUpload(clone)).rejects.toMatchObject({
      code: 'invalid-tree',
      details: { faults: [expect.stringMatching(/^a\.txt was edited/)] },
    });
  });

  it('(hardlink) that was edited in place is rescued like one that was edited through a symlink', async () => {
    const { clone, client, bucket } = await createClone('hardlink');
    await chmod(join(clone, 'a.txt'), 0o644);
    await writeFile(join(clone, 'a.txt'), 'CONTENT OF A');
    const { files, links } = await client.prepareDirectoryUpload(clone, { rescue: true });
    expect(files).toEqual([{ path: 'a.txt', size: 12 }]);
    expect(links).toHaveLength(ALL - 1);
    expect(await readFile(join(clone, 'a.txt'), 'utf8')).toBe('CONTENT OF A');
    expect(await readFile(join(bucket, 'a.txt'), 'utf8')).toBe('content of a');
  });

  it('(hardlink) that was edited in place is a file when the cache was mended', async () => {
    const { clone, client, watch, events } = await createClone('hardlink');
    await chmod(join(clone, 'a.txt'), 0o644);
    await writeFile(join(clone, 'a.txt'), 'CONTENT OF A');
    await client.saveVersion(V1, watch);
    expect(events.filter(({ type }) => type === 'damaged')).toHaveLength(1);
    const { files } = await client.prepareDirectoryUpload(clone);
    expect(files).toEqual([{ path: 'a.txt', size: 12 }]);
  });

  it.each(FILE_MODES)('(%s) is a link also when the cache has lost its files', async (mode) => {
    const { clone, client, bucket, own } = await createClone(mode);
    await rm(bucket, { recursive: true });
    await rm(join(own, 'blobs'), { recursive: true });
    const { links, files } = await client.prepareDirectoryUpload(clone);
    expect([links.length, files]).toEqual([ALL, []]);
  });

  it.each(FILE_MODES)('(%s) is read where it is not remembered', async (mode) => {
    const { clone, client, own } = await createClone(mode);
    await rm(join(own, 'clone-files'), { recursive: true });
    const { links, files } = await client.prepareDirectoryUpload(clone);
    expect([links.length, files]).toEqual([ALL, []]);
  });

  it.each(FILE_MODES)(
    '(%s) that is edited between plan and application is not published as what it was',
    async (mode) => {
      const { clone, client } = await createClone(mode);
      const plan = await client.planUpload(V2, clone);
      expect(plan.links).toHaveLength(ALL);
      await chmod(join(clone, 'a.txt'), 0o644);
      await writeFile(join(clone, 'a.txt'), 'CONTENT OF A');
      await expect(client.applyUpload(plan)).rejects.toMatchObject({ code: 'file-changed' });
    },
  );

  it('(copy) is not read where it is remembered', async () => {
    const { clone, client, own } = await createClone('copy');
    await writeFile(join(clone, 'a.txt'), 'CONTENT OF A');
    expect((await client.prepareDirectoryUpload(clone)).files).toHaveLength(1);
    // As if that had been right when it was looked at.
    const [name = ''] = await readdir(join(own, 'clone-files'));
    const file = join(own, 'clone-files', name);
    const document = JSON.parse(await readFile(file, 'utf8'));
    const row = document.files.find(([where]: [string]) => where === 'a.txt');
    row[1] = fingerprintOf(await lstat(join(clone, 'a.txt')));
    writeFileSync(file, JSON.stringify(document));
    expect((await client.prepareDirectoryUpload(clone)).files).toEqual([]);
  });

  it('is not taken for another version’s, in whose place this one was cloned', async () => {
    const rig = await createClone('copy');
    await rig.registry.publish({ versions: { 'p/a/v2': { ...FILES, 'a.txt': 'CONTENT OF A' } } });
    const conflicts = ['a.txt'];
    expect(await rig.client.cloneVersion(V2, rig.clone, { merge: true })).toMatchObject({ mode: 'copy', conflicts });
    const { files, links } = await rig.client.prepareDirectoryUpload(rig.clone);
    expect(files).toEqual([{ path: 'a.txt', size: 12 }]);
    expect(links.map(({ link }) => link.version)).toEqual(['v2', 'v2', 'v2', 'v2']);
  });
});

const CHANGES = MODES.flatMap((from) => MODES.filter((to) => to !== from).map((to) => [from, to] as const));

describe('`merge` in another mode', () => {
  it.each(CHANGES.filter(([from]) => from !== 'hardlink'))(
    'makes a clone of mode %s one of mode %s: what stands there counts as staged, or is made a file',
    async (from, to) => {
      const { clone, client, registry } = await createClone(from);
      await rm(join(clone, 'a.txt'));
      const { mode } = await cloneBy(standIn, client.context, V1, clone, { merge: true, mode: to });
      expect(mode).toBe(to);
      const staged = to === 'symlink' ? ALL - 1 : 0;
      const { states, ...status } = await client.cloneStatus(clone);
      expect([status.mode, states.linked.files, states.staged.files]).toEqual([to, ALL - staged, staged]);
      expect(await client.relinkClone(clone)).toMatchObject({ mode: to, links: [], elsewhere: [] });
      await rm(join(clone, 'same'));
      await writeFile(join(clone, 'same'), 'D');
      const { files, links } = await client.planUpload(V2, clone);
      expect([files.map(({ path }) => path), links.length]).toEqual([['same'], ALL - 1]);
      await client.restoreFiles([clone]);
      expect((await client.cloneStatus(clone)).entries).toEqual([{ path: 'same', state: 'modified', size: 1 }]);
      expect(sent(registry)).toBe(0);
    },
  );

  it.each(CHANGES.filter(([from]) => from === 'hardlink').map(([, to]) => to))(
    'does not make one of hard links one of mode %s: who edits it would edit the cache',
    async (mode) => {
      const { clone, client, folder, own } = await createClone('hardlink');
      await rm(join(clone, 'a.txt'));
      const moved = join(folder, 'moved');
      await rename(clone, moved);
      const refusal = { code: 'destination-refused', hint: expect.stringContaining('Leave out the mode') };
      const before = await readTree(own);
      await expect(client.cloneVersion(V1, moved, { merge: true, mode })).rejects.toMatchObject(refusal);
      expect(await readTree(own)).toEqual(before);
      expect(await client.cloneVersion(V1, moved, { merge: true })).toMatchObject({ mode: 'hardlink' });
      expect(await client.cloneStatus(moved)).toMatchObject({ mode: 'hardlink', clean: true });
    },
  );

  it('is free in another folder that stands where a clone of hard links was', async () => {
    const { clone, client } = await createClone('hardlink');
    await rename(clone, `${clone}-before`);
    await mkdir(clone);
    const result = await client.cloneVersion(V1, clone, { merge: true, mode: 'symlink' });
    expect(result).toMatchObject({ mode: 'symlink', links: { made: ALL } });
  });
});

describe('`auto`', () => {
  const none = { symlink: refused('EPERM'), reflink: refused('ENOTSUP'), hardlink: refused('EXDEV') };
  it.each<[CloneMode, Partial<PutFile>]>([
    ['symlink', {}],
    ['reflink', { symlink: none.symlink }],
    ['hardlink', { symlink: none.symlink, reflink: none.reflink }],
    ['copy', none],
  ])('takes %s as the first that is not refused', async (mode, put) => {
    const { clone, result } = await createClone('auto', { ...standIn, ...put });
    expect(result.mode).toBe(mode);
    expect(await readFile(join(clone, 'sub/b.txt'), 'utf8')).toBe('content of b');
    expect(await readdir(clone)).toHaveLength(4);
  });

  it('tries once, and keeps what worked', async () => {
    let tried = 0;
    const symlinkRefused = () => {
      tried++;
      refused('EPERM')();
    };
    await createClone('auto', { ...standIn, symlink: symlinkRefused });
    expect(tried).toBe(1);
  });

  it('copies the one file that cannot have another hard link', async () => {
    let links = 0;
    const hardlink = (source: string, at: string) => (++links === 3 ? refused('EMLINK')() : linkSync(source, at));
    const { clone, bucket, result, client } = await createClone('auto', { ...standIn, ...none, hardlink });
    expect(result.mode).toBe('hardlink');
    const alone = Object.keys(FILES).filter((at) => lstatSync(join(clone, at)).ino !== lstatSync(join(bucket, at)).ino);
    expect(alone).toHaveLength(1);
    expect((await client.prepareDirectoryUpload(clone)).links).toHaveLength(ALL);
  });

  it('does not hide what is no refusal', async () => {
    const full = { ...standIn, symlink: refused('ENOSPC') };
    await expect(createClone('auto', full)).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  it('is what there is by default, also for a version without files', async () => {
    const { client, folder, makeFolder } = await createRig(seed);
    await client.uploadDirectory(V2, await makeFolder('empty', {}));
    expect(await client.cloneVersion(V2, join(folder, 'x'))).toMatchObject({ mode: 'symlink', files: 0 });
  });
});

describe('a mode that is refused', () => {
  it.each<[CloneMode, string, RegExp]>([
    ['symlink', 'EPERM', /symlinks are refused there \(EPERM\)/],
    ['hardlink', 'EXDEV', /hard links cannot lead from the file system of the cache/],
    ['hardlink', 'EMLINK', /as many hard links as its file system allows/],
    ['hardlink', 'EPERM', /hard links are refused there \(EPERM\)/],
    ['reflink', 'ENOTSUP', /cannot be shared with files there \(ENOTSUP\)/],
  ])('%s (%s) is a clear error, and leaves nothing', async (mode, code, message) => {
    const rig = await createRig(seed);
    const put = { ...standIn, [mode]: refused(code) };
    await expect(cloneBy(put, rig.client.context, V1, join(rig.folder, 'x/y'), { mode })).rejects.toMatchObject({
      code: 'destination-refused',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('"auto"'),
    });
    expect(await readdir(rig.folder)).not.toContain('x');
    expect(await readdir(join(rig.cacheDir, '.gypsum-client/1/clones'))).toEqual([]);
  });

  it('is the real one across file systems', async (test) => {
    const rig = await createRig(seed);
    const elsewhere = otherFileSystem(rig.folder);
    if (elsewhere === undefined) return test.skip('there is no second file system here');
    const clone = (mode: CloneMode) => rig.client.cloneVersion(V1, join(elsewhere, mode), { mode });
    for (const mode of ['hardlink', 'reflink'] as const) {
      await expect(clone(mode)).rejects.toMatchObject({ code: 'destination-refused' });
    }
    expect(readdirSync(elsewhere)).toEqual([]);
    for (const mode of ['symlink', 'copy'] as const) {
      await clone(mode);
      expect((await rig.client.prepareDirectoryUpload(join(elsewhere, mode))).links).toHaveLength(ALL);
    }
  });

  it.each(FILE_MODES)('is %s without its files', async (mode) => {
    const { client, folder, registry } = await createRig(seed);
    const clone = (async () => client.cloneVersion(V1, join(folder, 'x'), { mode, download: false }))();
    await expect(clone).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(registry.calls).toEqual([]);
  });

  it('is any but symlinks without the files, also where those are refused', async () => {
    const { client, folder } = await createRig(seed);
    const put = { ...standIn, symlink: refused('EPERM') };
    // Nothing of the cache is there to be tried with, either.
    await expect(cloneBy(put, client.context, V1, join(folder, 'x'), { download: false })).rejects.toMatchObject({
      code: 'destination-refused',
      message: expect.stringMatching(/symlinks are refused/),
    });
    expect(await readdir(folder)).not.toContain('x');
  });

  it('is one that nobody knows', async () => {
    const { client, folder } = await createRig(seed);
    const options = { mode: 'magic' } as unknown as CloneOptions;
    await expect((async () => client.cloneVersion(V1, join(folder, 'x'), options))()).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});

it('a cached file that was edited meanwhile becomes no copy of a clone', async () => {
  for (const mode of FILE_MODES) {
    const rig = await createRig(seed);
    await rig.client.saveVersion(V1);
    const cached = join(rig.cacheDir, 'bucket/p/a/v1/a.txt');
    const onEvent = ({ type, ...event }: { type: string; task?: string }) => {
      if (type !== 'start' || event.task !== 'clone') return;
      rmSync(cached);
      writeFileSync(cached, 'CONTENT OF A');
    };
    const clone = cloneBy(standIn, rig.client.context, V1, join(rig.folder, 'x'), { mode, onEvent });
    await expect(clone, mode).rejects.toMatchObject({ code: 'wrong-content' });
    expect(await readdir(rig.folder)).not.toContain('x');
  }
});

it('a clone that was copied with its links is left as it is: a copy of a clone is no clone', async () => {
  const { clone, client, folder } = await createClone('copy');
  cpSync(clone, join(folder, 'twin'), { recursive: true });
  await symlink('nowhere', join(folder, 'other'));
  expect((await client.prepareDirectoryUpload(join(folder, 'twin'))).files).toHaveLength(ALL);
});
