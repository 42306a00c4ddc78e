import { link, lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFingerprints } from '../../src/cache/fingerprints.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { createRig, md5 } from '../helpers/rig.ts';

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
