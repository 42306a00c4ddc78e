import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MockRegistry } from '../../mocks/index.ts';
import { createRig, md5, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const seed = { versions: { 'p/a/v1': { 'x.txt': 'content of x' } } };

/** Asks as a client would that knows no better. */
async function ask<T>(registry: MockRegistry, method: string, to: string, token?: string, document?: unknown) {
  const answer = await fetch(new URL(to, registry.url), {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(document !== undefined && { body: JSON.stringify(document) }),
  });
  if (!answer.ok) throw new Error(`${method} ${to}: ${await answer.text()}`);
  const text = await answer.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

interface Presigned {
  readonly url: string;
  readonly md5sum_base64: string;
}

interface Session {
  readonly session_token: string;
  readonly complete_url: string;
  readonly abort_url: string;
}

/** Starts the upload of a version, and leaves it. */
function start(registry: MockRegistry, version: string, files: readonly unknown[] = []) {
  return ask<Session>(registry, 'POST', `/upload/start/p/a/${version}`, registry.token, { files });
}

/** Gets leave to put something in a version that its session has not announced, and gives what puts it. */
async function presignForged(
  registry: MockRegistry,
  version: string,
  { session_token }: Session,
  path: string,
  content: string,
) {
  const slug = Buffer.from(JSON.stringify(['p', 'a', version, path, md5(content)])).toString('base64url');
  const presign = () => ask<Presigned>(registry, 'POST', `/upload/presigned-file/${slug}.forged`, session_token);
  // The first one has expired.
  await presign();
  const { url, md5sum_base64 } = await presign();
  return async () => {
    const put = await fetch(url, { method: 'PUT', body: content, headers: { 'content-md5': md5sum_base64 } });
    expect(put.status).toBe(200);
  };
}

async function forge(...what: Parameters<typeof presignForged>) {
  await (await presignForged(...what))();
}

async function leaveUnfinished(registry: MockRegistry, version: string, content = '01234') {
  const file = { type: 'simple', path: 'y', size: content.length, md5sum: md5(content) };
  await forge(registry, version, await start(registry, version, [file]), 'y', content);
  await ask(registry, 'DELETE', '/unlock/p', registry.token);
}

it('dates of any form are the moments that they say', async () => {
  const { client, registry } = await createRig(seed, 'public');
  const until = new Date('2031-02-03T04:05:06.000Z');
  await client.setPermissions('p', { uploaders: [{ id: 'bob', until }] });
  const sent = await ask<object>(registry, 'GET', '/file/p%2F..permissions');
  expect(JSON.stringify(sent)).toContain('2031-02-02T23:05:06-05:00');
  expect((await client.fetchPermissions('p')).uploaders).toEqual([{ id: 'bob', until }]);
  const { uploadStart, uploadFinish } = await client.fetchSummary(V1);
  const took = Number(uploadFinish?.getTime()) - uploadStart.getTime();
  expect([took >= 0, took < 60_000]).toEqual([true, true]);
});

it('whoever is given permissions has them at once, and who has lost them by a removal is told so by no success', async () => {
  const { client, registry, connect } = await createRig(seed, 'public');
  const bob = connect({ token: await registry.addUser('bob') });
  await client.abortUpload(await client.startUpload(V2, []));
  await expect(bob.startUpload(V2, [])).rejects.toMatchObject({ code: 'forbidden' });
  await client.setPermissions('p', { uploaders: [{ id: 'bob' }] });
  await bob.abortUpload(await bob.startUpload(V2, []));
  await client.removeProject('p');
  await expect(bob.startUpload(V2, [])).rejects.toMatchObject({ code: 'unavailable' });
});

it('what was put after the end of its session is no version, and in the way of none', async () => {
  const { client, registry, makeFolder } = await createRig(seed, 'public');
  const session = await start(registry, 'v2');
  const put = await presignForged(registry, 'v2', session, 'late', 'late');
  await ask(registry, 'POST', session.abort_url, session.session_token);
  await put();
  await expect(client.fetchManifest(V2)).rejects.toMatchObject({ code: 'not-found' });
  await expect(client.saveVersion(V2)).rejects.toMatchObject({ code: 'not-found' });
  await client.uploadDirectory(V2, await makeFolder('mine', { y: 'y' }));
  expect(await client.saveVersion(V2)).toMatchObject({ files: 1 });
});

describe('documents that a session has forged', () => {
  it.each([
    ['names outside of the version', { '../../x': { size: 1, md5sum: md5('x') } }, 'invalid-manifest'],
    ['a digest that is none', { x: { size: 1, md5sum: 'none' } }, 'invalid-manifest'],
    ['other content', { x: { size: 1, md5sum: md5('y') } }, 'wrong-content'],
    ['what is not there', { z: { size: 1, md5sum: md5('z') } }, 'not-found'],
  ])('with %s bring nothing into a cache or a clone', async (_what, manifest, code) => {
    const { client, registry, folder, cacheDir } = await createRig(seed, 'public');
    const session = await start(registry, 'v2', []);
    await forge(registry, 'v2', session, 'x', 'x');
    await forge(registry, 'v2', session, '..manifest', JSON.stringify(manifest));
    const isComplete = await ask(registry, 'POST', session.complete_url, session.session_token).then(
      () => true,
      () => false,
    );
    if (!isComplete) {
      const summary = { upload_user_id: 'admin', upload_start: '2020-01-01', upload_finish: '2020-01-01' };
      await forge(registry, 'v2', session, '..summary', JSON.stringify(summary));
    }
    await expect(client.saveVersion(V2)).rejects.toMatchObject({ code });
    await expect(client.cloneVersion(V2, join(folder, 'clone'))).rejects.toMatchObject({ code });
    expect(await readdir(folder)).not.toContain('clone');
    const cached = await readTree(join(cacheDir, 'bucket')).catch(() => ({}));
    expect(Object.keys(cached).filter((path) => !path.includes('..'))).toEqual([]);
    // What is right is not touched by it.
    await client.saveVersion(V1);
  });
});

describe('a latest version', () => {
  it('that is an upload which was never completed is told of, taken for none, and found again when that is removed', async () => {
    const { client, registry, folder, makeFolder } = await createRig(seed, 'public');
    await leaveUnfinished(registry, 'half');
    await expect(client.refreshLatest(V1)).rejects.toMatchObject({
      code: 'version-unfinished',
      message: expect.stringContaining('p/a/half'),
      hint: expect.stringContaining('gypsum version remove p/a/half'),
    });
    const latest = await client.fetchLatest(V1);
    expect(latest.version).toBe('half');
    await expect(client.cloneVersion(latest, join(folder, 'clone'))).rejects.toMatchObject({
      code: 'version-unfinished',
    });
    const mine = await makeFolder('mine', { y: '01234' });
    expect(await client.uploadDirectory(V2, mine, { ifChanged: true })).toMatchObject({
      published: true,
      sent: { files: 1 },
    });
    await client.removeVersion({ ...V1, version: 'half' });
    expect(await client.refreshLatest(V1)).toEqual(V2);
  });

  it('that stray files keep from being found is told of, and the old one stays', async () => {
    const { client, registry } = await createRig(seed, 'public');
    const session = await start(registry, 'stray');
    const put = await presignForged(registry, 'stray', session, 'y', 'y');
    await ask(registry, 'POST', session.abort_url, session.session_token);
    await put();
    await expect(client.refreshLatest(V1)).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('gypsum versions p/a'),
    });
    expect(await client.fetchLatest(V1)).toEqual(V1);
    expect(await client.listVersions(V1)).toEqual(['stray', 'v1']);
    await client.removeVersion({ ...V1, version: 'stray' });
    expect(await client.refreshLatest(V1)).toEqual(V1);
  });
});

it('a usage that is less than nothing is shown as it is, keeps nobody from publishing, and is mended', async () => {
  const { client, registry, makeFolder } = await createRig(seed, 'public');
  await leaveUnfinished(registry, 'half', 'more than is counted');
  await client.removeVersion({ ...V1, version: 'half' });
  expect(await client.fetchUsage('p')).toBe(-8);
  await client.uploadDirectory(V2, await makeFolder('mine', { y: 'y' }));
  expect(await client.fetchUsage('p')).toBe(-7);
  expect(await client.refreshUsage('p')).toBe(13);
});

describe('a file called __proto__', () => {
  it('is refused before anything is started, also as a link, where it would be lost', async () => {
    const { client, registry, makeFolder } = await createRig(seed, 'public');
    const mine = await makeFolder('mine', { ['__proto__']: 'x' });
    const refusal = { code: 'invalid-tree', details: { path: '__proto__' } };
    await expect(client.uploadDirectory(V2, mine)).rejects.toMatchObject(refusal);
    const linked = [{ path: '__proto__', link: { ...V1, path: 'x.txt' } }];
    await expect(client.uploadContents(V2, linked)).rejects.toMatchObject(refusal);
    expect(registry.count({ route: 'start' })).toBe(0);
    await client.uploadContents(V2, [{ path: 'dir/__proto__', content: 'x' }]);
    expect(Object.keys(await client.fetchManifest(V2))).toEqual(['dir/__proto__']);
  });

  it('is published where the registry takes any name', async () => {
    const { client, makeFolder } = await createRig(seed, {});
    await client.uploadDirectory(V2, await makeFolder('mine', { ['__proto__']: 'x' }));
    expect(Object.keys(await client.fetchManifest(V2))).toEqual(['__proto__']);
  });
});

describe('a link to what every object inherits', () => {
  it('is not made', async () => {
    const { client, registry } = await createRig(seed, 'public');
    const linked = [{ path: 'y', link: { ...V1, path: 'toString' } }];
    await expect(client.uploadContents(V2, linked)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(registry.count({ route: 'start' })).toBe(0);
  });

  it('made by others has its version refused', async () => {
    const { client, registry, folder } = await createRig(seed, 'public');
    const link = { type: 'link', path: 'y', link: { ...V1, path: 'toString' } };
    const session = await start(registry, 'v2', [link]);
    await ask(registry, 'POST', session.complete_url, session.session_token);
    for (const download of [true, false]) {
      await expect(client.cloneVersion(V2, join(folder, 'clone'), { download })).rejects.toMatchObject({
        code: 'invalid-manifest',
        message: expect.stringContaining('"y"'),
      });
    }
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a link with an ancestor that was forged', () => {
  const forged = {
    type: 'link',
    path: 'y',
    link: { ...V1, path: 'x.txt', ancestor: { ...V1, path: 'z', project: 'q' } },
  };

  it('is an error that names it if there is nothing, and brings no bytes but those of its digest', async () => {
    const { client, registry } = await createRig(seed, 'public');
    const session = await start(registry, 'v2', [forged]);
    await ask(registry, 'POST', session.complete_url, session.session_token);
    await expect(client.saveVersion(V2)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('p/a/v2:/y'),
    });
    await registry.publish({ versions: { 'q/a/v1': { z: 'other content' } } });
    await expect(client.saveVersion(V2)).rejects.toMatchObject({ code: 'wrong-content' });
  });

  it('is never sent on by a clone', async () => {
    const versions = { ...seed.versions, 'q/a/v1': { z: 'content of x' } };
    const { client, registry, folder } = await createRig({ versions }, 'public');
    const session = await start(registry, 'v2', [forged]);
    await ask(registry, 'POST', session.complete_url, session.session_token);
    const clone = join(folder, 'clone');
    await client.cloneVersion(V2, clone, { download: false });
    const plan = await client.planUpload({ ...V1, version: 'v3' }, clone);
    expect(plan.links.map(({ link }) => link)).toEqual([{ ...V2, path: 'y' }]);
  });
});

it.each(['', 'no MD5', `${'0'.repeat(31)}g`])(
  'the digest "%s" is refused before anything is started',
  async (md5sum) => {
    const { client, registry } = await createRig(seed, 'public');
    await expect(client.startUpload(V2, [{ path: 'x', size: 1, md5sum }])).rejects.toMatchObject({
      code: 'invalid-argument',
      details: { path: 'x' },
    });
    expect(registry.calls).toEqual([]);
  },
);

it('a file of another size than was said is not sent', async () => {
  const { client, registry, makeFolder } = await createRig(seed, 'public');
  const mine = await makeFolder('mine', { x: 'one' });
  const session = await client.startUpload(V2, [{ path: 'x', size: 2, md5sum: md5('one') }]);
  await expect(client.uploadFiles(session, mine)).rejects.toMatchObject({ code: 'file-changed' });
  await client.abortUpload(session);
  expect(await client.listVersions(V1)).toEqual(['v1']);
  expect(registry.count({ route: 'complete' })).toBe(0);
});

describe('what the latest version has as a link to content that is no more', () => {
  const V3 = { ...V1, version: 'v3' };

  /** A rig with a clone of p/a/v2, which has a link to what is removed then, and published again as something else. */
  async function createGone(download: boolean) {
    const rig = await createRig(seed, 'public');
    await rig.registry.publish({ versions: { 'p/a/v2': { y: { link: 'p/a/v1:/x.txt' }, z: 'z' } } });
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V2, clone, { download });
    await rig.client.removeVersion(V1);
    return { ...rig, clone };
  }

  it.each([
    ['while that is gone', false],
    ['when another one has its name', true],
  ])('is not linked to %s, and everything comes back', async (_when, isTaken) => {
    const { client, registry, connect, clone, folder, makeFolder } = await createGone(true);
    if (isTaken) await registry.publish({ versions: { 'p/a/v1': { 'x.txt': 'something else' } } });
    await makeFolder('clone', { also: 'content of x' });
    expect(await client.uploadDirectory(V3, clone)).toMatchObject({ sent: { files: 2 }, linked: { files: 1 } });
    await connect({ cacheDir: join(folder, 'other') }).cloneVersion(V3, join(folder, 'copy'), { mode: 'copy' });
    expect(await readTree(join(folder, 'copy'))).toEqual({ y: 'content of x', z: 'z', also: 'content of x' });
  });

  it('is an error that names it where the cache does not have it', async () => {
    const { client, registry, clone } = await createGone(false);
    await expect(client.uploadDirectory(V3, clone)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/^"y" is a link to p\/a\/v2:\/y, whose content the registry does not have/),
    });
    expect(registry.count({ route: 'start' })).toBe(0);
  });

  it('does not stand in the way of a file that holds it itself', async () => {
    const { client, clone, makeFolder, registry } = await createGone(true);
    await client.uploadDirectory(V3, clone);
    await client.fetchManifest(V3);
    const mine = await makeFolder('mine', { also: 'content of x' });
    const { links } = await client.planUpload({ ...V1, version: 'v4' }, mine);
    expect(links.map(({ link }) => link)).toEqual([{ ...V3, path: 'y' }]);
    expect(registry.count({ route: 'start' })).toBe(1);
  });
});

it('names that are too long together are refused without a request', async () => {
  const { client, registry } = await createRig(seed, 'public');
  const long = { project: 'p'.repeat(500), asset: 'a'.repeat(500), version: 'v'.repeat(50) };
  const refusal = { code: 'invalid-argument', message: expect.stringMatching(/longer than 1024 bytes/) };
  await expect(client.fetchManifest(long)).rejects.toMatchObject(refusal);
  await expect(client.listFiles(long)).resolves.toEqual([]);
  await expect(client.saveVersion(long)).rejects.toMatchObject(refusal);
  expect(registry.count({ key: /^pp/ })).toBe(0);
});

it('removing from a project that is none says so', async () => {
  const { client } = await createRig(seed, 'public');
  const missing = { code: 'not-found', message: expect.stringContaining('no project nope') };
  await expect(client.removeAsset({ project: 'nope', asset: 'a' })).rejects.toMatchObject(missing);
  await expect(client.removeVersion({ ...V1, project: 'nope' })).rejects.toMatchObject(missing);
  await client.removeVersion({ ...V1, asset: 'nope' });
  await client.removeProject('nope');
});

it('projects with names that no ref can have are not listed, and not made', async () => {
  const { client, registry } = await createRig(seed, 'public');
  for (const name of ['..odd', 'back%5Cslash']) {
    await ask(registry, 'POST', `/create/${name}`, registry.token, {});
    await expect(client.createProject(decodeURIComponent(name))).rejects.toMatchObject({ code: 'invalid-argument' });
  }
  expect(await client.listProjects()).toEqual(['p']);
});

it.each(['.', '..', '..x'])('no request is made for what is called "%s", which may lead elsewhere', async (name) => {
  const { client, registry } = await createRig(seed, 'public');
  const refusal = { code: 'invalid-argument' };
  await expect(client.removeVersion({ ...V1, version: name })).rejects.toMatchObject(refusal);
  await expect(client.removeAsset({ ...V1, asset: name })).rejects.toMatchObject(refusal);
  await expect(client.removeProject(name)).rejects.toMatchObject(refusal);
  await expect(client.saveFile({ ...V1, path: `a/${name}/b` })).rejects.toMatchObject(refusal);
  expect(registry.calls).toEqual([]);
});
