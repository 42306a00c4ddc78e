import { readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkCollisions } from '../../src/ops/check-collisions.ts';
import { foldsNames } from '../../src/tree/folds-names.ts';
import { foldNames } from '../helpers/around-calls.ts';
import { createRig, type Rig, readTree } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const FILES = { README: 'one', readme: 'other' };
const folding = await foldsNames(tmpdir());

describe('names that fold together', () => {
  it('are refused, with the names, where the file system folds them', async () => {
    const { client } = await createRig({ versions: { 'p/a/v1': FILES } });
    const manifest = await client.fetchManifest(V1);
    await expect(checkCollisions(V1, Object.keys(manifest), '/somewhere', async () => true)).rejects.toMatchObject({
      code: 'destination-refused',
      message: 'p/a/v1 has names that the file system of /somewhere takes for the same:\n  README and readme',
      hint: expect.any(String),
    });
    await checkCollisions(V1, Object.keys(manifest), '/somewhere', async () => false);
  });

  it('are not looked for on disk where there are none', async () => {
    const probe = async () => {
      throw new Error('nobody should ask');
    };
    await checkCollisions(V1, ['a', 'b'], '/somewhere', probe);
  });

  it('are all cloned, or none is, as this file system has it', async () => {
    const { client, folder, connect } = await createRig({ versions: { 'p/a/v1': FILES } });
    const clone = client.cloneVersion(V1, join(folder, 'clone'));
    const save = connect({ cacheDir: join(folder, 'other') }).saveVersion(V1);
    if (folding) {
      await expect(clone).rejects.toMatchObject({ code: 'destination-refused' });
      await expect(save).rejects.toMatchObject({ code: 'destination-refused' });
    } else {
      await Promise.all([clone, save]);
      expect(await readFile(join(folder, 'clone/README'), 'utf8')).toBe('one');
      expect(await readFile(join(folder, 'clone/readme'), 'utf8')).toBe('other');
    }
  });
});

const ASIDE = { ...V1, version: 'v2' };

it.each<[string, (rig: Rig, clone: string) => Promise<unknown>]>([
  ['a clone', ({ client, folder }) => client.cloneVersion(V1, join(folder, 'new/clone'), { download: false })],
  ['a cache', ({ client }) => client.saveVersion(V1)],
  ['a checkout', ({ client }, clone) => client.checkoutVersion(V1, clone)],
  ['a copy', ({ client, folder }) => client.getTree(V1, join(folder, 'new'))],
  [
    'an export',
    async ({ client, folder }, clone) => {
      await writeFile(join(clone, 'Same'), 'other');
      return client.exportClone(clone, join(folder, 'new/export'));
    },
  ],
])('%s is refused as a whole where the file system folds its names', async (_what, work) => {
  const rig = await createRig({ versions: { 'p/a/v1': FILES, 'p/a/v2': { same: 'same' } } });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(ASIDE, clone, { mode: 'copy' });
  if (!folding) foldNames();
  await expect(work(rig, clone)).rejects.toMatchObject({ code: 'destination-refused', details: { collisions: [{}] } });
  expect(await readTree(clone)).toMatchObject({ same: 'same' });
  expect((await readdir(rig.folder)).sort()).not.toContain('new');
  expect(rig.registry.count({ key: 'p/a/v1/README' })).toBe(0);
});

it('whether a file system folds names is tried out, also for a folder that is not there, and leaves no trace', async () => {
  const folder = await tempFolder();
  expect(await foldsNames(folder)).toBe(folding);
  expect(await foldsNames(join(folder, 'not/there'))).toBe(folding);
  expect(await readdir(folder)).toEqual([]);
});
