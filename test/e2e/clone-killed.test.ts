import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { isSystemError } from '../../src/errors.ts';
import type { CloneMode } from '../../src/index.ts';
import { startCli } from '../helpers/cli.ts';
import { entriesBelow, pathsBelow } from '../helpers/entries-below.ts';
import { createRig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const CONTENT = 'x'.repeat(50_000);
const SOME = 500;
const linked = (length: number) =>
  Object.fromEntries(Array.from({ length }, (_, at) => [`d${at % 7}/f${at}`, { link: 'p/a/v1:/x' }]));
const many = linked(2_000);
/** So many that two threads make them. */
const more = linked(8_000);
const some = linked(SOME);
const seed = { versions: { 'p/a/v1': { x: CONTENT }, 'p/a/many': many, 'p/a/more': more } };

const names = (folder: string): string[] => {
  try {
    return pathsBelow(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
};

it.each<[CloneMode, string, number]>([
  ['copy', 'many', 2_000],
  ['hardlink', 'many', 2_000],
  ['symlink', 'more', 8_000],
])(
  'a clone (%s) that is killed in the middle has no half file, and a receipt that says no more than is true',
  async (mode, version, count) => {
    const rig = await createRig(seed);
    await rig.client.saveVersion({ ...V1, version });
    const clone = join(rig.folder, 'clone');
    const running = startCli(['clone', `p/a/${version}`, clone, '--mode', mode, '--quiet'], {
      GYPSUM_URL: rig.registry.url,
      GYPSUM_CACHE_DIR: rig.cacheDir,
    });
    while (running.child.exitCode === null && names(clone).length < 50) await setTimeout(1);
    running.child.kill('SIGKILL');
    await running.end();

    const left = names(clone).filter((name) => name.includes('..gypsum-'));
    expect(left.length).toBeLessThanOrEqual(1);
    const files = names(clone).filter((name) => /\/f\d+$/.test(name));
    for (const name of files) expect(readFileSync(join(clone, name), 'utf8') === CONTENT, name).toBe(true);
    // What was left is never published unseen.
    if (left.length > 0) {
      await expect(rig.client.prepareDirectoryUpload(clone)).rejects.toMatchObject({ code: 'invalid-tree' });
      for (const name of left) rmSync(join(clone, name));
    }
    const [receipt = ''] = readdirSync(join(rig.cacheDir, '.gypsum-client/1/clones'));
    const text = readFileSync(join(rig.cacheDir, '.gypsum-client/1/clones', receipt), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ version, destination: clone, mode });
    expect((await rig.client.prepareDirectoryUpload(clone)).links).toHaveLength(files.length);

    const merged = await rig.client.cloneVersion({ ...V1, version }, clone, { merge: true });
    expect(merged).toMatchObject({ mode, conflicts: [], links: { unchanged: files.length } });
    expect(await rig.client.prepareDirectoryUpload(clone)).toMatchObject({ files: [], links: { length: count } });
  },
  60_000,
);

it('a clone of copies whose links are filled, or whose files are dropped, has each file or its link wherever that is killed', async () => {
  const rig = await createRig({ versions: { 'p/a/v1': { x: CONTENT }, 'p/a/some': some } });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion({ ...V1, version: 'some' }, clone, { mode: 'copy', include: ['d0/f0'] });
  const look = () => {
    const there = entriesBelow(clone).filter((entry) => !entry.isDirectory());
    const left = there.filter(({ name }) => name.startsWith('..gypsum-'));
    const files = there.filter((entry) => entry.isFile() && !left.includes(entry));
    return { there, left, files };
  };
  const killAt = async (command: string, isUnderWay: (files: number) => boolean) => {
    const running = startCli([command, clone, '--quiet'], {
      GYPSUM_URL: rig.registry.url,
      GYPSUM_CACHE_DIR: rig.cacheDir,
    });
    while (running.child.exitCode === null && !isUnderWay(look().files.length)) await setTimeout(1);
    running.child.kill('SIGKILL');
    await running.end();
    const { there, left, files } = look();
    expect(left.length).toBeLessThanOrEqual(1);
    expect(there).toHaveLength(SOME + left.length);
    for (const { parentPath, name } of files) {
      expect(readFileSync(join(parentPath, name), 'utf8') === CONTENT, name).toBe(true);
    }
    for (const { parentPath, name } of left) rmSync(join(parentPath, name));
    expect(await rig.client.prepareDirectoryUpload(clone)).toMatchObject({ files: [], links: { length: SOME } });
  };

  await killAt('fetch', (files) => files > 20);
  await rig.client.fetchFiles([clone]);
  expect(look().files).toHaveLength(SOME);
  await killAt('drop', (files) => files < SOME - 20);
  await rig.client.dropFiles([clone]);
  expect(look()).toMatchObject({ files: [], left: [] });
  expect((await rig.client.verifyCache()).problems.filter(({ fault }) => fault !== 'stale-lock')).toEqual([]);
}, 60_000);
