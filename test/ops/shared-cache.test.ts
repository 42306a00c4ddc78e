import { existsSync } from 'node:fs';
import { link, lstat, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFingerprints } from '../../src/cache/fingerprints.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { createClient } from '../../src/index.ts';
import { listen, openRegistry } from '../../src/server/index.ts';
import { createRig, md5 } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };

it('two registries that come to one new cache at once never mix: one of them is refused', async () => {
  const one = await createRig({ versions: { 'p/a/v1': { x: 'of one' } } });
  const other = await createRig({ versions: { 'p/a/v1': { x: 'of the other' } } });
  for (let round = 0; round < 15; round++) {
    const cacheDir = join(one.folder, `shared-${round}`);
    const results = await Promise.allSettled([one, other].map((rig) => rig.connect({ cacheDir }).saveVersion(V1)));
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused).toEqual([{ status: 'rejected', reason: expect.objectContaining({ code: 'cache-mismatch' }) }]);
    const content = results[0]?.status === 'fulfilled' ? 'of one' : 'of the other';
    expect(await readFile(join(cacheDir, 'bucket/p/a/v1/x'), 'utf8')).toBe(content);
  }
});

it('a new registry at an old address is not answered from the old one’s cache', async () => {
  const folder = await tempFolder();
  const serve = async (data: string, port: number) => {
    const registry = await openRegistry({ data: join(folder, data) });
    const listener = await listen(registry.fetch, { port, grace: 0 });
    const token = (await readFile(join(folder, data, 'admin-token'), 'utf8')).trim();
    const client = createClient({ url: listener.url, token, cacheDir: join(folder, 'cache'), retryDelay: 1 });
    const close = async () => {
      await client.close();
      await listener.close();
      await registry.close();
    };
    return { client, port: listener.port, close };
  };
  const old = await serve('old', 0);
  await old.client.createProject('p');
  await old.client.uploadContents(V1, [{ path: 'x', content: 'of the old one' }]);
  await old.client.saveVersion(V1);
  await old.close();
  const again = await serve('old', old.port);
  expect(await again.client.fetchLatest(V1)).toEqual(V1);
  await again.close();
  const other = await serve('new', old.port);
  await other.client.createProject('p');
  await expect(other.client.uploadContents(V1, [{ path: 'x', content: 'of the new one' }])).rejects.toMatchObject({
    code: 'cache-mismatch',
    message: expect.stringContaining('was filled by another registry at'),
    hint: expect.stringContaining('Remove that cache folder'),
  });
  await other.close();
});

it('a version is not answered from the records of another that a file system takes for the same', async () => {
  const rig = await createRig({ versions: { 'p/a/v1': { x: 'small' }, 'p/a/V1': { x: 'LARGE' } } });
  await rig.client.saveVersion(V1);
  // What a file system that folds case does by itself, a symlink does here.
  const versions = join(rig.cacheDir, '.gypsum-client/1/versions/p/a');
  if (!existsSync(join(versions, 'V1'))) await symlink('v1', join(versions, 'V1'));
  await expect(rig.client.saveVersion({ ...V1, version: 'V1' })).rejects.toMatchObject({
    code: 'destination-refused',
    hint: expect.stringContaining('--cache'),
  });
  expect(await rig.client.saveVersion(V1)).toMatchObject({ files: 1 });
});

it('an inode with many names is read once after its inode was changed, not once a name', async () => {
  const names = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`f${n}`, 'same']));
  const rig = await createRig({ versions: { 'p/a/v1': names } });
  await rig.client.saveVersion(V1);
  const file = join(rig.cacheDir, 'bucket/p/a/v1/f0');
  await link(file, join(rig.folder, 'once-more'));
  const prints = await openFingerprints(createLayout(rig.cacheDir), 'p', [md5('same')]);
  const stats = await lstat(file);
  expect(prints.check(md5('same'), stats)).toBe('unsure');
  prints.remember(md5('same'), file, stats);
  expect(prints.check(md5('same'), await lstat(join(rig.cacheDir, 'bucket/p/a/v1/f4')))).toBe('same');
});
