import { chmodSync, utimesSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytes } from '../../mocks/index.ts';
import { readTree } from '../../src/index.ts';
import { loadTree } from '../../src/ops/load-tree.ts';
import { layOut } from '../helpers/files.ts';
import { readFixture, versionFiles } from '../helpers/fixture-tree.ts';
import { createRig } from '../helpers/rig.ts';

const REF = { project: 'p', asset: 'a', version: 'v' };
const seed = { versions: { 'p/a/v': versionFiles(readFixture('test_symlinks')) } };
const record = (...entries: unknown[]) => JSON.stringify({ 'gypsum-tree': 1, entries });
const link = { path: 'l', type: 'symlink', symlink_target: 'x', symlink_target_type: 'file' };

describe('the tree of a version', () => {
  it('has its symlinks and folders, and not the record that they come from', async () => {
    const { client } = await createRig(seed);
    const { ref, entries, stale } = await client.readTree(REF);
    expect(ref).toEqual(REF);
    expect(stale).toEqual([]);
    const types = { file: 'file', dir: 'directory', symlink: 'symlink' };
    expect(entries).toEqual(
      readFixture('test_symlinks').map(({ path, type, size, target, target_type: targetType }) => ({
        type: types[type],
        path,
        ...(type === 'file' && { size, digest: expect.any(Object) }),
        ...(type === 'symlink' && { target, targetType }),
      })),
    );
  });

  it('takes the manifest and the record, and no other content', async () => {
    const { registry, client } = await createRig(seed);
    registry.resetCalls();
    await client.readTree({ project: 'p', asset: 'a' });
    const asked = registry.calls.map(({ key }) => key);
    const version = ['..summary', '..manifest', '.gypsum-tree.json'].map((name) => `p/a/v/${name}`);
    expect(asked).toEqual(['p/a/..latest', ...version]);

    await client.readTree(REF);
    expect(registry.calls).toHaveLength(asked.length);
  });

  it('is its files and their folders where it has no record', async () => {
    const { client } = await createRig({ versions: { 'p/a/v': { 'a/b': 'x' } } });
    expect((await client.readTree(REF)).entries).toMatchObject([{ path: 'a' }, { path: 'a/b', size: 1 }]);
    expect(await loadTree(client.context, REF, {})).not.toHaveProperty('record');
  });

  it('is what the version’s files say where its record contradicts them', async () => {
    const files = { x: 'x', 'l/y': 'y', '.gypsum-tree.json': record(link) };
    const { client } = await createRig({ versions: { 'p/a/v': files } });
    const { entries, stale } = await client.readTree(REF);
    expect(entries.map(({ path, type }) => `${type} ${path}`)).toEqual(['directory l', 'file l/y', 'file x']);
    expect(stale).toEqual([{ path: 'l', why: expect.stringContaining('symlink in the tree record') }]);
  });

  it.each([
    ['is damaged', '{"gypsum-tree":1,'],
    ['names a path above the folder', record({ ...link, path: '../l' })],
    ['names an absolute path', record({ ...link, path: '/etc/l' })],
    ['is not UTF-8', Buffer.from(record({ ...link, path: 'caf\xe9' }), 'latin1')],
    ['has an entry below a symlink', record(link, { path: 'l/x', type: 'dir' })],
  ])('is refused where the record %s', async (_what, text) => {
    const { client } = await createRig({ versions: { 'p/a/v': { x: 'x', '.gypsum-tree.json': text } } });
    const refused = { code: 'invalid-manifest', message: expect.stringContaining('p/a/v') };
    await expect(client.readTree(REF)).rejects.toMatchObject(refused);
  });

  it('is refused where the record is huge, which is not fetched', async () => {
    const { registry, client } = await createRig(seed);
    const manifest = { '.gypsum-tree.json': { size: 2 ** 40, md5sum: 'd41d8cd98f00b204e9800998ecf8427e' } };
    registry.inject(bytes(JSON.stringify(manifest)), { key: 'p/a/v/..manifest' });
    registry.resetCalls();
    await expect(client.readTree(REF)).rejects.toMatchObject({ code: 'invalid-manifest' });
    expect(registry.calls.map(({ key }) => key)).toEqual(['p/a/v/..summary', 'p/a/v/..manifest']);
  });
});

describe('the tree of a folder', () => {
  it('has modes, times, and what symlinks lead to now', async () => {
    const { client, folder } = await createRig();
    const root = join(folder, 'tree');
    layOut(root, {
      'run.sh': 'x',
      empty: 'folder/',
      file: { link: 'run.sh' },
      dir: { link: 'empty/' },
      gone: { link: 'gone' },
    });
    chmodSync(join(root, 'run.sh'), 0o750);
    utimesSync(join(root, 'run.sh'), 1, 1);
    const mtime = expect.stringMatching(/^20\d\d-.*\.\d{9}Z$/);
    expect(await readTree(client.context, root)).toEqual({
      root,
      entries: [
        { type: 'symlink', path: 'dir', target: 'empty/', targetType: 'dir', mtime },
        { type: 'directory', path: 'empty', mode: expect.any(Number), mtime },
        { type: 'symlink', path: 'file', target: 'run.sh', targetType: 'file', mtime },
        { type: 'symlink', path: 'gone', target: 'gone', targetType: 'unknown', mtime },
        { type: 'file', path: 'run.sh', size: 1, mode: 0o750, mtime: '1970-01-01T00:00:01.000000000Z' },
      ],
      stale: [],
    });
    expect(await readdir(folder)).toEqual(['tree']);
  });

  it('is none of a file, or of what is not there', async () => {
    const { client, makeFolder } = await createRig();
    const root = await makeFolder('tree', { file: 'x' });
    const refused = { code: 'invalid-argument' };
    await expect(client.readTree(join(root, 'file'))).rejects.toMatchObject(refused);
    await expect(client.readTree('')).rejects.toMatchObject(refused);
    await expect(client.readTree(join(root, 'nothing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
