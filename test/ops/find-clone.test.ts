import { cp, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findClone } from '../../src/ops/find-clone.ts';
import { createRig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { 'a.txt': 'a', 'sub/deep/b.txt': 'b' };

async function createClone(mode: 'symlink' | 'copy' = 'symlink') {
  const rig = await createRig({ versions: { 'p/a/v1': FILES, 'p/a/v2': FILES } });
  const clone = join(rig.folder, 'work/clone');
  await rig.client.cloneVersion(V1, clone, { mode });
  const find = (directory: string) => findClone(rig.client.context, directory);
  return { ...rig, clone, find };
}

describe('a clone is found', () => {
  it.each(['', 'sub', 'sub/deep', 'sub/new'])('from its folder %j', async (below) => {
    const { clone, find } = await createClone();
    await mkdir(join(clone, 'sub/new'));
    expect(await find(join(clone, below))).toMatchObject({ root: clone, ref: V1, receipt: { mode: 'symlink' } });
  });

  it('by its real path, whatever way leads to it', async () => {
    const { clone, find, folder } = await createClone();
    await symlink(join(clone, 'sub'), join(folder, 'way'));
    expect(await find(join(folder, 'way/deep'))).toMatchObject({ root: clone });
  });

  it('from the nearest of two that lie in each other', async () => {
    const { client, clone, find } = await createClone();
    await client.cloneVersion(V2, join(clone, 'sub/inner'));
    expect(await find(join(clone, 'sub/inner/sub'))).toMatchObject({ root: join(clone, 'sub/inner'), ref: V2 });
    expect(await find(join(clone, 'sub'))).toMatchObject({ root: clone, ref: V1 });
  });

  it('when it or a folder above it was moved', async () => {
    const { clone, find, folder } = await createClone();
    await rename(join(folder, 'work'), join(folder, 'elsewhere'));
    const root = join(folder, 'elsewhere/clone');
    expect(await find(join(root, 'sub'))).toMatchObject({ root, ref: V1, receipt: { destination: clone } });
  });

  it('when a copy of it stands in its place, as from a backup', async () => {
    const { clone, find, folder } = await createClone();
    await cp(clone, join(folder, 'backup'), { recursive: true, verbatimSymlinks: true });
    await rename(clone, join(folder, 'away'));
    await rename(join(folder, 'backup'), clone);
    expect(await find(join(clone, 'sub'))).toMatchObject({ root: clone, ref: V1 });
  });
});

describe('no clone is', () => {
  it.each<[string, (at: Awaited<ReturnType<typeof createClone>>) => Promise<string>]>([
    ['a folder around one', async ({ folder }) => folder],
    ['a folder that was made by hand', ({ makeFolder }) => makeFolder('mine', { 'a.txt': 'a' })],
    [
      'another folder in its place',
      async ({ clone }) => {
        await rm(clone, { recursive: true });
        await mkdir(join(clone, 'sub'), { recursive: true });
        return join(clone, 'sub');
      },
    ],
    ['a file', async ({ clone }) => join(clone, 'a.txt')],
    ['what is not there', async ({ clone }) => join(clone, 'nothing')],
  ])('%s', async (_name, make) => {
    const at = await createClone('copy');
    const directory = await make(at);
    await expect(at.find(directory)).rejects.toMatchObject({
      code: 'invalid-argument',
      details: { directory },
      hint: expect.stringMatching(/clone/),
    });
  });
});
