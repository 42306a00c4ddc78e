import { describe, expect, it } from 'vitest';
import type { Oddities } from '../../mocks/index.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const V2 = { project: 'p', asset: 'a', version: 'v2' };
const seed = { versions: { 'p/a/v1': { 'x.txt': 'content of x' } } };

const ODDITIES: readonly (keyof Oddities)[] = [
  'wipesExisting',
  'errorsWithStatus200',
  'latin1Slugs',
  'noExtras',
  'racyLock',
  'presignedElsewhere',
  'expiringUrls',
  'latePuts',
  'cachedPermissions',
  'oddDates',
  'twiceDecodedPrefix',
];

describe.each<[string, Oddities | 'public']>([
  // What does not say that it can do more than the public registry is taken for one that cannot.
  ...ODDITIES.map((name): [string, Oddities] => [name, { twiceDecodedPrefix: name === 'noExtras', [name]: true }]),
  ['public', 'public'],
])('a registry that is odd as in %s', (_name, oddities) => {
  const odd = { 'ab?.txt': 'names', 'ünï/a b#%41+ÿ?.txt': 'more names', empty: '' };

  it('is published to and cloned from, also with odd names', async () => {
    const { client, connect, folder, makeFolder } = await createRig(seed, oddities);
    const ref = { project: '50%25?', asset: 'é a?', version: 'v#1?' };
    await client.createProject(ref.project, { owners: ['admin'] });
    await client.uploadDirectory(ref, await makeFolder('mine', odd));
    expect(await client.listProjects()).toEqual(['50%25?', 'p']);
    expect(await client.listAssets(ref.project)).toEqual([ref.asset]);
    expect(await client.listVersions(ref)).toEqual([ref.version]);
    expect((await client.listFiles(ref)).sort()).toEqual(Object.keys(odd).sort());
    await connect({ cacheDir: `${folder}/other` }).cloneVersion(ref, `${folder}/clone`, { mode: 'copy' });
    expect(await readTree(`${folder}/clone`)).toEqual(odd);
    expect((await client.fetchSummary(ref)).uploadFinish).toBeInstanceOf(Date);
  });
});

describe('names beyond Latin-1', () => {
  it('are refused where the registry does not say that it takes them, and nothing is started', async () => {
    const { client, registry, makeFolder } = await createRig(seed, 'public');
    const mine = await makeFolder('mine', { 'a.txt': 'a', '日本.txt': 'names' });
    await expect(client.uploadDirectory(V2, mine)).rejects.toMatchObject({
      code: 'invalid-tree',
      message: expect.stringContaining('p/a/v2/日本.txt'),
      details: { path: '日本.txt' },
    });
    await expect(client.uploadDirectory({ ...V2, version: '本' }, mine)).rejects.toMatchObject({
      code: 'invalid-tree',
    });
    expect(registry.count({ route: 'start' })).toBe(0);
  });

  it('are those of links, wherever', async () => {
    const { client, registry, folder, makeFolder } = await createRig(seed, 'public');
    await registry.publish({ versions: { 'p/a/v1.1': { '日本.txt': 'names' } } });
    const clone = `${folder}/clone`;
    await client.cloneVersion({ ...V2, version: 'v1.1' }, clone);
    await makeFolder('clone', { 'a.txt': 'a' });
    expect(await client.uploadDirectory(V2, clone)).toMatchObject({ linked: { files: 1 }, sent: { files: 1 } });
    expect(Object.keys(await client.fetchManifest(V2)).sort()).toEqual(['a.txt', '日本.txt']);
  });

  it('are asked about by nobody else', async () => {
    const { client, registry, makeFolder } = await createRig(seed, {});
    await client.uploadDirectory(V2, await makeFolder('mine', { 'é.txt': 'names' }));
    expect(registry.count({ route: 'list' })).toBe(0);
    await client.uploadDirectory({ ...V2, version: 'v3' }, await makeFolder('mine', { '日本.txt': 'others' }));
    expect(registry.count({ route: 'list' })).toBe(1);
  });
});

it('of two uploads that get a session at once, one is published whole, and nothing is of the other', async () => {
  const { client, connect, makeFolder, folder } = await createRig(seed, 'public');
  const uploads = await Promise.allSettled([
    client.uploadDirectory(V2, await makeFolder('one', { one: '1' })),
    connect({ cacheDir: `${folder}/other` }).uploadDirectory(
      { ...V2, version: 'v3' },
      await makeFolder('other', { other: '2' }),
    ),
  ]);
  const published = uploads.filter(({ status }) => status === 'fulfilled');
  expect(published.length).toBeGreaterThan(0);
  for (const [index, version] of ['v2', 'v3'].entries()) {
    if (uploads[index]?.status === 'fulfilled') {
      expect(Object.keys(await client.fetchManifest({ ...V2, version }))).toEqual([version === 'v2' ? 'one' : 'other']);
    } else
      await expect(client.saveVersion({ ...V2, version })).rejects.toMatchObject({
        code: /not-found|version-unfinished/,
      });
  }
});
