import { describe, expect, it } from 'vitest';
import { createRig, type Rig } from './rig.ts';

const DAY = 24 * 60 * 60 * 1000;
const lists = async (rig: Rig, prefix: string) =>
  (await (await rig.call('GET', `/list?prefix=${encodeURIComponent(prefix)}&recursive=true`)).json()) as string[];

describe('sweeping', () => {
  it('removes entries of the change log after seven days, and no earlier', async () => {
    const rig = await createRig();
    await rig.publish('v1', { 'x.txt': 'hello' });
    expect(await lists(rig, '..logs/')).toHaveLength(1);

    expect(await rig.registry.sweep({ now: Date.now() + 6.9 * DAY })).toEqual({ logs: 0, locks: [] });
    expect(await lists(rig, '..logs/')).toHaveLength(1);

    expect(await rig.registry.sweep({ now: Date.now() + 7.1 * DAY })).toEqual({ logs: 1, locks: [] });
    expect(await lists(rig, '..logs/')).toEqual([]);
    expect(await rig.json('p/a/v1/..summary')).toMatchObject({ upload_finish: expect.any(String) });
  });

  it('aborts an upload that nobody goes on with, and nothing else', async () => {
    const rig = await createRig();
    await rig.publish('v1', { 'x.txt': 'hello' });
    const before = await lists(rig, 'p/');
    const started = await rig.start('v2', { 'y.txt': 'world' });
    await rig.send(started, { 'y.txt': 'world' });

    const later = { now: Date.now() + 2 * DAY };
    expect((await rig.registry.sweep({ ...later, sessionTtl: 3 * DAY })).locks).toEqual([]);
    expect((await rig.registry.sweep({ ...later, sessionTtl: DAY })).locks).toEqual([
      { project: 'p', outcome: 'aborted' },
    ]);
    expect(await lists(rig, 'p/')).toEqual(before);
    const late = await rig.call('POST', started.complete_url, { token: started.session_token });
    expect(late.status).toBe(403);
    await rig.publish('v2', { 'y.txt': 'world' });
  });

  it('leaves an upload alone of which a file has come lately', async () => {
    const rig = await createRig();
    const started = await rig.start('v1', { 'x.txt': 'hello', 'y.txt': 'world' });
    const begun = Date.now();
    await expect.poll(() => Date.now()).toBeGreaterThan(begun + 50);
    await rig.send(started, { 'x.txt': 'hello' });

    // The lock is older than the time that is given, the file is not.
    const options = { now: Date.now(), sessionTtl: Date.now() - begun - 25 };
    expect((await rig.registry.sweep(options)).locks).toEqual([]);
    await rig.send(started, { 'y.txt': 'world' });
    const answer = await rig.call('POST', started.complete_url, { token: started.session_token });
    expect(answer.status).toBe(200);
  });

  it('leaves an upload alone of which a file is arriving', async () => {
    const rig = await createRig();
    const started = await rig.start('v1', { 'x.txt': 'hello' });
    const { url, md5sum_base64 } = await rig.address(started, 'x.txt');
    let finish: () => void = () => {};
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('hel'));
        finish = () => {
          controller.enqueue(Buffer.from('lo'));
          controller.close();
        };
      },
    });
    const request = new Request(new URL(url, 'http://registry.test'), {
      method: 'PUT',
      headers: { 'content-md5': md5sum_base64 },
      body,
      duplex: 'half',
    } as RequestInit);
    const sending = rig.registry.fetch(request);
    await expect.poll(() => body.locked).toBe(true);

    const later = { now: Date.now() + 2 * DAY, sessionTtl: DAY };
    expect((await rig.registry.sweep(later)).locks).toEqual([]);
    finish();
    expect((await sending).status).toBe(200);
    expect((await rig.registry.sweep(later)).locks).toHaveLength(1);
  });

  it('is done by an open registry from time to time', async () => {
    const rig = await createRig({ sessionTtl: 20 });
    await rig.start('v1', { 'x.txt': 'hello' });
    await expect.poll(() => rig.swept.flatMap(({ locks }) => locks)).toEqual([{ project: 'p', outcome: 'aborted' }]);
    expect(await lists(rig, 'p/a/')).toEqual([]);
  });
});
