import { chmod, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { createClient } from '../../src/index.ts';
import { createRig } from '../helpers/rig.ts';

/** Threads are started from what is built. */
const built = pathToFileURL(join(import.meta.dirname, '../../dist/src/index.js')).href;
const { createClient: create } = (await import(built)) as { createClient: typeof createClient };

/** Long names make a large manifest of few files. */
const LONG = ['x', 'y', 'z'].map((letter) => letter.repeat(240)).join('/');
const pathOf = (at: number) => `d${at % 7}/${LONG}/${at}`;

async function createClone(many: number, extra: Readonly<Record<string, string>> = {}) {
  const files = Object.fromEntries(Array.from({ length: many }, (_, at) => [pathOf(at), `content ${at}`]));
  const rig = await createRig({ versions: { 'p/a/v1': { ...files, ...extra } } });
  const { registry, cacheDir, stateDir } = rig;
  const client = create({ url: registry.url, token: registry.token, cacheDir, stateDir });
  onTestFinished(() => client.close());
  const clone = join(rig.folder, 'clone');
  await client.cloneVersion({ project: 'p', asset: 'a', version: 'v1' }, clone);
  let threads = 0;
  const count = () => void threads++;
  process.on('worker', count);
  onTestFinished(() => void process.off('worker', count));
  return { ...rig, client, clone, threads: () => threads };
}

const THREADS = availableParallelism() > 1 ? 1 : 0;
const MANY = 650;

describe('a clone of many files', () => {
  it('is read by two threads, and what was changed is found', async () => {
    const { client, clone, cacheDir, threads } = await createClone(MANY);
    expect(await client.cloneStatus(clone)).toMatchObject({ clean: true, states: { linked: { files: MANY } } });
    expect(threads()).toBe(THREADS);

    const [edited, gone, removed, replaced, other] = [0, 1, 2, 3, 4].map(pathOf) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const cached = (path: string) => join(cacheDir, 'bucket/p/a/v1', path);
    await chmod(cached(edited), 0o644);
    await writeFile(cached(edited), 'CONTENT 0');
    await rm(cached(gone));
    for (const path of [removed, replaced, other]) await rm(join(clone, path));
    await writeFile(join(clone, replaced), 'mine');
    await symlink(cached(pathOf(5)), join(clone, other));
    await writeFile(join(clone, 'new'), 'new');
    const { entries, states } = await client.cloneStatus(clone);
    expect(Object.fromEntries(entries.map(({ path, state }) => [path, state]))).toEqual({
      [edited]: 'edited',
      [gone]: 'dangling',
      [removed]: 'deleted',
      [replaced]: 'modified',
      [other]: 'retargeted',
      new: 'added',
    });
    expect(states.linked.files).toBe(MANY - 5);
    await expect(client.prepareDirectoryUpload(clone)).rejects.toMatchObject({
      code: 'invalid-tree',
      details: { edited: [edited] },
    });
    expect(threads()).toBe(3 * THREADS);
  });

  it('is prepared by two threads', async () => {
    const { client, clone, threads } = await createClone(MANY);
    const { files, links } = await client.prepareDirectoryUpload(clone);
    expect(files).toEqual([]);
    expect(links.map(({ path }) => path)).toHaveLength(MANY);
    expect(links.every(({ path, link }) => path === link.path)).toBe(true);
    expect(threads()).toBe(THREADS);
  });

  it('is read by one where an ignore file says what is not read', async () => {
    const { client, clone, threads } = await createClone(MANY);
    await writeFile(join(clone, '.gypsumignore'), 'd0\n');
    expect(await client.cloneStatus(clone)).toMatchObject({ ignored: 1, clean: false });
    expect(threads()).toBe(0);
  });

  it('is left when that is wanted, and nothing goes on', async () => {
    const { client, clone } = await createClone(MANY);
    const stop = new AbortController();
    const reason = new Error('enough');
    const onEvent = () => stop.abort(reason);
    await expect(client.cloneStatus(clone, { signal: stop.signal, onEvent })).rejects.toBe(reason);
  });
});

it('a clone of few files is read by one thread', async () => {
  const { client, clone, threads } = await createClone(300);
  expect(await client.cloneStatus(clone)).toMatchObject({ clean: true });
  expect(threads()).toBe(0);
});
