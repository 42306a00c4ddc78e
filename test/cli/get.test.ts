import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { formatTreeRecord, TREE_RECORD } from '../../src/model/tree-record.ts';
import { startCli } from '../helpers/cli.ts';
import { layOut } from '../helpers/files.ts';
import { readFixture, versionFiles } from '../helpers/fixture-tree.ts';
import { withoutPrivileges } from '../helpers/privileges.ts';
import { createRig } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

async function createCommand(files = versionFiles(readFixture('testdata'))) {
  const { registry, cacheDir, folder } = await createRig({ versions: { 'p/a/v': files } });
  const dest = join(folder, 'dest');
  mkdirSync(dest);
  const environment = { GYPSUM_URL: registry.url, GYPSUM_CACHE_DIR: cacheDir };
  const get = (words: string[], prefix: readonly string[] = []) =>
    startCli(['get', ...words], environment, { cwd: dest, prefix }).end();
  return { dest, get };
}

it('get copies a version into the current folder, and a file of it under its name', async () => {
  const { dest, get } = await createCommand();
  expect(await get(['p/a/v'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Got 8 files, .*: .*\/dest\n$/),
  });
  expect(Object.keys(treeShape(dest))).toHaveLength(11);
  expect(await get(['p/a:/subfolder/sub2.md', '--json'])).toMatchObject({ code: 0 });
  expect(treeShape(dest)).toMatchObject({ 'sub2.md': 'sub2' });
});

it('get says where nobody can be asked which flag says what is to become of a file that is in the way', async () => {
  const { dest, get } = await createCommand();
  layOut(dest, { 'test.md': 'mine', subfolder: 'mine' });
  expect(await get(['p/a/v'])).toMatchObject({ code: 15, stderr: expect.stringContaining('--exists') });
  expect(Object.keys(treeShape(dest))).toHaveLength(2);
  const { code, stdout, stderr } = await get(['p/a/v', '--exists', 'preserve']);
  expect(code).toBe(0);
  expect(stdout).toContain('Were there before: 1 (overwritten: 0, preserved: 1).');
  expect(stderr).toContain('Skipped: "subfolder" is there, and no folder.');
});

it.skipIf(withoutPrivileges === undefined)(
  'get --preserve gives folders that nobody may write to their modes last',
  async () => {
    const record = formatTreeRecord({
      entries: [
        { type: 'directory', path: 'd', mode: 0o000 },
        { type: 'file', path: 'd/run.sh', mode: 0o751 },
      ],
    });
    const { dest, get } = await createCommand({ 'd/run.sh': 'x', [TREE_RECORD]: record });
    expect(await get(['p/a/v', '--preserve'], withoutPrivileges)).toMatchObject({ code: 0 });
    expect(lstatSync(join(dest, 'd')).mode & 0o777).toBe(0);
    chmodSync(join(dest, 'd'), 0o755);
    expect(lstatSync(join(dest, 'd/run.sh')).mode & 0o777).toBe(0o751);
  },
);
