import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callCli } from '../helpers/call-cli.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const seed = {
  versions: {
    'p/a/v1': { one: '1', two: '22' },
    'p/a/v2': { one: { link: 'p/a/v1:/one' }, three: '333' },
  },
};

/** Runs a command against a rig. */
const run = ({ registry, cacheDir }: Rig, ...argv: string[]) =>
  callCli([...argv, '--registry', registry.url, '--cache', cacheDir]);

const said = (stdout: string) => ({ code: 0, stdout, stderr: '' });

describe('an empty cache', () => {
  it('is told as such', async () => {
    const rig = await createRig();
    expect(await run(rig, 'cache', 'ls')).toEqual(said('The cache is empty.\n'));
    expect(await run(rig, 'cache', 'du')).toEqual(said('all contents: 0 B\n'));
    expect(await run(rig, 'cache', 'path')).toEqual(said(`${rig.cacheDir}\n`));
    expect(await run(rig, 'cache', 'ls', 'p')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('gypsum: The cache has nothing of p.\n'),
    });
  });
});

it('a site cache that is named by its flag is looked into first', async () => {
  const rig = await createRig(seed);
  const site = join(rig.folder, 'site');
  await rig.connect({ cacheDir: site }).saveVersion({ project: 'p', asset: 'a', version: 'v1' });
  rig.registry.resetCalls();
  expect(await run(rig, 'cache', 'path', '--site', '--site-cache', site)).toEqual(said(`${site}\n`));
  expect(await run(rig, 'path', 'p/a/v1', '--site-cache', site)).toEqual(said(`${join(site, 'bucket/p/a/v1')}\n`));
  expect(rig.registry.calls).toEqual([]);
});

describe('a cache with something in it', () => {
  it('is listed and measured', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await run(rig, 'clone', 'p/a/v1', clone);
    await run(rig, 'save', 'p/a/v2');
    const today = (await rig.client.listCache())[0]?.lastUsed?.toISOString().slice(0, 10);
    expect(await run(rig, 'cache', 'ls')).toEqual(
      said(
        [
          'version  files  size  state     last used   clones',
          `p/a/v1       2   3 B  complete  ${today}  ${clone}`,
          `p/a/v2       2   4 B  complete  ${today}`,
          '',
        ].join('\n'),
      ),
    );
    expect(await run(rig, 'cache', 'du', 'p/a')).toEqual(
      said(
        [
          '        files  size  on disk  only here',
          'p/a         4   7 B      6 B        6 B',
          'p/a/v1      2   3 B      3 B        2 B',
          'p/a/v2      2   4 B      4 B        3 B',
          'all contents: 6 B',
          '',
        ].join('\n'),
      ),
    );
    const { stdout } = await run(rig, 'cache', 'ls', '--json');
    expect(JSON.parse(stdout)).toMatchObject([
      { version: 'v1', files: 2, complete: true, lastUsed: expect.stringMatching(/Z$/), clones: [{ state: 'found' }] },
      { version: 'v2' },
    ]);
  });

  it('is pruned: what would go is said, and what keeps what', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await run(rig, 'clone', 'p/a/v1', clone);
    await run(rig, 'save', 'p/a/v2');
    const today = (await rig.client.listCache())[0]?.lastUsed?.toISOString().slice(0, 10);
    expect(await run(rig, 'cache', 'prune', '--unused', '--dry-run')).toEqual(
      said(
        [
          `Would remove p/a/v2: 2 files, 4 B, last used ${today}`,
          `Would keep p/a/v1: the clone ${clone} needs it`,
          'Would remove 1 version, 1 content of no version: 3 B. Would leave: 3 B.',
          '',
        ].join('\n'),
      ),
    );
    expect(await run(rig, 'cache', 'prune')).toEqual(
      said('Removed 0 versions, 0 contents of no version: 0 B. Left: 6 B.\n'),
    );
    expect((await run(rig, 'cache', 'prune', '--older-than', '90d', '--max-size', '1GB')).code).toBe(0);
    expect((await run(rig, 'cache', 'prune', '--older-than', 'long')).code).toBe(2);
    const { stdout } = await run(rig, 'cache', 'prune', 'p/a', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      versions: [{ project: 'p', asset: 'a', version: 'v2', files: 2, bytes: 4 }],
      kept: [{ version: 'v1', keptBy: [{ type: 'clone', destination: clone, state: 'found' }] }],
      freed: 3,
      dryRun: false,
    });
  });

  it('is listed for the folder of a clone', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await run(rig, 'clone', 'p/a/v1', clone);
    await run(rig, 'save', 'p/a/v2');
    const { stdout } = await run(rig, 'cache', 'ls', clone, '--json');
    expect(JSON.parse(stdout)).toMatchObject([{ version: 'v1' }]);
    expect((await run(rig, 'cache', 'du', clone)).stdout).not.toContain('v2');
  });

  it('with many clones is listed a clone a line, and pruned with few lines', async () => {
    const rig = await createRig(seed);
    const clones = Array.from({ length: 8 }, (_, at) => join(rig.folder, `clone-${at}`));
    for (const clone of clones) await run(rig, 'clone', 'p/a/v1', clone);
    await run(rig, 'save', 'p/a/v2');
    const listed = async (...scopes: string[]) =>
      (await run(rig, 'cache', 'ls', ...scopes)).stdout
        .split('\n')
        .map((line) => line.replace(/^p\/a\/v1.*\d /, '').trim());
    expect(await listed('p/a/v1')).toEqual([expect.stringContaining('clones'), ...clones, '']);
    expect((await listed()).slice(1, 7)).toEqual([...clones.slice(0, 5), 'and 3 more']);
    const { stdout } = await run(rig, 'cache', 'prune', 'p/a/v1', '--dry-run');
    expect(stdout.match(/^Would keep p\/a\/v1: the clone .* needs it$/gm)).toHaveLength(5);
    expect(stdout).toContain('Would keep p/a/v1: 3 more clones need it\n');
  });

  it('says of a clone that cannot be found how to have it found or forgotten', async () => {
    const rig = await createRig(seed);
    await run(rig, 'clone', 'p/a/v1', join(rig.folder, 'clone'));
    await run(rig, 'clone', 'p/a/v2', join(rig.folder, 'clone-2'));
    await rm(join(rig.folder, 'clone'), { recursive: true });
    await rm(join(rig.folder, 'clone-2'), { recursive: true });
    const hint = /Of a clone that cannot be found: .*gypsum relink FOLDER.*gypsum cache prune --forget-missing/g;
    const { stdout } = await run(rig, 'cache', 'prune', '--unused', '--dry-run');
    expect(stdout.match(hint)).toHaveLength(1);
    expect((await run(rig, 'cache', 'rm', 'p')).stderr.match(hint)).toHaveLength(1);
    expect((await run(rig, 'cache', 'prune', '--unused', '--forget-missing')).stdout).not.toMatch(hint);
  });

  it('says once of a receipt that cannot be read which it is, and how to get out of it', async () => {
    const rig = await createRig(seed);
    const [clone, clones] = [join(rig.folder, 'clone'), join(rig.cacheDir, '.gypsum-client/1/clones')];
    await run(rig, 'clone', 'p/a/v1', clone);
    await run(rig, 'save', 'p/a/v2');
    const [name = ''] = await readdir(clones);
    await writeFile(join(clones, name), '{"project"');
    const { stdout } = await run(rig, 'cache', 'prune', '--unused');
    expect(stdout).toContain(
      `Kept p/a/v1, p/a/v2: the receipt ${join(clones, name)} cannot be read: its clone may need it\n`,
    );
    expect(stdout.match(/gypsum relink FOLDER/g)).toHaveLength(1);
    await run(rig, 'relink', clone);
    expect((await run(rig, 'cache', 'prune', '--unused')).stdout).toContain('Removed p/a/v2');
  });

  it('says of copies that they need nothing of what goes', async () => {
    const rig = await createRig(seed);
    const copy = join(rig.folder, 'copy');
    await run(rig, 'clone', 'p/a/v1', copy, '--mode', 'copy');
    const { stdout } = await run(rig, 'cache', 'prune', '--unused', '--dry-run');
    expect(stdout).toContain(`\n  Clones of copies stay as they are, and can be published: ${copy}\n`);
  });

  it('is removed, what a clone needs only by force', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await run(rig, 'clone', 'p/a/v1', clone);
    expect(await run(rig, 'cache', 'rm', 'p/a/v1')).toEqual({
      code: 16,
      stdout: '',
      stderr: expect.stringContaining(`since it is in use:\n  p/a/v1: the clone ${clone} needs it\nRemove the clones`),
    });
    expect((await run(rig, 'cache', 'rm', 'p', '--force')).stdout).toContain('Removed 1 version, 2 contents');
    expect((await run(rig, 'cache', 'rm')).code).toBe(2);
  });

  it('is verified and repaired; while something is wrong, the exit code says so', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    await run(rig, 'clone', 'p/a/v1', clone);
    expect(await run(rig, 'cache', 'verify')).toEqual(said('1 version with 2 files (3 B), 0 problems\n'));
    const file = join(rig.cacheDir, 'bucket/p/a/v1/one');
    await chmod(file, 0o644);
    await writeFile(file, 'my edit');
    expect(await run(rig, 'cache', 'verify', 'p')).toEqual({
      code: 12,
      stdout: [
        `wrong-content  ${file} has 7 bytes, and must have 1; it is ${clone}/one`,
        '1 version with 2 files (3 B), 1 problem',
        '',
      ].join('\n'),
      stderr: [
        `gypsum: 1 problem found in ${rig.cacheDir}.`,
        'Repair it with "gypsum cache verify --repair": nothing is thrown away.',
        '',
      ].join('\n'),
    });
    const json = await run(rig, 'cache', 'verify', '--deep', '--json');
    expect(json.code).toBe(12);
    expect(JSON.parse(json.stdout)).toMatchObject({
      versions: 1,
      problems: [{ fault: 'wrong-content', path: file, file: 'one', size: 7, clones: [join(clone, 'one')] }],
    });
    const repaired = await run(rig, 'cache', 'verify', '--repair');
    expect(repaired.code).toBe(0);
    expect(repaired.stdout).toMatch(
      /; it is \S+\/clone\/one; moved to \S+\/damaged\/\S+\/one; repaired\n.*, 1 problem, 1 repaired\n$/,
    );
    expect(repaired.stderr).toBe('');
    expect(await readFile(join(clone, 'one'), 'utf8')).toBe('1');
    expect((await run(rig, 'cache', 'verify')).code).toBe(0);
  });
});
