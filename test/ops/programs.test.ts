import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeExecutable } from '../../src/cache/executables.ts';
import { type Fingerprints, openFingerprints } from '../../src/cache/fingerprints.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { formatTreeRecord } from '../../src/model/tree-record.ts';
import { pathsBelow } from '../helpers/entries-below.ts';
import { createRig, md5 } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const RUN = '#!/bin/sh\necho ran\n';
const record = formatTreeRecord({ entries: [{ type: 'file', path: 'bin/run', mode: 0o755 }] });
const seed = {
  versions: {
    'p/a/v1': { 'bin/run': RUN, 'bin/same.txt': RUN, other: 'o', '.gypsum-tree.json': record },
    'p/a/v2': { 'bin/run': RUN, more: 'm' },
  },
};

async function createRun() {
  const rig = await createRig(seed);
  const { cacheDir, folder } = rig;
  const cached = (path: string, version = 'v1') => join(cacheDir, 'bucket/p/a', version, path);
  return {
    ...rig,
    cached,
    clone: join(folder, 'clone'),
    /** The mode and the inode of a cached file. */
    look: (path: string, version?: string) => {
      const { mode, ino } = lstatSync(cached(path, version));
      return { mode: (mode & 0o777).toString(8), ino };
    },
    blobs: () => blobsIn(cacheDir),
    /** Puts a file there that is no program, as other clients and older ones do. */
    makePlain(version = 'v1') {
      const path = cached('bin/run', version);
      copyFileSync(path, join(folder, 'plain'));
      rmSync(path);
      copyFileSync(join(folder, 'plain'), path);
      chmodSync(path, 0o444);
    },
  };
}

function blobsIn(cacheDir: string): string[] {
  const folder = join(cacheDir, '.gypsum-client/1/blobs/p');
  if (!existsSync(folder)) return [];
  const found = pathsBelow(folder).sort();
  return found.filter((path) => statSync(join(folder, path)).isFile());
}

const blobOf = (content: string) => `${md5(content).slice(0, 2)}/${md5(content).slice(2)}`;
const run = (clone: string) => execFileSync(join(clone, 'bin/run'), { encoding: 'utf8' });

describe.skipIf(process.platform === 'win32')('a program', () => {
  it.each(['symlink', 'hardlink', 'copy'] as const)('runs in a clone of mode %s', async (mode) => {
    const { client, clone, look } = await createRun();
    await client.cloneVersion(V1, clone, { mode });
    expect(run(clone)).toBe('ran\n');
    expect(look('bin/run').mode).toBe('555');
  });

  it('is a file of its own in the cache: equal files are none', async () => {
    const { client, clone, folder, look, blobs } = await createRun();
    await client.cloneVersion(V1, clone);
    await client.cloneVersion(V2, join(folder, 'two'));
    const plain = look('bin/same.txt');
    expect(plain.mode).toBe('444');
    expect(look('bin/run').ino).not.toBe(plain.ino);
    expect(look('bin/run', 'v2')).toEqual(plain);
    expect(blobs()).toEqual(expect.arrayContaining([`md5/${blobOf(RUN)}`, `md5-executable/${blobOf(RUN)}`]));
    expect((await client.verifyCache([], { deep: true })).problems).toEqual([]);
  });

  it('becomes one where the cache had the version already, as another client leaves it', async () => {
    const { client, clone, registry, look, ...rig } = await createRun();
    await client.saveVersion(V1);
    rig.makePlain();
    // From here on, it is known to be right.
    await client.verifyCache();
    registry.resetCalls();
    await client.cloneVersion(V1, clone);
    expect(registry.calls).toEqual([]);
    expect(look('bin/run').mode).toBe('555');
    expect(run(clone)).toBe('ran\n');
  });

  it('is one of the user’s own where that of the site cache cannot be run, which stays as it is', async () => {
    const { client, clone, connect, folder, cacheDir, cached, ...rig } = await createRun();
    await client.saveVersion(V1);
    rig.makePlain();
    const own = connect({ siteCacheDir: cacheDir, cacheDir: join(folder, 'own') });
    await own.cloneVersion(V1, clone);
    expect(run(clone)).toBe('ran\n');
    expect(readlinkSync(join(clone, 'bin/run'))).toContain(join(folder, 'own'));
    expect(readlinkSync(join(clone, 'other'))).toBe(cached('other'));
    expect(lstatSync(cached('bin/run')).mode & 0o777).toBe(0o444);
  });

  it('stays one, the same, for whoever saves, clones or restores again, and nothing is fetched', async () => {
    const { client, clone, folder, registry, look } = await createRun();
    await client.cloneVersion(V1, clone);
    const before = look('bin/run');
    registry.resetCalls();
    await client.saveVersion(V1);
    await client.cloneVersion(V1, join(folder, 'two'));
    await client.stageFiles([clone]);
    expect(lstatSync(join(clone, 'bin/run')).mode & 0o777).toBe(0o755 & ~process.umask());
    expect(lstatSync(join(clone, 'bin/same.txt')).mode & 0o111).toBe(0);
    await client.restoreFiles([clone]);
    await client.checkoutVersion(V2, clone);
    await client.checkoutVersion(V1, clone);
    expect(look('bin/run')).toEqual(before);
    expect(registry.calls.filter(({ key }) => key?.includes('v1'))).toEqual([]);
    expect(run(clone)).toBe('ran\n');
  });

  it('is one after a checkout, also where its version was cached by another client', async () => {
    const { client, clone, ...rig } = await createRun();
    await client.cloneVersion(V2, clone);
    await client.saveVersion(V1);
    rig.makePlain();
    await client.verifyCache();
    await client.checkoutVersion(V1, clone);
    expect(run(clone)).toBe('ran\n');
  });

  it('is one again when it was dropped and fetched, and nothing of it stays meanwhile', async () => {
    const { client, clone, blobs } = await createRun();
    await client.cloneVersion(V1, clone);
    await client.dropFiles([clone]);
    expect(blobs()).toEqual([`md5/${blobOf(record)}`]);
    await client.fetchFiles([clone]);
    expect(run(clone)).toBe('ran\n');
  });

  it('stays one where nothing is known of it any more, and its content is needed as a file, too', async () => {
    const { client, clone, cacheDir, registry, look, cached } = await createRun();
    await client.cloneVersion(V1, clone);
    const before = look('bin/run');
    rmSync(join(cacheDir, '.gypsum-client/1/verified'), { recursive: true });
    rmSync(join(cacheDir, '.gypsum-client/1/blobs/p/md5'), { recursive: true });
    rmSync(cached('bin/same.txt'));
    registry.resetCalls();
    await client.saveVersion(V1);
    await client.saveVersion(V2);
    expect(look('bin/run')).toEqual(before);
    expect(look('bin/same.txt').mode).toBe('444');
    expect(registry.count({ key: 'p/a/v1/bin/run' })).toBe(0);
    expect((await client.verifyCache([], { deep: true })).problems).toEqual([]);
  });

  it('is mended where somebody has written to it', async () => {
    const { client, clone, cached, look } = await createRun();
    await client.cloneVersion(V1, clone);
    chmodSync(cached('bin/run'), 0o755);
    const [writable] = (await client.verifyCache([], { repair: true })).problems;
    expect(writable).toMatchObject({ fault: 'wrong-mode', file: 'bin/run', repaired: true });
    expect(look('bin/run').mode).toBe('555');
    chmodSync(cached('bin/run'), 0o755);
    writeFileSync(cached('bin/run'), '#!/bin/sh\necho mine\n');
    const { problems } = await client.verifyCache([], { repair: true });
    expect(problems).toContainEqual(
      expect.objectContaining({ fault: 'wrong-content', file: 'bin/run', repaired: true }),
    );
    expect((await client.verifyCache([], { deep: true })).problems).toEqual([]);
    expect(run(clone)).toBe('ran\n');
    expect(look('bin/same.txt').mode).toBe('444');
  });

  it('is not made of what was edited through its link, which is kept', async () => {
    const { client, clone, folder, cached, ...rig } = await createRun();
    await client.saveVersion(V1);
    rig.makePlain();
    chmodSync(cached('bin/run'), 0o644);
    writeFileSync(cached('bin/run'), 'mine');
    await client.cloneVersion(V1, clone);
    expect(run(clone)).toBe('ran\n');
    const damaged = join(folder, 'cache/.gypsum-client/1/damaged');
    const [aside = ''] = readdirSync(damaged);
    expect(readFileSync(join(damaged, aside, 'run'), 'utf8')).toBe('mine');
  });

  it('is not put in the place of an edit that was made while it was looked for', async () => {
    const { client, clone, cacheDir, cached, ...rig } = await createRun();
    await client.cloneVersion(V1, clone);
    rig.makePlain();
    const layout = createLayout(cacheDir);
    const digest = { algorithm: 'md5', hex: md5(RUN) } as const;
    const source = { ...V1, path: 'bin/run' };
    const known = await openFingerprints(layout, 'p', [digest.hex]);
    const edited: Fingerprints = {
      ...known,
      check() {
        chmodSync(cached('bin/run'), 0o644);
        writeFileSync(cached('bin/run'), 'mine');
        return 'same';
      },
    };
    const content = { digest, size: RUN.length, source, files: [source] };
    await makeExecutable(layout, edited, content, source, undefined);
    expect(readFileSync(cached('bin/run'), 'utf8')).toBe('mine');
  });

  it('goes with its version when the cache is pruned', async () => {
    const { client, clone, blobs } = await createRun();
    await client.cloneVersion(V1, clone);
    await client.removeCached([V1], { force: true });
    expect(blobs()).toEqual([]);
  });

  it('of a record that is refused is a file as all others', async () => {
    const wrong = record.replace('"bin/run"', '"../run"');
    const { client, cacheDir } = await createRig({
      versions: { 'p/a/v1': { 'bin/run': RUN, '.gypsum-tree.json': wrong } },
    });
    await client.saveVersion(V1);
    expect(lstatSync(join(cacheDir, 'bucket/p/a/v1/bin/run')).mode & 0o777).toBe(0o444);
  });
});
