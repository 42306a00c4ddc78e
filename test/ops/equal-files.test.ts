import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRig, md5 } from '../helpers/rig.ts';

it('equal files of one upload are sent once, and come back as all of them', async () => {
  const { client, registry, folder, makeFolder, connect } = await createRig();
  await client.createProject('p');
  const ref = { project: 'p', asset: 'a', version: 'v1' };
  const files = { 'one.txt': 'the same', 'dir/two.txt': 'the same', 'three.txt': 'another' };
  const root = await makeFolder('new', files);
  const sources = Object.entries(files).map(([path, content]) => ({
    path,
    size: content.length,
    md5sum: md5(content),
  }));
  const session = await client.startUpload(ref, sources);
  await client.uploadFiles(session, (path) => join(root, path));
  await client.completeUpload(session);
  expect(registry.calls.filter(({ route }) => route === 'put')).toHaveLength(2);

  const reader = connect({ cacheDir: join(folder, 'other-cache') });
  await reader.saveVersion(ref);
  const clone = join(folder, 'clone');
  await reader.cloneVersion(ref, clone);
  for (const [path, content] of Object.entries(files)) expect(await readFile(join(clone, path), 'utf8')).toBe(content);

  // Both of the links lead on: the next version is links alone.
  const plan = await reader.planUpload({ ...ref, version: 'v2' }, clone);
  expect(plan.files).toEqual([]);
});
