import { describe, expect, it } from 'vitest';
import { createRig, type Rig, type Started } from './rig.ts';

const lock = async (rig: Rig) => (await rig.call('GET', '/lock/p')).json();
const keys = async (rig: Rig) => (await rig.call('GET', '/list?prefix=p%2F&recursive=true')).json();

describe('a lock', () => {
  it('says since when and whose it is, and for what', async () => {
    const rig = await createRig();
    expect(await lock(rig)).toEqual({ locked: false });
    const before = Date.now();
    await rig.start('v1', { 'x.txt': 'hello' });
    const { since, ...rest } = (await lock(rig)) as { since: string };
    expect(rest).toEqual({ locked: true, work: 'upload', asset: 'a', version: 'v1', user: 'owner' });
    expect(Date.parse(since)).toBeGreaterThanOrEqual(before - 10);
    expect(Date.parse(since)).toBeLessThanOrEqual(Date.now() + 10);

    const refused = await rig.call('POST', '/upload/start/p/a/v2', { token: 'owner', body: { files: [] } });
    expect(await refused.json()).toEqual({
      status: 'error',
      reason: `Project 'p' is locked by an upload of "owner" since ${since}.`,
    });
    expect((await rig.call('GET', '/lock/nope')).status).toBe(404);
  });

  it('is released by the owner, with all that the upload has sent', async () => {
    const rig = await createRig();
    const before = await keys(rig);
    const started = await rig.start('v1', { 'x.txt': 'hello' });
    await rig.send(started, { 'x.txt': 'hello' });
    const answer = await rig.call('POST', '/release/p', { token: 'owner' });
    expect(await answer.json()).toEqual({ released: true });
    expect(await keys(rig)).toEqual(before);
    expect((await rig.call('POST', started.complete_url, { token: started.session_token })).status).toBe(403);
    await rig.publish('v1', { 'x.txt': 'hello' });
    expect(await (await rig.call('POST', '/release/p', { token: 'owner' })).json()).toEqual({ released: false });
  });

  it('is released by whose upload it is, and by nobody else who is no owner', async () => {
    const rig = await createRig();
    const permissions = { uploaders: [{ id: 'uploader' }, { id: 'nobody' }] };
    await rig.call('PUT', '/permissions/p', { token: 'owner', body: permissions });
    const start = () => rig.call('POST', '/upload/start/p/a/v1', { token: 'uploader', body: { files: [] } });
    expect((await start()).status).toBe(200);
    expect((await rig.call('POST', '/release/p', { token: 'nobody' })).status).toBe(403);
    expect((await rig.call('POST', '/release/p')).status).toBe(401);
    expect(await lock(rig)).toMatchObject({ locked: true, user: 'uploader' });
    expect((await rig.call('POST', '/release/p', { token: 'uploader' })).status).toBe(200);
    expect(await lock(rig)).toEqual({ locked: false });
    expect((await rig.call('POST', '/release/nope', { token: 'admin' })).status).toBe(404);
  });

  it('is dropped by an administrator, and leaves the version for a removal', async () => {
    const rig = await createRig();
    const started = await rig.start('v1', { 'x.txt': 'hello' });
    await rig.send(started, { 'x.txt': 'hello' });
    expect((await rig.call('DELETE', '/unlock/p', { token: 'admin' })).status).toBe(200);
    expect(await keys(rig)).toContain('p/a/v1/x.txt');
    expect((await rig.call('DELETE', '/remove/p/a/v1', { token: 'admin' })).status).toBe(200);
    expect(await rig.json('p/..usage')).toEqual({ total: 0 });
    await rig.publish('v1', { 'x.txt': 'hello' });
    expect(await rig.json('p/..usage')).toEqual({ total: 5 });
  });
});

describe('equal files of one upload', () => {
  const start = (rig: Rig, version: string, files: readonly object[]) =>
    rig.call('POST', `/upload/start/p/a/${version}`, { token: 'owner', body: { files } });
  const hello = { size: 5, md5sum: '5d41402abc4b2a76b9719d911017c592' };

  it('are sent once, and the others link to that one', async () => {
    const rig = await createRig();
    const answer = await start(rig, 'v1', [
      { type: 'dedup', path: 'a.txt', ...hello },
      { type: 'dedup', path: 'dir/b.txt', ...hello },
      { type: 'simple', path: 'z.txt', ...hello },
    ]);
    const started = (await answer.json()) as Started;
    expect(started.file_urls.map(({ path }: { path: string }) => path)).toEqual(['z.txt']);
    await rig.send(started, { 'z.txt': 'hello' });
    expect((await rig.call('POST', started.complete_url, { token: started.session_token })).status).toBe(200);
    const link = { project: 'p', asset: 'a', version: 'v1', path: 'z.txt' };
    expect(await rig.json('p/a/v1/..manifest')).toEqual({
      'z.txt': hello,
      'a.txt': { ...hello, link },
      'dir/b.txt': { ...hello, link },
    });
    expect(await rig.json('p/a/v1/dir/..links')).toEqual({ 'b.txt': link });
    expect(await rig.json('p/..usage')).toEqual({ total: 5 });
  });

  it('link to the latest version rather, where that has them too', async () => {
    const rig = await createRig();
    await rig.publish('v1', { 'old.txt': 'hello' });
    const answer = await start(rig, 'v2', [
      { type: 'dedup', path: 'a.txt', ...hello },
      { type: 'simple', path: 'z.txt', ...hello },
    ]);
    expect(answer.status).toBe(200);
    expect(await rig.json('p/a/v2/..links')).toEqual({
      'a.txt': { project: 'p', asset: 'a', version: 'v1', path: 'old.txt' },
    });
  });

  it.each([
    ['removed', undefined],
    ['made again with another content', 'HELLO'],
  ])('are sent where the latest version links to one that was %s', async (_, content) => {
    const rig = await createRig();
    const startB = async (version: string, file: object) =>
      (await rig
        .call('POST', `/upload/start/p/b/${version}`, { token: 'owner', body: { files: [{ path: 'x.txt', ...file }] } })
        .then((answer) => answer.json())) as Started;
    await rig.publish('v1', { 'x.txt': 'hello' });
    const link = { project: 'p', asset: 'a', version: 'v1', path: 'x.txt' };
    const { complete_url, session_token: token } = await startB('v1', { type: 'link', link });
    expect((await rig.call('POST', complete_url, { token })).status).toBe(200);
    expect((await rig.call('DELETE', '/remove/p/a/v1', { token: 'admin' })).status).toBe(200);
    if (content !== undefined) await rig.publish('v1', { 'x.txt': content });
    const { file_urls } = await startB('v2', { type: 'dedup', ...hello });
    expect(file_urls.map(({ path }) => path)).toEqual(['x.txt']);
    expect(await rig.json('p/b/v2/..manifest')).toEqual({ 'x.txt': hello });
  });
});
