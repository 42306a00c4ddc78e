import { chmod, lstat, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { callCli } from '../helpers/call-cli.ts';
import { createRig } from '../helpers/rig.ts';

const V2 = { project: 'p', asset: 'a', version: 'v2' };

/** A clone of p/a/v1, and the command. */
async function createClone() {
  const rig = await createRig({ versions: { 'p/a/v1': { 'a.txt': 'content of a', 'b.txt': 'content of b' } } });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion({ ...V2, version: 'v1' }, clone);
  vi.stubEnv('GYPSUM_TOKEN', rig.registry.token);
  vi.stubEnv('GYPSUM_STATE_DIR', rig.stateDir);
  onTestFinished(() => void vi.unstubAllEnvs());
  const gypsum = (...argv: string[]) => callCli([...argv, '--registry', rig.registry.url, '--cache', rig.cacheDir]);
  return { ...rig, clone, gypsum };
}

it('--links says what becomes of symlinks', async () => {
  const { gypsum, clone, folder } = await createClone();
  await writeFile(join(folder, 'elsewhere'), 'elsewhere');
  await symlink(join(folder, 'elsewhere'), join(clone, 'c.txt'));
  for (const argv of [
    ['prepare', clone],
    ['upload', clone, 'p/a/v2', '--no-deduplicate', '--dry-run'],
  ]) {
    expect((await gypsum(...argv)).stdout).toContain('\n1 file to send (9 B), 2 to link (24 B)\n');
    expect((await gypsum(...argv, '--links', 'never')).stdout).toContain('\n3 files to send (33 B), 0 to link (0 B)\n');
    expect(await gypsum(...argv, '--links', 'always')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('c.txt is a symlink that leads to no file of a finished version in the cache'),
    });
  }
  expect((await gypsum('upload', clone, 'p/a/v2', '--links', 'never', '--no-deduplicate')).stdout).toBe(
    'Published p/a/v2: 3 files, 33 B; sent 3 (33 B), linked 0 (0 B).\n',
  );
});

it('--symlinks and --follow-links say what becomes of symlinks of the folder’s own', async () => {
  const { gypsum, makeFolder, client } = await createClone();
  const mine = await makeFolder('mine', { 'c.txt': 'c', 'sub/d.txt': 'd' });
  await symlink('c.txt', join(mine, 'link'));
  const commands = [
    ['prepare', mine],
    ['upload', mine, 'p/a/v4', '--dry-run'],
  ];
  for (const argv of commands) expect((await gypsum(...argv)).stdout).toMatch(/ 1 B {2}link\b/);
  expect((await gypsum('prepare', mine, '--symlinks', 'keep')).stdout).toContain(
    '2 files to send (2 B), 0 to link (0 B)\nkept in .gypsum-tree.json: 1 symlink, 1 folder\n',
  );
  expect((await gypsum('upload', mine, 'p/a/v2', '--dry-run', '--symlinks', 'keep')).stdout).toMatch(
    /^2 files to send \(2 B\), 0 to link \(0 B\)\nsymlinks, folders and permissions: in \.gypsum-tree\.json, \d+ B to send\n$/m,
  );
  expect((await gypsum('upload', mine, 'p/a/v2', '--symlinks', 'keep')).stdout).toContain(
    'Published p/a/v2: 2 files, 2 B; sent 2 (2 B), linked 0 (0 B).',
  );
  await writeFile(
    join(mine, '.gypsum-tree.json'),
    await readFile(await client.saveFile({ ...V2, path: '.gypsum-tree.json' })),
  );
  expect((await gypsum('upload', mine, 'p/a/v3', '--if-changed')).stdout).toContain('Nothing has changed');
  for (const argv of commands) {
    expect((await gypsum(...argv, '--follow-links')).stdout).not.toContain('.gypsum-tree.json');
    expect(await gypsum(...argv, '--symlinks', 'refuse')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('link is a symlink, and none is wanted'),
    });
    expect(await gypsum(...argv, '--symlinks', 'keep', '--follow-links')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('contradict each other'),
    });
  }
});

it('--no-deduplicate sends what could be linked', async () => {
  const { gypsum, makeFolder } = await createClone();
  const mine = await makeFolder('mine', { 'a.txt': 'content of a', x: 'x', y: 'x' });
  expect((await gypsum('upload', mine, 'p/a/v2', '--no-deduplicate')).stdout).toBe(
    'Published p/a/v2: 3 files, 14 B; sent 3 (14 B), linked 0 (0 B).\n',
  );
  expect((await gypsum('upload', mine, 'p/a/v3')).stdout).toBe(
    'Published p/a/v3: 3 files, 14 B; sent 0 (0 B), linked 3 (14 B).\n',
  );
});

it('--rescue makes a file of what was edited through its link; without it, that is refused', async () => {
  const { gypsum, clone, client } = await createClone();
  await chmod(join(clone, 'a.txt'), 0o644);
  await writeFile(join(clone, 'a.txt'), 'EDITED');
  expect(await gypsum('upload', clone, 'p/a/v2')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('--rescue'),
  });
  expect(await client.listVersions(V2)).toEqual(['v1']);
  expect((await gypsum('upload', clone, 'p/a/v2', '--rescue')).stdout).toBe(
    'Published p/a/v2: 2 files, 18 B; sent 1 (6 B), linked 1 (12 B).\n',
  );
  expect((await lstat(join(clone, 'a.txt'))).isFile()).toBe(true);
});

it('--probation publishes for an owner to approve', async () => {
  const { gypsum, clone, client } = await createClone();
  expect((await gypsum('upload', clone, 'p/a/v2', '--probation')).code).toBe(0);
  expect(await client.fetchSummary(V2)).toMatchObject({ onProbation: true });
  expect(await client.fetchLatest(V2)).toMatchObject({ version: 'v1' });
});
