import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import { isGypsumError } from '../../src/errors.ts';
import { layOut } from '../helpers/files.ts';
import { killEverywhere } from '../helpers/kill-everywhere.ts';
import { look } from '../helpers/replica.ts';
import { createRig } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

const ASSET = { project: 'p', asset: 'a' };

const BEFORE = {
  a: 'x',
  b: 'y',
  'old/c': 'c',
  'old/d': 'd',
  type: 't',
  same: 's',
  edited: 'before',
  gone: 'g',
  l: { link: 'a' },
};
const AFTER = {
  a: 'y',
  b: 'x',
  'new/c': 'c',
  'new/d': 'd',
  'type/f': 't',
  same: 's',
  edited: 'after',
  l: { link: 'b' },
  empty: 'folder/',
};

async function createWorld() {
  const rig = await createRig({ projects: { p: {} } });
  return { ...rig, src: join(rig.folder, 'src'), dst: join(rig.folder, 'dst') };
}

it('a folder that is killed anywhere while it is published is the whole version or none, and another run makes it', async () => {
  const rig = await createWorld();
  const { client, folder, src } = rig;
  const sync = async () => {
    try {
      return await client.syncToAsset(src, ASSET, { force: true });
    } catch (error) {
      // Nobody knows what would release the lock if the answer to the start was lost.
      if (!isGypsumError(error, 'project-locked')) throw error;
      await client.unlockProject('p');
      return client.syncToAsset(src, ASSET, { force: true });
    }
  };
  const shapeOf = async (version: string) => {
    const copy = join(folder, `copy-${version}`);
    rmSync(copy, { recursive: true, force: true });
    await client.getTree({ ...ASSET, version }, copy);
    return treeShape(copy);
  };
  let round = 0;
  let before = {};
  await killEverywhere(
    rig,
    ['sync', 'src', 'gypsum:p/a', '--force'],
    async () => {
      round++;
      rmSync(src, { recursive: true, force: true });
      // One content that no version has.
      layOut(src, { ...(round % 2 === 0 ? AFTER : BEFORE), mine: `${round}` });
    },
    async (at) => {
      const last = Math.max(...(await client.listVersions(ASSET)).map(Number));
      if (last > 0) expect([before, treeShape(src)], `killed at ${at}`).toContainEqual(await shapeOf(`${last}`));
      await sync();
      const { version } = await client.fetchLatest(ASSET);
      expect(version, `killed at ${at}`).toBe(`${round}`);
      before = treeShape(src);
      expect(await shapeOf(version), `killed at ${at}`).toEqual(before);
      expect((await client.listUploads()).uploads).toEqual([]);
      expect((await sync()).published).toBe(false);
    },
  );
}, 600_000);

/** A folder in which something stands, and an asset that it is to become. */
async function createFollower() {
  const rig = await createWorld();
  const { client, folder, src, dst, cacheDir, stateDir } = rig;
  layOut(src, AFTER);
  layOut(join(folder, 'before'), BEFORE);
  const shapes = [treeShape(join(folder, 'before')), treeShape(src)];
  await client.syncToAsset(src, ASSET);
  return {
    ...rig,
    wanted: await look(src),
    async begin() {
      for (const root of [dst, cacheDir, stateDir]) rmSync(root, { recursive: true, force: true });
      layOut(dst, BEFORE);
    },
    expectWholeFiles(at: number) {
      const there = Object.entries(treeShape(dst)).filter(([path]) => !path.includes('..gypsum-'));
      for (const [path, is] of there) {
        const either = shapes.map((shape) => shape[path]);
        expect(either, `${path}, killed at ${at}`).toContain(is);
      }
      // What both have was never without its name.
      const names = there.map(([path]) => path);
      expect(names, `killed at ${at}`).toEqual(expect.arrayContaining(['a', 'b', 'same', 'edited', 'l']));
    },
  };
}

it('a folder that is killed anywhere while it becomes what an asset is has whole files, and another run goes on', async () => {
  const rig = await createFollower();
  const { connect, dst, stateDir, wanted } = rig;
  await killEverywhere(rig, ['sync', 'gypsum:p/a', 'dst', '--force'], rig.begin, async (at) => {
    rig.expectWholeFiles(at);
    const next = connect();
    expect((await next.syncFromAsset(ASSET, dst, { force: true, stateDir })).failures).toEqual([]);
    expect(await look(dst), `killed at ${at}`).toEqual(wanted);
    expect((await next.syncFromAsset(ASSET, dst, { stateDir })).operations).toEqual([]);
  });
}, 600_000);

it('a folder that follows an asset has whole files wherever it is killed, and goes on with what it remembers', async () => {
  const rig = await createFollower();
  const { connect, dst, stateDir, wanted } = rig;
  const isThere = async () => isDeepStrictEqual(await look(dst), wanted);
  await killEverywhere(
    rig,
    ['replicate', 'gypsum:p/a', 'dst', '--force', '--every', '10ms'],
    rig.begin,
    async (at) => {
      rig.expectWholeFiles(at);
      const end = new AbortController();
      const asides: string[] = [];
      const onSetAside = (path: string) => void asides.push(path);
      const options = { every: 10, watch: false, force: true, stateDir, until: end.signal, onSetAside };
      const ended = connect().replicateFromAsset(ASSET, dst, options);
      await expect.poll(isThere, { timeout: 20_000, message: `killed at ${at}` }).toBe(true);
      end.abort();
      await ended;
      expect(asides).toEqual([]);
      expect((await connect().syncFromAsset(ASSET, dst, { stateDir })).operations).toEqual([]);
    },
    async ({ child }) => {
      const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
      await expect.poll(async () => hasEnded() || (await isThere()), { timeout: 20_000 }).toBe(true);
      // What it remembers is written down behind what it does.
      await setTimeout(300);
      child.kill('SIGINT');
    },
  );
}, 600_000);
