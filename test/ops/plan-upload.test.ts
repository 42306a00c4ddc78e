import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Client, UploadPlan } from '../../src/index.ts';
import { createUploadStore } from '../../src/state/upload-store.ts';
import { createRig, md5 } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { 'a.txt': 'content of a', 'b.txt': 'content of b' };
const seed = { versions: { 'p/a/v1': FILES } };

describe('a plan', () => {
  it('says what would be sent and linked, and sends nothing', async () => {
    const { client, makeFolder, registry } = await createRig(seed);
    const mine = await makeFolder('mine', { 'moved.txt': 'content of a', 'new.txt': 'new' });
    expect(await client.planUpload(V2, mine)).toEqual({
      ...V2,
      files: [{ path: 'new.txt', size: 3, md5sum: md5('new'), source: join(mine, 'new.txt') }],
      links: [
        {
          path: 'moved.txt',
          link: { ...V1, path: 'a.txt' },
          size: 12,
          md5sum: md5('content of a'),
          source: join(mine, 'moved.txt'),
        },
      ],
    });
    expect(registry.calls.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('is plain data, which can be kept and applied later', async () => {
    const { client, makeFolder, registry } = await createRig(seed);
    const mine = await makeFolder('mine', { 'moved.txt': 'content of a', 'new.txt': 'new' });
    const plan = JSON.parse(JSON.stringify(await client.planUpload(V2, mine)));
    const result = await client.applyUpload(plan);
    expect(result).toMatchObject({
      published: true,
      files: 2,
      sent: { files: 1, bytes: 3 },
      linked: { files: 1, bytes: 12 },
    });
    expect(registry.count({ route: 'put' })).toBe(1);
  });

  it('is not applied to files that have changed since', async () => {
    const { client, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', { 'new.txt': 'new' });
    const plan = await client.planUpload(V2, mine);
    await writeFile(join(mine, 'new.txt'), 'WEN');
    await expect(client.applyUpload(plan)).rejects.toMatchObject({
      code: 'file-changed',
      hint: expect.stringMatching(/^Make a new plan/),
    });
    expect(await client.listVersions(V1)).toEqual(['v1']);
  });

  it.each<[string, (plan: UploadPlan) => unknown]>([
    ['has a path that climbs', (plan) => ({ ...plan, files: plan.files.map((file) => ({ ...file, path: '../x' })) })],
    ['names a file from here', (plan) => ({ ...plan, files: plan.files.map((file) => ({ ...file, source: 'mine' })) })],
    ['is of no version', (plan) => ({ ...plan, version: '..' })],
    ['is something else', () => ({ files: [], links: [] })],
    ['is nothing', () => null],
  ])('that %s is refused before anybody is asked', async (_what, spoil) => {
    const { client, makeFolder, registry } = await createRig(seed);
    const plan = await client.planUpload(V2, await makeFolder('mine', { 'new.txt': 'new' }));
    registry.resetCalls();
    await expect(client.applyUpload(spoil(plan) as UploadPlan)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/^This is not the plan of an upload: /),
    });
    expect(registry.calls).toEqual([]);
  });

  it.each<[string, string, (client: Client, mine: string) => Promise<unknown>]>([
    ['another has published the version', 'version-exists', (client, mine) => client.uploadDirectory(V2, mine)],
    ['a version is gone that it links to', 'refused', (client) => client.removeVersion(V1)],
  ])('that cannot be applied, since %s, is to be made anew', async (_what, code, meanwhile) => {
    const { client, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', { 'moved.txt': 'content of a', 'new.txt': 'new' });
    const plan = await client.planUpload(V2, mine);
    await meanwhile(client, mine);
    await expect(client.applyUpload(plan)).rejects.toMatchObject({
      code,
      hint: expect.stringMatching(/[Mm]ake a new (one|plan)/),
    });
  });

  it('that meets an upload of one’s own is not to be made anew: that one is gone on with, or ended', async () => {
    const { client, makeFolder, connect, stateDir } = await createRig(seed);
    const plan = await client.planUpload(V2, await makeFolder('mine', { 'new.txt': 'new' }));
    const { id = '' } = await connect().startUpload(V2, []);
    await createUploadStore(stateDir).leave(id, id);
    await expect(client.applyUpload(plan)).rejects.toMatchObject({
      code: 'version-exists',
      hint: expect.stringMatching(/gypsum uploads resume p\/a\/v2/),
    });
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['the same files', FILES, true],
    ['one more', { ...FILES, 'c.txt': 'c' }, false],
    ['one less', { 'a.txt': 'content of a' }, false],
    ['another content', { ...FILES, 'b.txt': 'CONTENT OF B' }, false],
    ['contents that changed places', { 'a.txt': 'content of b', 'b.txt': 'content of a' }, false],
    ['another name', { 'a.txt': 'content of a', 'c.txt': 'content of b' }, false],
  ])('knows whether %s would be published again', async (_name, files, same) => {
    const { client, makeFolder } = await createRig(seed);
    const plan = await client.planUpload(V2, await makeFolder('mine', files));
    expect(plan.unchangedSince).toEqual(same ? V1 : undefined);
  });
});

describe('`ifChanged`', () => {
  it('publishes nothing when nothing has changed, and says since when', async () => {
    const { client, folder, registry } = await createRig(seed);
    const clone = join(folder, 'clone');
    await client.cloneVersion(V1, clone, { download: false });
    for (const deduplicate of [true, false]) {
      const result = await client.uploadDirectory(V2, clone, { ifChanged: true, deduplicate });
      expect(result).toMatchObject({ ...V1, published: false, files: 2, bytes: 24, sent: { files: 0 } });
    }
    expect(registry.count({ method: 'POST' })).toBe(0);
    await writeFile(join(clone, 'more.txt'), 'more');
    expect(await client.uploadDirectory(V2, clone, { ifChanged: true })).toMatchObject({ ...V2, published: true });
  });

  it('publishes the first version of an asset', async () => {
    const { client, makeFolder } = await createRig({ projects: { p: {} } });
    const mine = await makeFolder('mine', FILES);
    expect(await client.uploadDirectory(V1, mine, { ifChanged: true })).toMatchObject({ published: true });
  });
});

describe('`wait`', () => {
  it('starts when the other upload to the project has ended', async () => {
    const { client, makeFolder, events } = await createRig(seed);
    const other = await client.startUpload({ ...V1, asset: 'other' }, []);
    const onEvent = (event: (typeof events)[number]) => {
      events.push(event);
      if (event.type === 'wait') void client.abortUpload(other);
    };
    const result = await client.uploadDirectory(V2, await makeFolder('mine', { x: 'x' }), { wait: true, onEvent });
    expect(result.published).toBe(true);
    expect(events.filter(({ type }) => type === 'wait')).toEqual([
      { type: 'wait', for: 'project-lock', ref: V2, error: expect.objectContaining({ code: 'project-locked' }) },
    ]);
  });

  it('ends when the other upload was of the same version', async () => {
    const { client, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', { x: 'x' });
    const plan = await client.planUpload(V2, mine);
    const other = await client.startUpload({ ...V1, asset: 'other' }, []);
    const waiting = client.applyUpload(plan, {
      wait: true,
      onEvent: (event) => {
        if (event.type !== 'wait') return;
        void client.abortUpload(other).then(() => client.uploadDirectory(V2, mine));
      },
    });
    await expect(waiting).rejects.toMatchObject({ code: 'version-exists' });
  });

  it('can be aborted', async () => {
    const { client, makeFolder } = await createRig(seed);
    await client.startUpload({ ...V1, asset: 'other' }, []);
    const stop = new AbortController();
    const reason = new Error('enough');
    const mine = await makeFolder('mine', { x: 'x' });
    const onEvent = (event: { type: string }) => {
      if (event.type === 'wait') stop.abort(reason);
    };
    await expect(client.uploadDirectory(V2, mine, { wait: true, signal: stop.signal, onEvent })).rejects.toBe(reason);
  });
});
