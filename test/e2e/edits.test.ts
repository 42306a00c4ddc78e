import { chmodSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { type CloneRig, createCloneRig, linksTo } from '../helpers/edits.ts';

function run({ registry, cacheDir, clone }: CloneRig, ...argv: string[]) {
  const settings = { GYPSUM_URL: registry.url, GYPSUM_CACHE_DIR: cacheDir };
  return startCli(argv, settings, { cwd: clone }).end();
}

describe('in a clone', () => {
  it('files are staged, edited and restored', async () => {
    const rig = await createCloneRig();
    const { clone, look } = rig;
    expect(await run(rig, 'stage', 'sub', 'changed')).toMatchObject({
      code: 0,
      stdout: 'Staged 3 links (5 B).\n',
    });
    writeFileSync(join(clone, 'sub/x'), 'X');
    const plan = await run(rig, 'restore', '--all', '--dry-run');
    expect(plan).toMatchObject({
      code: 0,
      stdout: [
        'link      changed',
        'link      sub/y',
        'left      sub/x (modified)',
        'p/a/v1: 2 changes to make, 4 files unchanged.',
        '',
      ].join('\n'),
    });
    expect(await run(rig, 'restore', '--all')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^left {6}sub\/x \(modified\)\nRestored 2 files; 4 unchanged\.\nTo restore these too: --force\. [^\n]*\n$/,
      ),
    });
    const forced = await run(rig, 'restore', 'sub/x', '--force');
    const [, trash = ''] = /kept in (\S+) until "gypsum cache prune"\.\n$/.exec(forced.stdout) ?? [];
    expect(readFileSync(join(trash, 'sub/x'), 'utf8')).toBe('X');
    expect(look()).toEqual(linksTo('v1'));
    expect((await run(rig, 'cache', 'du')).stdout).toContain('in the trash: 1 B');
    expect((await run(rig, 'cache', 'prune')).stdout).toContain('what 1 change in clones had kept');
    expect(readdirSync(join(trash, '..'))).toEqual([]);
  });

  it.each([
    ['is kept as a file', ['stage', '--rescue', 'changed'], 'EDITED', 'gypsum stage --rescue FILE'],
    ['goes if it is not wanted', ['restore', '--force', 'changed'], '-> v1:/changed', 'too: --force'],
  ])('what was edited through its link is left, and %s', async (_what, argv, expected, hint) => {
    const rig = await createCloneRig();
    const { clone, cached, look } = rig;
    chmodSync(cached('changed'), 0o644);
    writeFileSync(join(clone, 'changed'), 'EDITED');
    const { stdout } = await run(rig, 'restore', '--all');
    expect(stdout).toContain('left      changed (edited in the cache, through the link)\n');
    expect(stdout).toContain(hint);
    expect(readFileSync(join(clone, 'changed'), 'utf8')).toBe('EDITED');
    await run(rig, ...argv);
    expect(look()).toEqual({ ...linksTo('v1'), changed: expected });
    expect(readFileSync(cached('changed'), 'utf8')).toBe('one');
  });

  it('another version is checked out, and conflicts are told by the exit code', async () => {
    const rig = await createCloneRig();
    const { clone, look } = rig;
    rmSync(join(clone, 'changed'));
    writeFileSync(join(clone, 'changed'), 'mine');
    expect(await run(rig, 'checkout', 'p/a/v2')).toMatchObject({
      code: 1,
      stdout: [
        'conflict  changed (modified)',
        `${clone} is a clone of p/a/v2 now: 3 made, 3 changed, 3 removed, 0 unchanged.`,
        '1 conflict: the version has something else there than what was edited.',
        'Fetched 4 B.',
        '',
      ].join('\n'),
    });
    expect(look()).toEqual({ ...linksTo('v2'), changed: 'mine' });
    // Without a version, it is the latest.
    expect(await run(rig, 'checkout', 'p/a')).toMatchObject({ code: 1, stdout: expect.stringContaining('p/a/v3 now') });
  });

  it.each([
    ['stage', ['--all']],
    ['restore', ['--all']],
    ['checkout', ['p/a/v2']],
  ])('a plan of %s is kept, and carried out', async (verb, args) => {
    const rig = await createCloneRig();
    const { clone, folder, client } = rig;
    if (verb === 'restore') await client.stageFiles([clone]);
    const file = join(folder, 'plan.json');
    const { stdout } = await run(rig, verb, ...args, '--dry-run', '--json');
    writeFileSync(file, stdout);
    const done = await run(rig, verb, '--plan', file, '--json');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toMatchObject({ verb, directory: clone, left: [] });
    expect(JSON.parse((await run(rig, verb, ...args, '--dry-run', '--json')).stdout)).toMatchObject({ steps: [] });
  });

  it.each<[string[], string]>([
    [['stage'], 'not said which files'],
    [['checkout'], 'no version'],
    [['stage', 'no-such'], 'means no file'],
    [['stage', '--plan', 'PLAN', 'sub'], 'says already'],
    [['restore', '--plan', 'PLAN', '--force'], 'says already'],
    [['restore', '--plan', 'PLAN'], 'it is one for "gypsum checkout"'],
    [['stage', '--from', '.', '--all', 'x'], '"--from" goes with'],
  ])('%j is refused', async (argv, message) => {
    const rig = await createCloneRig();
    const file = join(rig.folder, 'plan.json');
    writeFileSync(
      file,
      JSON.stringify(await rig.client.planCheckout({ project: 'p', asset: 'a', version: 'v2' }, rig.clone)),
    );
    const { code, stderr } = await run(rig, ...argv.map((word) => (word === 'PLAN' ? file : word)));
    expect([code, stderr]).toEqual([argv[1] === 'no-such' ? 5 : 2, expect.stringContaining(message)]);
    expect(rig.look()).toEqual(linksTo('v1'));
  });
});

it('folders that are no clones are staged and restored, too', async () => {
  const rig = await createCloneRig();
  const originals = await rig.makeFolder('originals', { x: 'x', 'sub/y': 'y' });
  const copies = await rig.makeFolder('copies', { x: 'x', 'sub/y': 'y' });
  expect(await run(rig, 'restore', '--from', originals, copies)).toMatchObject({
    code: 0,
    stdout: '2 files: 2 linked\n',
  });
  expect(readlinkSync(join(copies, 'sub/y'))).toBe('../../originals/sub/y');
  expect(await run(rig, 'stage', '--from', originals, copies, '--dry-run')).toMatchObject({
    code: 0,
    stdout: 'link      sub/y\nlink      x\nWould stage 2 files.\n',
  });
  expect(await run(rig, 'stage', '--from', originals, copies)).toMatchObject({ code: 0, stdout: 'Staged 2 files.\n' });
  expect(readFileSync(join(copies, 'sub/y'), 'utf8')).toBe('y');
});
