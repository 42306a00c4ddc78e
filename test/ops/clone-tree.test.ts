import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CloneMode } from '../../src/model/clone-mode.ts';
import type { RecordEntry } from '../../src/model/tree-record.ts';
import { formatTreeRecord } from '../../src/model/tree-record.ts';
import { cloneBy } from '../../src/ops/clone-version.ts';
import { putFile } from '../../src/tree/put-file.ts';
import { readLink } from '../../src/tree/scan.ts';
import { layOut } from '../helpers/files.ts';
import { readFixture, versionFiles } from '../helpers/fixture-tree.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const REF = { project: 'p', asset: 'a', version: 'v' };
const fixture = readFixture('test_symlinks');
const seed = { versions: { 'p/a/v': versionFiles(fixture) } };
const withRecord = (files: Readonly<Record<string, string>>, ...entries: RecordEntry[]) => ({
  versions: { 'p/a/v': { ...files, '.gypsum-tree.json': formatTreeRecord({ entries }) } },
});
const symlink = (path: string, target: string): RecordEntry => ({
  type: 'symlink',
  path,
  target,
  targetType: 'unknown',
});
const receiptsIn = (cacheDir: string) => {
  const folder = join(cacheDir, '.gypsum-client/1/clones');
  return existsSync(folder) ? readdirSync(folder) : [];
};

/** What a clone of the fixture holds, its files as `file` says. */
const laidOut = (file: (path: string, content: string) => string) =>
  Object.fromEntries(
    fixture.flatMap(({ path, type, target, content, size }) => {
      if (type === 'dir') return [];
      return [[path, type === 'symlink' ? `-> ${target}` : file(path, content ?? 'x'.repeat(size ?? 0))]];
    }),
  );

describe('a clone of a version with a tree record', () => {
  it('has a symlink to a folder staged and restored itself, and the folder where there is a slash behind it', async () => {
    const files = { 'dir/x': 'x', 'dir/y': 'y' };
    const { client, folder } = await createRig(withRecord(files, symlink('to-dir', 'dir')));
    const place = join(folder, 'clone');
    await client.cloneVersion(REF, place);
    const link = join(place, 'to-dir');
    expect(await client.stageFiles([link])).toMatchObject({ replaced: 0, left: [{ path: 'to-dir', state: 'own' }] });
    expect(await client.stageFiles([`${link}/`])).toMatchObject({ replaced: 2 });
    writeFileSync(join(place, 'dir/x'), 'mine');
    rmSync(link);
    symlinkSync('./dir', link);
    expect(await client.restoreFiles([link], { force: true })).toMatchObject({ replaced: 1 });
    expect(readLink(link)).toBe('dir');
    expect(readFileSync(join(place, 'dir/x'), 'utf8')).toBe('mine');
    const way = join(folder, 'way');
    symlinkSync(place, way);
    expect(await client.restoreFiles([way])).toMatchObject({ replaced: 1, left: [{ path: 'dir/x' }] });
  });

  it('has its symlinks as they were beside links into the cache, and not the record', async () => {
    const { client, folder, cacheDir } = await createRig(seed);
    const place = join(folder, 'clone');
    const result = await client.cloneVersion(REF, place);
    expect(await readTree(place)).toEqual(laidOut((path) => `-> ${join(cacheDir, 'bucket/p/a/v', path)}`));
    expect(result).toMatchObject({ files: 5, bytes: 456, symlinks: 15, links: { made: 20 }, conflicts: [] });
    expect(result).not.toHaveProperty('leftOut');
    expect(result).not.toHaveProperty('notLaidOut');
    expect(readFileSync(join(place, 'dir_link_link/parent_dir/dir_link/sibling_dir_file.md'), 'utf8')).toBe(
      '= Hello =\n',
    );
    expect(receiptsIn(cacheDir)).toHaveLength(1);
    expect(existsSync(join(cacheDir, 'status/p/a/v/COMPLETE'))).toBe(true);
  });

  it.each<CloneMode>(['copy', 'hardlink'])('has its symlinks as they were as a %s', async (mode) => {
    const { client, folder } = await createRig(seed);
    const place = join(folder, 'clone');
    await client.cloneVersion(REF, place, { mode });
    expect(await readTree(place)).toEqual(laidOut((_, content) => content));
  });

  it('has symlinks that are absolute, lead out or nowhere or to themselves, byte for byte, and nothing behind them is touched', async () => {
    const { client, folder, registry, makeFolder } = await createRig();
    const outside = await makeFolder('outside', { 'file.txt': 'theirs' });
    const texts = {
      absolute: join(outside, 'file.txt'),
      'absolute-dir': outside,
      broken: 'nothing/at/all',
      out: '../outside/file.txt',
      self: 'self',
      slash: 'sub/',
      bytes: 'caf\udce9 \n',
    };
    const entries = Object.entries(texts).map(([path, target]) => symlink(path, target));
    await registry.publish(withRecord({ 'sub/x': 'x' }, ...entries));
    const place = join(folder, 'clone');
    await client.cloneVersion(REF, place);
    for (const [path, target] of Object.entries(texts)) expect(readLink(join(place, path))).toBe(target);
    expect(await readTree(outside)).toEqual({ 'file.txt': 'theirs' });
  });

  it('has its empty folders', async () => {
    const entries: RecordEntry[] = ['empty', 'sub', 'sub/empty/deep'].map((path) => ({ type: 'directory', path }));
    const { client, folder } = await createRig(withRecord({ 'sub/x': 'x' }, ...entries));
    const place = join(folder, 'clone');
    await client.cloneVersion(REF, place);
    expect(readdirSync(place)).toEqual(['empty', 'sub']);
    expect(readdirSync(join(place, 'sub/empty/deep'))).toEqual([]);
  });

  it('of nothing but symlinks and folders is one', async () => {
    const { client, folder } = await createRig(withRecord({}, symlink('l', 'x'), { type: 'directory', path: 'd' }));
    const result = await client.cloneVersion(REF, join(folder, 'clone'));
    expect(result).toMatchObject({ files: 0, bytes: 0, symlinks: 1 });
    expect(readdirSync(join(folder, 'clone'))).toEqual(['d', 'l']);
  });

  it('asks for the documents and the record alone with `download: false`', async () => {
    const { client, folder, cacheDir, registry } = await createRig(seed);
    registry.resetCalls();
    const place = join(folder, 'clone');
    const result = await client.cloneVersion(REF, place, { download: false });
    const names = ['..summary', '..manifest', '.gypsum-tree.json'];
    expect(registry.calls.map(({ key }) => key)).toEqual(names.map((name) => `p/a/v/${name}`));
    expect(await readTree(place)).toEqual(laidOut((path) => `-> ${join(cacheDir, 'bucket/p/a/v', path)}`));
    expect(result.dangling).toEqual({ files: 5, bytes: 456 });
  });

  it('has all symlinks whatever is included; patterns may mean them', async () => {
    const { client, folder } = await createRig(seed);
    const result = await client.cloneVersion(REF, join(folder, 'clone'), { include: ['file_link', 'sub2'] });
    expect(result).toMatchObject({ files: 1, symlinks: 15, leftOut: { files: 4 }, dangling: { files: 4 } });
    expect(Object.keys(await readTree(join(folder, 'clone')))).toHaveLength(20);
    const only = await client.cloneVersion(REF, join(folder, 'links'), { include: ['file_link'] });
    expect(only).toMatchObject({ files: 0, leftOut: { files: 5 } });
    const none = client.cloneVersion(REF, join(folder, 'none'), { include: ['no_link'] });
    await expect(none).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is what the manifest says where the record is stale, and that is told once', async () => {
    const files = { x: 'x', 'l/y': 'y' };
    const { client, folder, events, watch } = await createRig(
      withRecord(files, symlink('l', 'x'), symlink('x', 'y'), { type: 'file', path: 'gone' }, symlink('ok', 'x')),
    );
    const result = await client.cloneVersion(REF, join(folder, 'clone'), watch);
    const paths = ['gone', 'l', 'x'];
    expect(result.notLaidOut?.map(({ path }) => path)).toEqual(paths);
    expect(Object.keys(await readTree(join(folder, 'clone'))).sort()).toEqual(['l/y', 'ok', 'x']);
    expect(events.filter(({ type }) => type === 'left-out')).toEqual([
      { type: 'left-out', ref: REF, entries: result.notLaidOut },
    ]);
  });

  const link = { path: 'l', type: 'symlink', symlink_target: '/etc', symlink_target_type: 'dir' };
  it.each([
    ['damaged', '{"gypsum-tree":1,'],
    ['of a newer form', '{"gypsum-tree":2,"entries":[]}'],
    ['one that leads out of the folder', { ...link, path: '../l' }],
    ['one with something below a symlink', { path: 'l/passwd', type: 'file' }],
    ['one with an empty target', { ...link, path: 'e', symlink_target: '' }],
    ['one that names itself', { ...link, path: '.gypsum-tree.json' }],
  ])('is refused if that is %s, and nothing is written', async (_what, wrong) => {
    const record = typeof wrong === 'string' ? wrong : JSON.stringify({ 'gypsum-tree': 1, entries: [link, wrong] });
    const { client, folder, cacheDir } = await createRig({
      versions: { 'p/a/v': { x: 'x', '.gypsum-tree.json': record } },
    });
    for (const download of [true, false]) {
      await expect(client.cloneVersion(REF, join(folder, 'new/clone'), { download })).rejects.toMatchObject({
        code: 'invalid-manifest',
        message: expect.stringContaining('p/a/v'),
      });
    }
    expect(existsSync(join(folder, 'new'))).toBe(false);
    expect(receiptsIn(cacheDir)).toEqual([]);
    expect(existsSync(join(cacheDir, 'bucket/p/a/v/x'))).toBe(false);
  });

  it('is not made through a symlink that stands in its folder, and names what is in the way', async () => {
    const { client, makeFolder } = await createRig(
      withRecord({ 'sub/x': 'x', top: 't' }, symlink('l', 'top'), symlink('sub/l', 'x'), {
        type: 'directory',
        path: 'empty/deep',
      }),
    );
    const outside = await makeFolder('outside', {});
    const place = await makeFolder('clone', { l: 'mine' });
    symlinkSync(outside, join(place, 'sub'));
    symlinkSync(outside, join(place, 'empty'));
    const { conflicts } = await client.cloneVersion(REF, place, { merge: true });
    expect(conflicts).toEqual(['empty', 'l', 'sub/l', 'sub/x']);
    expect(readdirSync(outside)).toEqual([]);
    expect(readFileSync(join(place, 'l'), 'utf8')).toBe('mine');
    expect(readFileSync(join(place, 'top'), 'utf8')).toBe('t');
  });

  it('is taken back as a whole if some of it cannot be made', async () => {
    const { client, folder, cacheDir } = await createRig(seed);
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    let links = 0;
    const symlinkUntil = () => {
      if (++links > 3) throw full;
    };
    const put = {
      ...putFile,
      symlink: (target: string, path: string, toFolder?: boolean) => {
        symlinkUntil();
        putFile.symlink(target, path, toFolder);
      },
    };
    const failing = cloneBy(put, client.context, REF, join(folder, 'new/clone'), { mode: 'copy' });
    await expect(failing).rejects.toBe(full);
    expect(existsSync(join(folder, 'new'))).toBe(false);
    expect(receiptsIn(cacheDir)).toEqual([]);
  });

  it('has no symlinks where those are refused, as on Windows, and says so', async () => {
    const { client, folder, events, watch } = await createRig(seed);
    const refuse = () => {
      throw Object.assign(new Error('refused'), { code: 'EPERM' });
    };
    const place = join(folder, 'clone');
    const result = await cloneBy({ ...putFile, symlink: refuse }, client.context, REF, place, watch);
    const left = fixture.filter(({ type }) => type === 'symlink').map(({ path }) => path);
    expect(result.notLaidOut?.map(({ path }) => path)).toEqual(left);
    expect(result.notLaidOut?.[0]?.why).toContain('EPERM');
    expect(events.filter(({ type }) => type === 'left-out')).toHaveLength(1);
    expect(result.mode).not.toBe('symlink');
    expect(Object.keys(await readTree(place))).toEqual(expect.not.arrayContaining(left));
    expect(lstatSync(join(place, 'realfile.txt')).isFile()).toBe(true);
  });

  it('keeps what could not be made when it is published, until it can be, and somebody deletes it', async () => {
    const { client, folder } = await createRig(seed);
    const refuse = () => {
      throw Object.assign(new Error('refused'), { code: 'EPERM' });
    };
    const place = join(folder, 'clone');
    await cloneBy({ ...putFile, symlink: refuse }, client.context, REF, place, {});
    expect(await client.cloneStatus(place)).toMatchObject({ clean: true, entries: [] });
    expect(await client.putTree({ project: 'p', asset: 'a' }, `${place}/`, { delete: true })).toMatchObject({
      changes: [],
    });
    expect(
      await client.putTree({ project: 'p', asset: 'a' }, `${place}/sub/`, { path: '/sub', delete: true }),
    ).toMatchObject({
      changes: [],
    });
    const next = { ...REF, version: 'next' };
    expect(await client.uploadDirectory(next, place, { ifChanged: true })).toMatchObject({ published: false });

    writeFileSync(join(place, 'file_link'), 'mine');
    const { changes } = await client.putTree({ project: 'p', asset: 'a' }, `${place}/`, { delete: true, dryRun: true });
    expect(changes.map(({ sign, path }) => `${sign} ${path}`)).toEqual(['* file_link']);

    await client.restoreFiles([place], { force: true });
    expect(readlinkSync(join(place, 'dir_link'))).toBe('sub');
    rmSync(join(place, 'dir_link'));
    expect((await client.cloneStatus(place)).entries).toMatchObject([{ path: 'dir_link', state: 'deleted' }]);
  });

  it('tells Windows what its symlinks lead to', async () => {
    const { client, folder } = await createRig(seed);
    const kinds: Record<string, unknown> = {};
    const symlinkNoting = (target: string, path: string, toFolder?: boolean) => {
      kinds[path.slice(folder.length + 7)] = toFolder;
      putFile.symlink(target, path, toFolder);
    };
    await cloneBy({ ...putFile, symlink: symlinkNoting }, client.context, REF, join(folder, 'clone'), {});
    expect(kinds).toMatchObject({ dir_link: true, file_link: false });
    expect(kinds['broken_rel_link.txt']).toBe(false);
  });

  it('applies the permissions of files in copies, whatever the umask is', async () => {
    const modes = { a: 0o755, b: 0o666, c: 0o400 };
    const entries = Object.entries(modes).map(([path, mode]): RecordEntry => ({ type: 'file', path, mode }));
    const { client, folder } = await createRig(withRecord({ a: 'a', b: 'b', c: 'c' }, ...entries));
    const place = join(folder, 'clone');
    await client.cloneVersion(REF, place, { mode: 'copy' });
    for (const [path, mode] of Object.entries(modes)) expect(lstatSync(join(place, path)).mode & 0o777).toBe(mode);
  });

  it('is the tree with absolute symlinks that it was made of', async () => {
    const { client, folder, registry } = await createRig();
    const source = join(folder, 'abs_symlinks');
    layOut(source, {
      subdir: 'folder/',
      absolute_link_to_dir: { link: join(source, 'subdir') },
      'file.txt': 'Some data',
      'absolute_link_to_file.txt': { link: join(source, 'file.txt') },
    });
    await registry.publish(
      withRecord(
        { 'file.txt': 'Some data' },
        { type: 'directory', path: 'subdir' },
        symlink('absolute_link_to_dir', join(source, 'subdir')),
        symlink('absolute_link_to_file.txt', join(source, 'file.txt')),
      ),
    );
    const place = join(folder, 'clone');
    await client.cloneVersion(REF, place, { mode: 'copy' });
    expect(await readTree(place)).toEqual(await readTree(source));
    expect(readdirSync(place)).toEqual(readdirSync(source));
  });
});
