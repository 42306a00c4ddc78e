import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lastUsed } from '../../src/cache/last-used.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { readTree } from '../../src/index.ts';
import { loadTree } from '../../src/ops/load-tree.ts';
import { openTree } from '../../src/ops/read-tree.ts';
import { createRig } from '../helpers/rig.ts';

const REF = { project: 'p', asset: 'a', version: 'v' };
const folders = Array.from({ length: 1000 }, (_, at) => ({ path: `folder-${at}`, type: 'dir', mode: '0750' }));
const others = [
  { path: 'file', type: 'file', mode: '0755', mtime: '2026-01-02T03:04:05.123456789Z' },
  { path: 'l', type: 'symlink', symlink_target: 'sub/ä', symlink_target_type: 'file' },
];
const recordOf = (...entries: unknown[]) => JSON.stringify({ 'gypsum-tree': 1, entries });
const files = { file: 'x', 'sub/ä': 'y', '.gypsum-tree.json': recordOf(...folders, ...others) };

/** A version of many entries that was looked into, and looked into again when its documents were in the cache. */
async function createKept(content: Readonly<Record<string, string>> = files) {
  const rig = await createRig({ versions: { 'p/a/v': content } });
  await rig.client.readTree(REF);
  const layout = createLayout(rig.cacheDir);
  const kept = layout.keptTree(REF);
  const manifest = layout.record(REF, 'manifest');
  // The clock has to pass what was written.
  await setTimeout(20);
  const { entries } = await rig.client.readTree(REF);
  const rename = () => writeFileSync(kept, readFileSync(kept, 'utf8').replace('folder-999\0', 'folder-999x\0'));
  const paths = async () => (await rig.client.readTree(REF)).entries.map(({ path }) => path);
  return { ...rig, layout, kept, manifest, entries, rename, paths };
}

describe('what the texts of a version of many entries say', () => {
  it('is kept, and is the same when it is read again', async () => {
    const { client, kept, entries } = await createKept();
    expect(statSync(kept).size).toBeGreaterThan(1000);
    const { tree } = await loadTree(client.context, REF, {});
    expect(entries).toEqual(tree.entries);
    expect(await client.readTree(REF)).toEqual({ ref: REF, ...tree });
  });

  it('is not read again', async () => {
    const { rename, paths } = await createKept();
    rename();
    expect(await paths()).toContain('folder-999x');
  });

  it.each([
    ['manifest', '.gypsum-client/1/versions/p/a/v/..manifest'],
    ['tree record', 'bucket/p/a/v/.gypsum-tree.json'],
  ])('is read again where the %s has changed', async (_what, path) => {
    const { cacheDir, rename, paths } = await createKept();
    rename();
    utimesSync(join(cacheDir, path), 1, 1);
    await setTimeout(20);
    expect(await paths()).toContain('folder-999');
    await setTimeout(20);
    expect(await paths()).toContain('folder-999');
    rename();
    expect(await paths()).toContain('folder-999x');
  });

  it('is used as the texts are, so that the version is kept longer', async () => {
    const { client, layout } = await createKept();
    utimesSync(layout.versionFolder(REF), 1, 1);
    await client.readTree(REF);
    expect(Date.now() - (lastUsed(layout, REF)?.getTime() ?? 0)).toBeLessThan(3_600_000);
  });

  it('is asked for again where that is wanted', async () => {
    const { client, rename } = await createKept();
    rename();
    const { entries } = await readTree(client.context, REF, { overwrite: true });
    expect(entries.map(({ path }) => path)).toContain('folder-999');
  });

  it.each<[string, (kept: string) => unknown]>([
    ['is empty', (kept) => truncateSync(kept)],
    ['ends early', (kept) => truncateSync(kept, statSync(kept).size - 1)],
    ['is nothing but zeros', (kept) => writeFileSync(kept, Buffer.alloc(statSync(kept).size))],
    ['is not UTF-8', (kept) => writeFileSync(kept, Buffer.alloc(100, 0xff))],
    ['is larger than any', (kept) => truncateSync(kept, 2 ** 40)],
    ['is a folder', (kept) => [rmSync(kept), mkdirSync(kept)]],
    ['is a symlink', (kept) => [renameSync(kept, `${kept}-`), symlinkSync(`${kept}-`, kept)]],
  ])('is read from the texts where what was kept %s', async (_what, damage) => {
    const { client, kept, entries } = await createKept();
    damage(kept);
    expect((await client.readTree(REF)).entries).toEqual(entries);
  });

  it('is read from the texts where the cache cannot be written to', async () => {
    const { client, layout, kept, entries } = await createKept();
    rmSync(kept);
    renameSync(layout.incomings, `${layout.incomings}-`);
    writeFileSync(layout.incomings, '');
    expect((await client.readTree(REF)).entries).toEqual(entries);
    expect(() => statSync(kept)).toThrow('ENOENT');
  });

  it('goes with the version', async () => {
    const { client, layout, kept } = await createKept();
    expect(await client.verifyCache()).toMatchObject({ problems: [] });
    await client.removeCached([REF]);
    expect(() => statSync(kept)).toThrow('ENOENT');
    expect(() => statSync(layout.records(REF))).toThrow('ENOENT');
  });

  it('goes also where the documents stay, for a clone', async () => {
    const { client, folder, kept, manifest } = await createKept();
    await client.cloneVersion(REF, join(folder, 'clone'));
    await client.removeCached([REF], { force: true });
    expect(() => statSync(kept)).toThrow('ENOENT');
    expect(statSync(manifest).size).toBeGreaterThan(0);
  });

  it('is not kept of texts that were not there before they were read', async () => {
    const { client, kept } = await createKept();
    rmSync(kept);
    await readTree(client.context, REF, { overwrite: true });
    expect(() => statSync(kept)).toThrow('ENOENT');
  });

  it('leads to the content of its files, those of other versions, too', async () => {
    const { client, layout, makeFolder } = await createKept();
    const folder = await makeFolder('next', { file: 'x', new: 'new' });
    for (const { path } of folders) mkdirSync(join(folder, path));
    const next = { ...REF, version: 'w' };
    await client.putTree(next, `${folder}/`);
    await client.readTree(next);
    await setTimeout(20);
    await client.readTree(next);
    expect(readFileSync(layout.keptTree(next), 'utf8')).toContain('\0ld');
    const { place, tree } = await openTree(client.context, next);
    expect(tree.entries).toHaveLength(1005);
    expect(readFileSync(await place('new'), 'utf8')).toBe('new');
    expect(readFileSync(await place('file'), 'utf8')).toBe('x');
    await expect(place('nothing')).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['of few entries', { ...files, '.gypsum-tree.json': recordOf(...others) }],
    ['with a record that the files contradict', { ...files, 'l/x': 'x' }],
  ])('is not kept of a version %s', async (_what, content) => {
    const { kept } = await createKept(content);
    expect(() => statSync(kept)).toThrow('ENOENT');
  });
});
