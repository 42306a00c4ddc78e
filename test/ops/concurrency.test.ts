import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Client, ContextOptions } from '../../src/index.ts';
import { countAtOnce } from '../helpers/at-once.ts';
import { createRig, md5 } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
/** Of a size of which many are not asked for at once. */
const FILES = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`f${n}`, `${n}`.padEnd(64 * 1024)]));
/** Files of users, not documents. */
const CONTENT = { route: 'file', key: /\/f\d$/ } as const;

type Row = [what: string, client: Partial<ContextOptions>, call: (client: Client, folder: string) => Promise<unknown>];

describe('of many files, so many are transferred at once as is said, and no more', () => {
  it.each<Row>([
    ['the save', {}, (client) => client.saveVersion(V1, { concurrency: 3 })],
    ['the clone', {}, (client, folder) => client.cloneVersion(V1, folder, { concurrency: 3 })],
    ['the client', { concurrency: 3 }, (client) => client.saveVersion(V1)],
    ['the save, not the client', { concurrency: 5 }, (client) => client.saveVersion(V1, { concurrency: 3 })],
  ])('to %s, where they are fetched', async (_what, options, call) => {
    const { registry, connect, folder } = await createRig({ versions: { 'p/a/v1': FILES } });
    const { fault, most } = countAtOnce(3);
    registry.inject(fault, CONTENT);
    await call(connect(options), join(folder, 'clone'));
    expect(most()).toBe(3);
  });

  it.each<Row>([
    ['the upload', {}, (client, folder) => client.uploadDirectory(V2, folder, { concurrency: 3 })],
    ['the client', { concurrency: 3 }, (client, folder) => client.uploadDirectory(V2, folder)],
    [
      'the step that sends',
      {},
      async (client, folder) => {
        const files = Object.entries(FILES).map(([path, text]) => ({ path, size: text.length, md5sum: md5(text) }));
        const session = await client.startUpload(V2, files);
        await client.uploadFiles(session, folder, { concurrency: 3 });
        await client.completeUpload(session);
      },
    ],
  ])('to %s, where they are sent', async (_what, options, call) => {
    const { registry, connect, makeFolder } = await createRig({ projects: { p: {} } });
    const mine = await makeFolder('mine', FILES);
    const { fault, most } = countAtOnce(3);
    registry.inject(fault, { route: 'presign' });
    registry.inject(fault, { route: 'put' });
    await call(connect(options), mine);
    expect(most()).toBe(3);
    expect(await connect().listFiles(V2)).toHaveLength(9);
  });
});
