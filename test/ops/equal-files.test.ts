import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeCall } from '../../mocks/calls.ts';
import type { MockRegistryOptions } from '../../mocks/index.ts';
import { createRig, md5, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };

it('equal files of one upload are sent once, and come back as all of them', async () => {
  const { client, registry, folder, makeFolder, connect } = await createRig();
  await client.createProject('p');
  const files = { 'one.txt': 'the same', 'dir/two.txt': 'the same', 'three.txt': 'another' };
  const root = await makeFolder('new', files);
  const sources = Object.entries(files).map(([path, content]) => ({
    path,
    size: content.length,
    md5sum: md5(content),
  }));
  const session = await client.startUpload(V1, sources);
  await client.uploadFiles(session, (path) => join(root, path));
  await client.completeUpload(session);
  expect(registry.calls.filter(({ route }) => route === 'put')).toHaveLength(2);

  const reader = connect({ cacheDir: join(folder, 'other-cache') });
  await reader.saveVersion(V1);
  const clone = join(folder, 'clone');
  await reader.cloneVersion(V1, clone);
  for (const [path, content] of Object.entries(files)) expect(await readFile(join(clone, path), 'utf8')).toBe(content);

  // Both of the links lead on: the next version is links alone.
  const plan = await reader.planUpload({ ...V1, version: 'v2' }, clone);
  expect(plan.files).toEqual([]);
});

describe('equal files of a folder', () => {
  const FILES = { 'sub/a': 'the same', a: 'the same', b: 'other', z: 'the same', empty: '', nothing: '' };

  /** A registry, a folder with equal files, and how many bytes of content it is sent. */
  async function open(oddities?: MockRegistryOptions['oddities']) {
    const rig = await createRig({ projects: { p: {} } }, oddities);
    const sent: Record<string, number> = {};
    rig.registry.inject(
      async (request, next) => {
        const answer = await next();
        const { key = '' } = describeCall(request);
        if (answer.ok) sent[key] = Number(request.headers.get('content-length'));
        return answer;
      },
      { route: 'put' },
    );
    return { ...rig, sent, mine: await rig.makeFolder('mine', FILES) };
  }

  /** What the version is for somebody who has nothing of it. */
  async function readBack({ connect, folder }: Awaited<ReturnType<typeof open>>) {
    const { directory } = await connect({ cacheDir: join(folder, 'other') }).saveVersion(V1);
    const { '..manifest': _, '..summary': __, ...tree } = await readTree(directory);
    return tree;
  }

  const ALL = {
    'p/a/v1/sub/a': 8,
    'p/a/v1/a': 8,
    'p/a/v1/b': 5,
    'p/a/v1/z': 8,
    'p/a/v1/empty': 0,
    'p/a/v1/nothing': 0,
  };

  it('are sent once where the registry takes that, and are links to the one', async () => {
    const rig = await open({});
    const plan = await rig.client.planUpload(V1, rig.mine);
    expect(plan.files.map(({ path }) => path)).toEqual(['a', 'b', 'empty']);
    expect(plan.links.map(({ path, link }) => [path, link])).toEqual([
      ['nothing', { ...V1, path: 'empty' }],
      ['sub/a', { ...V1, path: 'a' }],
      ['z', { ...V1, path: 'a' }],
    ]);
    const result = await rig.client.applyUpload(JSON.parse(JSON.stringify(plan)));
    expect(result).toMatchObject({
      files: 6,
      bytes: 29,
      sent: { files: 3, bytes: 13 },
      linked: { files: 3, bytes: 16 },
    });
    expect(rig.sent).toEqual({ 'p/a/v1/a': 8, 'p/a/v1/b': 5, 'p/a/v1/empty': 0 });
    expect((await rig.client.fetchManifest(V1))['sub/a']).toEqual({
      size: 8,
      md5sum: md5('the same'),
      link: { ...V1, path: 'a' },
    });
    expect(await readBack(rig)).toEqual(FILES);
  });

  it.each<[string, MockRegistryOptions['oddities']]>([
    ['does not say that it takes that', { noExtras: true }],
    ['is as the public one', 'public'],
  ])('are all sent where the registry %s', async (_name, oddities) => {
    const rig = await open(oddities);
    const { files, links } = await rig.client.planUpload(V1, rig.mine);
    expect([files.length, links.length]).toEqual([6, 0]);
    expect(await rig.client.uploadDirectory(V1, rig.mine)).toMatchObject({ sent: { files: 6, bytes: 29 } });
    expect(rig.sent).toEqual(ALL);
    expect(await readBack(rig)).toEqual(FILES);
  });

  it('are all sent where that is wanted, also where the latest version has them', async () => {
    const rig = await open({});
    for (const version of ['v1', 'v2']) {
      const ref = { ...V1, version };
      const result = await rig.client.uploadDirectory(ref, rig.mine, { deduplicate: false });
      expect(result).toMatchObject({ sent: { files: 6, bytes: 29 }, linked: { files: 0 } });
    }
    expect(Object.keys(rig.sent)).toHaveLength(12);
  });

  it('are sent where the registry wants them all the same: a plan may be old, and the registry another', async () => {
    const rig = await open({});
    const plan = await rig.client.planUpload(V1, rig.mine);
    rig.registry.inject(
      async (request, next) => {
        const { url, method, headers, signal } = request;
        const body = (await request.text()).replaceAll('"dedup"', '"simple"');
        headers.delete('content-length');
        return next(new Request(url, { method, headers, signal, body }));
      },
      { route: 'start' },
    );
    expect(await rig.client.applyUpload(plan)).toMatchObject({
      files: 6,
      sent: { files: 6, bytes: 29 },
      linked: { files: 0 },
    });
    expect(rig.sent).toEqual(ALL);
    expect(await readBack(rig)).toEqual(FILES);
  });

  it('that are not equal any more when they are published are found', async () => {
    const { client, registry, mine } = await open({});
    const plan = await client.planUpload(V1, mine);
    await writeFile(join(mine, 'z'), 'not same');
    await expect(client.applyUpload(plan)).rejects.toMatchObject({
      code: 'file-changed',
      details: { source: join(mine, 'z') },
    });
    expect(registry.count({ route: 'start' })).toBe(0);
  });

  it('count once against the quota', async () => {
    const { client, mine } = await open({});
    await client.setQuota('p', { baseline: 14, growthRate: 0 });
    expect(await client.uploadDirectory(V1, mine)).toMatchObject({ sent: { bytes: 13 } });
  });

  it('are asked about only where there are any', async () => {
    const { client, registry, mine, makeFolder } = await open({});
    await client.planUpload(V1, await makeFolder('unlike', { a: 'a', b: 'b' }));
    expect(registry.count({ route: 'list' })).toBe(0);
    await client.planUpload(V1, mine);
    expect(registry.count({ route: 'list' })).toBe(1);
  });

  it('are resumed like all others', async () => {
    const rig = await open({});
    rig.registry.inject(async () => Response.error(), { route: 'presign', key: /\/b$/ });
    rig.registry.inject(async () => Response.error(), { route: 'abort' });
    const broken = rig.connect({ retries: 0, concurrency: 1 }).uploadDirectory(V1, rig.mine);
    await expect(broken).rejects.toMatchObject({ code: 'unavailable' });
    rig.registry.clearFaults();
    expect(await rig.client.resumeUpload(V1)).toMatchObject({ files: 6, sent: { files: 2 }, linked: { files: 3 } });
    expect(await readBack(rig)).toEqual(FILES);
  });
});
