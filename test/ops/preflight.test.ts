import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytes, type Fault, status } from '../../mocks/index.ts';
import { MAX_FILE_BYTES } from '../../src/model/manifest.ts';
import { checkFit } from '../../src/ops/preflight.ts';
import { countAtOnce } from '../helpers/at-once.ts';
import { currentOddities } from '../helpers/oddities.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const V3 = { ...V1, version: 'v3' };
const seed = { versions: { 'p/a/v1': { 'a.txt': 'content of a', 'b.txt': 'content of b' } } };

describe('a registry that deletes a version when it is started again', () => {
  const createWiping = () => createRig(seed, { ...currentOddities(), wipesExisting: true });

  it('is one: asked by hand, it does', async () => {
    const rig = await createWiping();
    const init = { method: 'POST', headers: { authorization: `Bearer ${rig.registry.token}` }, body: '{"files":[]}' };
    expect((await fetch(`${rig.registry.url}/upload/start/p/a/v1`, init)).status).toBe(400);
    expect(await rig.client.listVersions(V1)).toEqual([]);
  });

  it('is never asked to', async () => {
    const { client, registry, makeFolder } = await createWiping();
    const mine = await makeFolder('mine', { x: 'x' });
    const exists = { code: 'version-exists' };
    await expect(client.uploadDirectory(V1, mine)).rejects.toMatchObject(exists);
    await expect(client.uploadDirectory(V1, mine, { wait: true, probation: true })).rejects.toMatchObject(exists);
    await expect(client.uploadContents(V1, [{ path: 'x', content: 'x' }])).rejects.toMatchObject(exists);
    await expect(client.startUpload(V1, [])).rejects.toMatchObject(exists);
    // Two have the same plan: the second to apply it must not wipe what the first has published.
    const plan = await client.planUpload(V2, mine);
    await client.applyUpload(plan);
    await expect(client.applyUpload(plan)).rejects.toMatchObject(exists);
    // A start whose answer was lost is not simply sent again.
    registry.inject(async (_request, next) => next().then(() => Response.error()), { route: 'start', times: 1 });
    await expect(client.uploadDirectory(V3, mine)).rejects.toThrow();
    await expect(client.uploadDirectory(V3, mine)).rejects.toMatchObject(exists);
    expect(registry.count({ route: 'start' })).toBe(2);
    expect(await client.listVersions(V1)).toEqual(expect.arrayContaining(['v1', 'v2']));
  });
});

describe('the quota', () => {
  const start = { route: 'start' } as const;

  it('must have room for what is sent: it is said how much there is, before anything is started', async () => {
    const { client, registry, makeFolder } = await createRig(seed);
    await client.setQuota('p', { baseline: 30, growthRate: 0 });
    const mine = await makeFolder('mine', { 'a.txt': 'content of a', new: '123456' });
    await expect(client.uploadDirectory(V2, mine)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/24 bytes are used and 6 more are needed, which must be less than the 30 allowed/),
      details: { project: 'p', used: 24, needed: 6, allowed: 30 },
    });
    expect(registry.count(start)).toBe(0);
    await writeFile(join(mine, 'new'), '12345');
    expect(await client.uploadDirectory(V2, mine)).toMatchObject({ sent: { bytes: 5 }, linked: { bytes: 12 } });
  });

  it('that is full has no room for links alone either', async () => {
    const { client, registry, folder } = await createRig(seed);
    const clone = join(folder, 'clone');
    await client.cloneVersion(V1, clone, { download: false });
    await client.setQuota('p', { baseline: 24, growthRate: 0 });
    await expect(client.uploadDirectory(V2, clone)).rejects.toMatchObject({ code: 'refused', details: { needed: 0 } });
    await expect(client.planUpload(V2, clone)).rejects.toMatchObject({ code: 'refused' });
    expect(registry.count(start)).toBe(0);
    await client.setQuota('p', { baseline: 25 });
    expect(await client.uploadDirectory(V2, clone)).toMatchObject({ published: true });
  });

  it.each<[string, Fault]>([
    ['absent', status(404)],
    ['no JSON', bytes('not JSON')],
    ['of another form', bytes('{"baseline": "much"}')],
    ['not for everybody', status(403)],
  ])('that is %s keeps nobody from publishing', async (_name, fault) => {
    const { client, registry, makeFolder } = await createRig(seed);
    registry.inject(fault, { route: 'file', key: /\.\.(quota|usage)$/ });
    expect(await client.uploadDirectory(V2, await makeFolder('mine', { x: 'x' }))).toMatchObject({ published: true });
  });

  it('is read once', async () => {
    const { client, registry, makeFolder } = await createRig(seed);
    await client.uploadDirectory(V2, await makeFolder('mine', { x: 'x' }));
    expect(registry.count({ key: /\.\.quota$/ })).toBe(1);
    expect(registry.count({ key: /\.\.usage$/ })).toBe(1);
  });
});

it('a file that is larger than any registry takes is refused; no disk holds one to try it with', () => {
  checkFit(V2, [{ path: 'x', size: MAX_FILE_BYTES }]);
  expect(() => checkFit(V2, [{ path: 'x', size: MAX_FILE_BYTES + 1 }])).toThrow(
    expect.objectContaining({ code: 'invalid-tree', message: expect.stringMatching(/^"x" is larger than/) }),
  );
});

it('a name that is too long with the version before it is refused before anything is read', async () => {
  const { client, registry } = await createRig(seed);
  const contents = [{ path: `${'ü'.repeat(250)}/${'x'.repeat(255)}/${'y'.repeat(255)}/1234567`, content: 'x' }];
  await expect(client.uploadContents(V2, contents)).rejects.toMatchObject({
    code: 'invalid-tree',
    message: expect.stringContaining('longer than 1024 bytes'),
  });
  expect(registry.count({ route: 'start' })).toBe(0);
});

describe('a link to a version that is no more', () => {
  /** A rig with a clone of p/a/v1, which is then removed. */
  async function createGone(download: boolean) {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone, { download });
    await rig.client.uploadDirectory(V3, await rig.makeFolder('mine', { other: 'other' }));
    await rig.client.removeVersion(V1);
    return { ...rig, clone };
  }

  it('becomes content if the cache has it', async () => {
    const { client, clone } = await createGone(true);
    expect(await client.uploadDirectory(V2, clone)).toMatchObject({ sent: { files: 2 }, linked: { files: 0 } });
    expect(Object.keys(await client.fetchManifest(V2))).toEqual(['a.txt', 'b.txt']);
  });

  it('is an error if it has not', async () => {
    const { client, clone, registry } = await createGone(false);
    const before = registry.count({ route: 'start' });
    await expect(client.uploadDirectory(V2, clone)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(
        /^"a\.txt" is a link to p\/a\/v1:\/a\.txt, whose content the registry does not have any more/,
      ),
    });
    expect(registry.count({ route: 'start' })).toBe(before);
  });

  it('becomes one to another version with the same content', async () => {
    const { client, clone, makeFolder } = await createGone(false);
    const files = { 'moved.txt': 'content of a', 'b.txt': 'content of b' };
    await client.uploadDirectory({ ...V1, asset: 'other' }, await makeFolder('more', files));
    await client.fetchManifest({ ...V1, asset: 'other' });
    expect(await client.uploadDirectory(V2, clone)).toMatchObject({ sent: { files: 0 }, linked: { files: 2 } });
    expect((await client.fetchManifest(V2))['a.txt']?.link).toMatchObject({ asset: 'other', path: 'moved.txt' });
  });

  it('is found also where another version has taken its name', async () => {
    const { client, clone, makeFolder, connect, folder } = await createGone(true);
    const elsewhere = connect({ cacheDir: join(folder, 'elsewhere') });
    await elsewhere.uploadDirectory(V1, await makeFolder('others', { 'a.txt': 'OTHER CONTENT' }));
    expect(await client.uploadDirectory(V2, clone)).toMatchObject({ sent: { files: 2 }, linked: { files: 0 } });
    const { 'a.txt': a } = await elsewhere.fetchManifest(V2);
    expect(a).toMatchObject({ size: 12 });
  });
});

describe('a version that is made of links to many others', () => {
  const names = Array.from({ length: 9 }, (_, n) => `f${n}`);
  const many = {
    ...Object.fromEntries(names.map((name) => [`p/d/${name}`, { x: `content of ${name}` }])),
    'p/all/v1': Object.fromEntries(names.map((name) => [name, { link: `p/d/${name}:/x` }])),
  };
  const ALL = { project: 'p', asset: 'all', version: 'v1' };

  it.each<[string, (rig: Rig) => Promise<string>]>([
    [
      'links of a clone',
      async ({ client, folder }) =>
        (await client.cloneVersion(ALL, join(folder, 'clone'), { download: false })).destination,
    ],
    [
      'equal files',
      ({ makeFolder }) => makeFolder('mine', Object.fromEntries(names.map((n) => [`${n}.txt`, `content of ${n}`]))),
    ],
  ])('has those asked for a few at once, and each once: %s', async (_what, make) => {
    const rig = await createRig({ versions: many });
    const directory = await make(rig);
    await rig.client.fetchManifest(ALL);
    const { fault, most } = countAtOnce(3);
    const asked = { route: 'file', key: /^p\/d\/f\d\/\.\.summary$/ } as const;
    rig.registry.resetCalls();
    rig.registry.inject(fault, asked);
    const client = rig.connect({ concurrency: 3 });
    const { links } = await client.planUpload({ ...ALL, version: 'v2' }, directory);
    expect(links.map(({ link }) => `${link.version} ${link.path}`)).toEqual(names.map((name) => `v1 ${name}`));
    expect(most()).toBe(3);
    expect(rig.registry.count(asked)).toBe(9);
  });
});

describe('content that is known from the cache', () => {
  /** Versions v1 (a, b), v2 (b alone) and other/1 (c), published in that order; the cache remembers those named. */
  async function createKnown(...remembered: string[]) {
    const versions = {
      'p/a/v1': { 'a.txt': 'content of a', 'b.txt': 'content of b' },
      'p/a/v2': { 'b.txt': 'content of b' },
      'p/other/1': { 'c.txt': 'content of c', 'b.txt': 'content of b' },
      'q/a/1': { 'd.txt': 'content of d' },
    };
    const rig = await createRig({ versions });
    for (const ref of remembered) {
      const [project = '', asset = '', version = ''] = ref.split('/');
      await rig.client.fetchManifest({ project, asset, version });
    }
    const plan = async (files: Record<string, string>, options = {}) => {
      const mine = await rig.makeFolder(`mine-${Math.random()}`, files);
      const { files: sent, links } = await rig.client.planUpload(V3, mine, options);
      return {
        sent: sent.map(({ path }) => path),
        linked: Object.fromEntries(
          links.map(({ path, link: { project, asset, version, path: to } }) => [
            path,
            `${project}/${asset}/${version}/${to}`,
          ]),
        ),
      };
    };
    return { ...rig, plan };
  }

  it.each<[string, string[], Record<string, string>, Record<string, string>]>([
    ['reverted to an older version', ['p/a/v1'], { 'a.txt': 'content of a' }, { 'a.txt': 'p/a/v1/a.txt' }],
    ['reverted and moved', ['p/a/v1'], { 'sub/x': 'content of a' }, { 'sub/x': 'p/a/v1/a.txt' }],
    ['copied from another asset', ['p/other/1'], { x: 'content of c' }, { x: 'p/other/1/c.txt' }],
    ['in many, the latest', ['p/other/1', 'p/a/v1'], { 'b.txt': 'content of b' }, { 'b.txt': 'p/a/v2/b.txt' }],
    ['not remembered', [], { 'a.txt': 'content of a' }, {}],
    ['another project’s', ['q/a/1'], { x: 'content of d' }, {}],
  ])('becomes a link: %s', async (_name, remembered, files, linked) => {
    const { plan } = await createKnown(...remembered);
    const result = await plan(files);
    expect(result.linked).toEqual(linked);
    expect(result.sent).toEqual(Object.keys(files).filter((path) => !(path in linked)));
  });

  it('is linked to the asset’s own versions first, the newest first', async () => {
    const { plan, client, makeFolder, connect, folder } = await createKnown('p/other/1', 'p/a/v1');
    const elsewhere = connect({ cacheDir: join(folder, 'elsewhere') });
    await elsewhere.uploadDirectory({ ...V1, version: 'v9' }, await makeFolder('nine', { x: 'x' }));
    expect((await plan({ f: 'content of b' })).linked).toEqual({ f: 'p/a/v1/b.txt' });
    await client.fetchManifest(V2);
    expect((await plan({ f: 'content of b' })).linked).toEqual({ f: 'p/a/v2/b.txt' });
  });

  it('is linked to another version where the first is gone, and sent where all are', async () => {
    const { plan, client, registry } = await createKnown('p/other/1', 'p/a/v1', 'p/a/v2');
    await client.removeVersion(V2);
    expect((await plan({ f: 'content of b' })).linked).toEqual({ f: 'p/a/v1/b.txt' });
    await client.removeVersion(V1);
    expect((await plan({ f: 'content of b' })).linked).toEqual({ f: 'p/other/1/b.txt' });
    await client.removeVersion({ project: 'p', asset: 'other', version: '1' });
    expect(await plan({ f: 'content of b' })).toEqual({ sent: ['f'], linked: {} });
    registry.resetCalls();
    await plan({ f: 'nothing like it' });
    expect(registry.count({ key: /v\d\/\.\.summary$/ })).toBe(1);
  });

  it('costs one question for each version that is linked to', async () => {
    const { plan, registry } = await createKnown('p/other/1', 'p/a/v1');
    registry.resetCalls();
    const { linked } = await plan({ a: 'content of a', a2: 'content of a', b: 'content of b', c: 'content of c' });
    expect(Object.keys(linked)).toHaveLength(4);
    const asked = registry.calls.filter(({ key }) => key?.endsWith('/..summary')).map(({ key }) => key);
    expect(asked.sort()).toEqual([
      'p/a/v1/..summary',
      'p/a/v2/..summary',
      'p/a/v2/..summary',
      'p/a/v3/..summary',
      'p/other/1/..summary',
    ]);
  });

  it('is sent where only a version on probation has it', async () => {
    const { plan, client, makeFolder } = await createKnown();
    const unsure = { ...V1, version: 'unsure' };
    await client.uploadDirectory(unsure, await makeFolder('unsure', { u: 'unsure' }), { probation: true });
    await client.saveVersion(unsure);
    expect(await plan({ u: 'unsure' })).toEqual({ sent: ['u'], linked: {} });
    await client.approveProbation(unsure);
    await client.saveVersion(unsure);
    expect((await plan({ u: 'unsure' })).linked).toEqual({ u: 'p/a/unsure/u' });
  });

  it('is sent with `deduplicate: false`', async () => {
    const { plan } = await createKnown('p/a/v1');
    expect(await plan({ 'a.txt': 'content of a' }, { deduplicate: false })).toEqual({ sent: ['a.txt'], linked: {} });
  });

  it('is not known from a damaged manifest', async () => {
    const { plan, cacheDir } = await createKnown('p/a/v1');
    const record = join(cacheDir, '.gypsum-client/1/versions/p/a/v1/..manifest');
    await writeFile(record, '{"a.txt": {"md5sum": "f8ee1a6b8ca5bc3b4d4b7bd0fdaf0b28"');
    expect(await plan({ 'a.txt': 'content of a' })).toEqual({ sent: ['a.txt'], linked: {} });
    await rm(record);
    await symlink('nowhere', record);
    expect(await plan({ 'a.txt': 'content of a' })).toEqual({ sent: ['a.txt'], linked: {} });
  });
});
