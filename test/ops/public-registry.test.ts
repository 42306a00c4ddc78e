import { describe, expect, it } from 'vitest';
import { ODDITY_NAMES, type Oddities } from '../../mocks/index.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const V2 = { project: 'p', asset: 'a', version: 'v2' };
const V3 = { ...V2, version: 'v3' };
const seed = { versions: { 'p/a/v1': { 'x.txt': 'content of x' } } };

describe.each<[string, Oddities | 'public']>([
  // What does not say that it can do more than the public registry is taken for one that cannot.
  ...ODDITY_NAMES.map((name): [string, Oddities] => [name, { twiceDecodedPrefix: name === 'noExtras', [name]: true }]),
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

it('of two uploads that get a session at once, one is published whole, and of the other it is said what happened', async () => {
  const { client, connect, makeFolder, folder } = await createRig(seed, 'public');
  const other = connect({ cacheDir: `${folder}/other`, stateDir: `${folder}/other-state` });
  const uploads = await Promise.allSettled([
    client.uploadDirectory(V2, await makeFolder('one', { one: '1' })),
    other.uploadDirectory(V3, await makeFolder('other', { other: '2' })),
  ]);
  const files = [['one'], ['other']];
  for (const [index, ref] of [V2, V3].entries()) {
    const upload = uploads[index];
    if (upload?.status === 'fulfilled') {
      expect(Object.keys(await client.fetchManifest(ref))).toEqual(files[index]);
      continue;
    }
    expect(upload?.reason).toMatchObject({ code: expect.stringMatching(/^(forbidden|project-locked)$/) });
    await expect(client.saveVersion(ref)).rejects.toThrow();
  }
  expect(uploads.map(({ status }) => status)).toContain('fulfilled');
});

it.each<[string, boolean, RegExp]>([
  ['another upload', false, /p\/a\/v2 was ended by somebody else: an upload of p\/a\/v3 holds its project now\.$/],
  ['nobody', true, /p\/a\/v2 was ended by somebody else: nothing holds its project now\.$/],
])('an upload whose project %s holds meanwhile says so', async (_who, isOver, message) => {
  const { client, connect, registry, makeFolder, folder } = await createRig(seed, 'public');
  const other = connect({ stateDir: `${folder}/other-state` });
  let isTaken = false;
  registry.inject(
    async (_request, next) => {
      if (!isTaken) {
        isTaken = true;
        await client.unlockProject('p');
        const session = await other.startUpload(V3, []);
        if (isOver) await other.completeUpload(session);
      }
      return next();
    },
    { route: 'presign' },
  );
  await expect(client.uploadDirectory(V2, await makeFolder('one', { one: '1' }))).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringMatching(message),
    hint: expect.stringContaining('Publish again'),
  });
});
