import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REPOSITORY_SAMPLE } from '../../mocks/index.ts';
import { layOut } from '../helpers/files.ts';
import { age } from '../helpers/replica.ts';
import { describeRepository } from '../helpers/repository-behaviour.ts';
import { createRig } from '../helpers/rig.ts';

const ASSET = { project: 'p', asset: 'a' };

/** An asset whose only version is what repositories are tried with. */
async function createSample() {
  const rig = await createRig({ projects: { p: {} } });
  const root = join(rig.folder, 'sample');
  for (const entry of REPOSITORY_SAMPLE) {
    const item = entry.type === 'file' ? entry.text : entry.type === 'symlink' ? { link: entry.target } : 'folder/';
    layOut(root, { [entry.path]: item });
    if (entry.type !== 'symlink') chmodSync(join(root, entry.path), entry.mode);
  }
  for (const { path, mtime } of REPOSITORY_SAMPLE) age(join(root, path), mtime / 1e6);
  await rig.client.putTree(ASSET, `${root}/`);
  return { ...rig, root, repository: rig.client.openAssetRepository(ASSET) };
}

describeRepository('an asset', { sample: async () => (await createSample()).repository });

it('an asset is listed as its latest version, and read as it was listed', async () => {
  const { client, root, repository } = await createSample();
  await repository.list();
  writeFileSync(join(root, 'b'), 'another');
  await client.putTree(ASSET, `${root}/`);
  expect((await repository.read('b')).look().entry).toMatchObject({ size: 3 });
  const { entries } = await repository.list();
  expect(entries.find(({ path }) => path === 'b')).toMatchObject({ size: 7 });
  expect((await repository.read('b')).look().entry).toMatchObject({ size: 7 });
});

it('an asset that is opened as a repository cannot be written', async () => {
  const { repository } = await createSample();
  const link = { type: 'symlink', path: 'n', target: 'b', mtime: 0 } as const;
  await expect(repository.create(link)).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(repository.modify(link)).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(repository.delete('b', 'file')).rejects.toMatchObject({ code: 'invalid-argument' });
});
