import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatTreeRecord, type RecordEntry } from '../../src/model/tree-record.ts';
import { readFixture, shapeOf, versionFiles } from '../helpers/fixture-tree.ts';
import { createRig } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

const REF = { project: 'p', asset: 'a', version: 'v' };
const fixture = readFixture('test_symlinks');
const hasTar = spawnSync('tar', ['--version']).status === 0;
const symlink = (path: string, target: string): RecordEntry => ({
  type: 'symlink',
  path,
  target,
  targetType: 'unknown',
});
const ofRecord = (files: Readonly<Record<string, string>>, ...entries: RecordEntry[]) => ({
  ...files,
  '.gypsum-tree.json': formatTreeRecord({ entries }),
});

async function createClone(files: Readonly<Record<string, string>>, mode: 'symlink' | 'copy' | 'hardlink' = 'symlink') {
  const rig = await createRig({ versions: { 'p/a/v': files } });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(REF, clone, { mode });
  const dest = join(rig.folder, 'out/dest');
  return { ...rig, clone, dest, export: (to = dest) => rig.client.exportClone(clone, to) };
}

const modeOf = (path: string) => lstatSync(path).mode & 0o777;

describe('an exported clone of a version with a tree record', () => {
  it.each(['symlink', 'copy', 'hardlink'] as const)('of mode %s is the tree that was published', async (mode) => {
    const { dest, ...rig } = await createClone(versionFiles(fixture), mode);
    const result = await rig.export();
    expect(treeShape(dest)).toEqual(shapeOf(fixture));
    expect(result).toMatchObject({ files: 5, symlinks: 15, changes: { unchanged: { files: 5 } } });
    for (const { path, type } of fixture) if (type === 'file') expect(lstatSync(join(dest, path)).isFile()).toBe(true);
  });

  it('has empty folders, absolute and odd symlinks, and nothing is written behind them', async () => {
    const { dest, folder, ...rig } = await createClone(
      ofRecord(
        { x: 'x' },
        { type: 'directory', path: 'empty/deep' },
        symlink('abs', '/mnt/bucket/p/a/v/x'),
        symlink('out', '../../..'),
        symlink('self', 'self'),
      ),
    );
    await rig.export();
    const expected = {
      x: 'x',
      empty: '/',
      'empty/deep': '/',
      abs: '-> /mnt/bucket/p/a/v/x',
      out: '-> ../../..',
      self: '-> self',
    };
    expect(treeShape(dest)).toEqual(expected);
    expect(readdirSync(join(folder, 'out'))).toEqual(['dest']);
  });

  it('is the clone as it stands: with symlinks and folders that were changed, added and deleted', async () => {
    const { clone, dest, ...rig } = await createClone(versionFiles(fixture));
    for (const path of ['file_link', 'dir_link']) rmSync(join(clone, path));
    symlinkSync('sub/readme.md', join(clone, 'file_link'));
    symlinkSync('realfile.txt', join(clone, 'mine'));
    mkdirSync(join(clone, 'empty'));
    await rig.export();
    const { dir_link: _, ...rest } = shapeOf(fixture);
    expect(treeShape(dest)).toEqual({ ...rest, file_link: '-> sub/readme.md', mine: '-> realfile.txt', empty: '/' });
  });

  it('has the permissions of the version, of files that were changed their own', async () => {
    const entries: RecordEntry[] = [
      { type: 'file', path: 'run', mode: 0o755 },
      { type: 'file', path: 'secret', mode: 0o400 },
      { type: 'file', path: 'changed', mode: 0o400 },
      { type: 'directory', path: 'shut', mode: 0o555 },
      { type: 'file', path: 'shut/open', mode: 0o666 },
    ];
    const files = { run: 'r', secret: 's', changed: 'c', 'shut/open': 'o' };
    const { client, clone, dest, folder, ...rig } = await createClone(ofRecord(files, ...entries));
    await client.stageFiles([join(clone, 'secret'), join(clone, 'changed')]);
    writeFileSync(join(clone, 'changed'), 'new');
    chmodSync(join(clone, 'changed'), 0o755);
    await rig.export();
    const modes = { run: 0o755, secret: 0o400, changed: 0o755 & ~process.umask(), shut: 0o555, 'shut/open': 0o666 };
    for (const [path, mode] of Object.entries(modes)) expect([path, modeOf(join(dest, path))]).toEqual([path, mode]);
    if (hasTar) {
      const tar = join(folder, 'out/all.tar');
      await rig.export(tar);
      const listed = execFileSync('tar', ['-tvf', tar], { encoding: 'utf8' });
      expect(listed).toMatch(/^dr-xr-xr-x .* shut\/$/m);
      expect(listed).toMatch(/^-rw-rw-rw- .* shut\/open$/m);
      expect(listed).toMatch(/^-r-------- .* secret$/m);
    }
    chmodSync(join(dest, 'shut'), 0o755);
  });

  it('of copies has the permissions that its files have by now', async () => {
    const files = ofRecord({ x: 'x', y: 'y' }, { type: 'file', path: 'x', mode: 0o640 }, symlink('l', 'x'));
    const { clone, dest, ...rig } = await createClone(files, 'copy');
    chmodSync(join(clone, 'y'), 0o750);
    await rig.export();
    expect([modeOf(join(dest, 'x')), modeOf(join(dest, 'y'))]).toEqual([0o640, 0o750]);
  });

  it.runIf(hasTar)('is the same as a tar file, with symlinks of any length', async () => {
    const long = `${'x'.repeat(200)}/ü`;
    const files = versionFiles([...fixture, { path: 'long', type: 'symlink', target: long, target_type: 'unknown' }]);
    const { folder, ...rig } = await createClone(files);
    const tar = join(folder, 'out/all.tar');
    const { symlinks } = await rig.export(tar);
    expect(symlinks).toBe(16);
    const unpacked = join(folder, 'unpacked');
    mkdirSync(unpacked);
    execFileSync('tar', ['-xf', tar, '-C', unpacked]);
    expect(treeShape(unpacked)).toEqual({ ...shapeOf(fixture), long: `-> ${long}` });
  });

  it('may be of a folder in it whose symlinks lead to the version’s files above', async () => {
    const { client, clone, folder } = await createClone(ofRecord({ x: 'x', 'sub/y': 'y' }, symlink('sub/up', '../x')));
    await client.exportClone(join(clone, 'sub'), join(folder, 'sub'));
    expect(treeShape(join(folder, 'sub'))).toEqual({ up: '-> ../x', y: 'y' });
  });

  it('is no tar file if the text of a symlink is not UTF-8, and a folder all the same', async () => {
    const { dest, folder, ...rig } = await createClone(ofRecord({ x: 'x' }, symlink('l', 'caf\udce9')));
    await expect(rig.export(join(folder, 'out/all.tar'))).rejects.toMatchObject({ code: 'destination-refused' });
    expect(existsSync(join(folder, 'out'))).toBe(false);
    await rig.export();
    expect(readdirSync(dest).sort()).toEqual(['l', 'x']);
  });

  it('is all or nothing', async () => {
    const { clone, folder, ...rig } = await createClone(versionFiles(fixture));
    symlinkSync(join(folder, 'cache/bucket/p/a/v9/x'), join(clone, 'wrong'));
    await expect(rig.export()).rejects.toMatchObject({ code: 'invalid-tree' });
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });
});

it('a symlink to elsewhere is an error still in a clone of a version without a tree record', async () => {
  const { clone, ...rig } = await createClone({ x: 'x' });
  symlinkSync('/nowhere', join(clone, 'l'));
  await expect(rig.export()).rejects.toMatchObject({ code: 'invalid-tree' });
});

it('a folder in a clone is exported with the symlinks and permissions that it has there', async () => {
  const files = ofRecord({ 'sub/run': 'r' }, { type: 'file', path: 'sub/run', mode: 0o700 }, symlink('sub/l', '../x'));
  const { client, clone, dest } = await createClone(files);
  await client.exportClone(join(clone, 'sub'), dest);
  expect(treeShape(dest)).toEqual({ run: 'r', l: '-> ../x' });
  expect(modeOf(join(dest, 'run'))).toBe(0o700);
  expect(readFileSync(join(dest, 'run'), 'utf8')).toBe('r');
});
