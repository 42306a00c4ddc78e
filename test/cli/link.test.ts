import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { callCli } from '../helpers/call-cli.ts';
import { layOut } from '../helpers/files.ts';
import { snapshot } from '../helpers/snapshot.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const run = (...argv: string[]) => callCli(argv);

/** Two folders: two files that are equal, one that differs, one that is missing, one that is of another type. */
async function setup() {
  const top = await tempFolder();
  layOut(top, {
    's/a': 'a',
    's/diff': 'one',
    's/miss': 'm',
    's/sub/f2': 'f2',
    's/typed': 't',
    'd/a': 'a',
    'd/diff': 'two',
    'd/sub/f2': 'f2',
    'd/typed': 'folder/',
  });
  const before = process.umask(0o022);
  onTestFinished(() => void process.umask(before));
  return { top, s: join(top, 's'), d: join(top, 'd') };
}

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('gypsum link', () => {
  it('says what it has done, and of each file that is not linked why', async () => {
    const { s, d } = await setup();
    expect(await run('link', s, d)).toEqual({
      code: 0,
      stderr: '',
      stdout: [
        'different     diff',
        'missing       miss',
        'type-differs  typed  (It is a folder in the destination.)',
        '5 files: 2 linked, 1 different, 1 missing, 1 of another type\n',
      ].join('\n'),
    });
    expect(readlinkSync(join(d, 'sub/f2'))).toBe('../../s/sub/f2');
    expect((await run('link', s, d)).stdout).toMatch(/5 files: 2 already linked, 1 different/);
    expect(modeOf(join(s, 'a'))).toBe(0o644);
  });

  it('shows with --status what each file is, and with --dry-run what would be done', async () => {
    const { top, s, d } = await setup();
    const before = snapshot(top);
    const status = await run('link', '--status', s, d);
    expect(status).toMatchObject({ code: 0, stderr: '' });
    expect(status.stdout).toMatch(
      /^same +a\n.*\nsame +sub\/f2\n.*\n5 files: 2 equal, 1 different, 1 missing, 1 of another type\n$/s,
    );
    const { stdout } = await run('link', '--dry-run', '--create-dst', s, d);
    expect(stdout).toMatch(/^link {2}a -> \.\.\/s\/a\nlink {2}miss -> \.\.\/s\/miss\n.*3 files to link\n$/s);
    expect(JSON.parse((await run('link', '--status', '--json', s, d)).stdout)).toMatchObject({
      source: s,
      destination: d,
      counts: { same: 2, linked: 0 },
      files: [{ path: 'a', state: 'same' }, {}, {}, {}, {}],
    });
    expect(snapshot(top)).toEqual(before);
  });

  it('does what a plan says that was kept in a file', async () => {
    const { top, s, d } = await setup();
    const file = join(top, 'plan.json');
    writeFileSync(file, (await run('link', '--dry-run', '--json', '--absolute', '--protect', s, d)).stdout);
    expect(await run('link', '--plan', file)).toMatchObject({ code: 0, stdout: expect.stringMatching(/2 linked/) });
    expect(readlinkSync(join(d, 'a'))).toBe(join(s, 'a'));
    expect(modeOf(join(s, 'a'))).toBe(0o444);
    expect(await run('link', '--plan', file, s, d)).toMatchObject({ code: 2 });
    expect(await run('link', '--plan', file, '--relink')).toMatchObject({ code: 2 });
    writeFileSync(file, '{}');
    expect(await run('link', '--plan', file)).toMatchObject({ code: 2, stderr: expect.stringMatching(/not the plan/) });
  });

  it('makes a folder that is not there, if it may', async () => {
    const { top, s } = await setup();
    const made = join(top, 'made');
    expect(await run('link', s, made)).toMatchObject({ code: 2, stderr: expect.stringMatching(/--create-dst/) });
    expect(await run('link', s, made, '--create-dst')).toMatchObject({
      code: 0,
      stdout: `made  ${made}\nmade  sub/\n5 files: 5 linked\n`,
    });
  });

  it('protects, and takes that back', async () => {
    const { s, d } = await setup();
    await run('link', s, d, '--protect');
    expect([modeOf(join(s, 'a')), modeOf(join(s, 'diff'))]).toEqual([0o444, 0o644]);
    await run('link', s, d, '--unprotect');
    expect(modeOf(join(s, 'a'))).toBe(0o644);
  });

  it('exits with 1 if a file failed, and stops there with --fail-fast', async () => {
    const { s, d } = await setup();
    layOut(s, { broken: { link: 'no' } });
    const stopped = await run('link', s, d, '--fail-fast');
    expect(stopped).toMatchObject({ code: 1, stderr: 'gypsum: 1 file failed.\n' });
    expect(stopped.stdout).toMatch(
      /^same +a\nfailed +broken {2}\(The source is a link that leads nowhere\.\)\n2 files: 1 equal, 1 failed; stopped there\n$/,
    );
    expect(lstatSync(join(d, 'a')).isFile()).toBe(true);
    expect(await run('link', s, d, '--dry-run', '--fail-fast')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/Nothing would be linked/),
    });
    expect((await run('link', s, d)).code).toBe(1);
    expect(lstatSync(join(d, 'a')).isSymbolicLink()).toBe(true);
  });

  it.each([
    [['d', 'd']],
    [['s']],
    [['s', 'd', '--relative', '--absolute']],
    [['s', 'd', '--protect', '--unprotect']],
    [['nowhere', 'd']],
  ])('refuses %j with 2, and does nothing', async (argv) => {
    const { top } = await setup();
    const before = snapshot(top);
    const words = argv.map((word) => (word.startsWith('-') ? word : join(top, word)));
    const { code, stdout, stderr } = await run('link', ...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^gypsum: .+\n.+/);
    expect(snapshot(top)).toEqual(before);
  });
});

describe('gypsum create-links', () => {
  const folders = ({ s, d }: { s: string; d: string }) => ['--src_dir', s, '--dst_dir', d];

  it('says what the script says, and counts what has happened', async () => {
    const pair = await setup();
    const { s, d } = pair;
    layOut(d, { odd: { link: 'no/where' } });
    layOut(s, { odd: 'odd' });
    const { code, stdout, stderr } = await run('create-links', ...folders(pair), '--replace_links');
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        `Files are the same and will be replaced: ${s}/a -> ${d}/a`,
        `Files are the same and will be replaced: ${s}/sub/f2 -> ${d}/sub/f2`,
        `Created symlink: ${d}/a -> ../s/a`,
        `Created symlink: ${d}/sub/f2 -> ../../s/sub/f2`,
        '6 files: 2 linked, 1 different, 1 missing, 1 of another type, 1 broken',
        'Replaced 2 files with symbolic links.\n',
      ].join('\n'),
    );
    expect(stderr).toBe(
      [
        `Warning: ${d}/diff and ${s}/diff have different content.`,
        `Warning: ${d}/miss is missing in the destination directory.`,
        `Warning: ${d}/odd is a broken link.`,
        `Warning: ${d}/typed and ${s}/typed have different types. It is a folder in the destination.\n`,
      ].join('\n'),
    );
    // The files that are linked to, and no others, are read-only.
    expect(['a', 'sub/f2', 'diff', 'miss'].map((path) => modeOf(join(s, path)))).toEqual([0o444, 0o444, 0o644, 0o644]);

    const again = await run('create-links', ...folders(pair), '--replace_links');
    expect(again.stdout).toMatch(
      /^Already linked: .*\/d\/a -> \.\.\/s\/a\n.*\nReplaced 0 files with symbolic links\.\n$/s,
    );
  });

  it.each<[string[], string]>([
    [[], '../s/a'],
    [['--link_type', 'relative'], '../s/a'],
    [['--use_relative_paths'], '../s/a'],
    [['--use_relative_paths', '--link_type', 'relative'], '../s/a'],
    [['--link_type=absolute'], 's/a'],
  ])('with %j makes links such as %s', async (flags, text) => {
    const pair = await setup();
    await run('create-links', ...folders(pair), '--replace_links', ...flags);
    expect(readlinkSync(join(pair.d, 'a'))).toBe(text.startsWith('..') ? text : join(pair.top, text));
  });

  it('keeps x bits when it protects and when it stages, from any current folder', async () => {
    const pair = await setup();
    for (const folder of [pair.s, pair.d]) chmodSync(join(folder, 'a'), 0o755);
    await run('create-links', ...folders(pair), '--replace_links');
    expect(modeOf(join(pair.s, 'a'))).toBe(0o555);
    const before = snapshot(pair.s);
    const { code, stdout, stderr } = await run('create-links', ...folders(pair), '--stage_links');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      [
        `Staged: ${pair.d}/a -> ../s/a`,
        `Staged: ${pair.d}/sub/f2 -> ../../s/sub/f2`,
        'Staged 2 symbolic links for modification.\n',
      ].join('\n'),
    );
    expect(['a', 'sub/f2'].map((path) => modeOf(join(pair.d, path)))).toEqual([0o755, 0o644]);
    expect(snapshot(pair.s)).toEqual(before);
    expect(await run('create-links', ...folders(pair), '--stage_links')).toEqual({
      code: 0,
      stderr: '',
      stdout: 'No symbolic links found to stage.\nStaged 0 symbolic links for modification.\n',
    });
  });

  it('replaces where both is asked for, and nothing where neither is', async () => {
    const pair = await setup();
    const { code, stderr } = await run('create-links', ...folders(pair));
    expect(code).toBe(2);
    expect(stderr).toMatch(/You must specify either --replace_links or --stage_links\./);
    await run('create-links', ...folders(pair), '--stage_links', '--replace_links');
    expect(lstatSync(join(pair.d, 'a')).isSymbolicLink()).toBe(true);
  });

  it.each([
    ['--link_type', 'absolute', '--use_relative_paths'],
    ['--link_type', 'other'],
    ['--mode', '999'],
    ['-v', 'LOUD'],
  ])('refuses %s %s %s', async (...flags) => {
    const pair = await setup();
    const before = snapshot(pair.top);
    expect((await run('create-links', ...folders(pair), '--replace_links', ...flags.filter(Boolean))).code).toBe(2);
    expect(snapshot(pair.top)).toEqual(before);
  });

  it('asks nobody where nobody is: a folder that is not there is made only if that is said', async () => {
    const pair = await setup();
    const there = { s: pair.s, d: join(pair.top, 'new') };
    expect(await run('create-links', ...folders(there), '--replace_links')).toMatchObject({ code: 2, stdout: '' });
    expect(readdirSync(pair.top)).toEqual(['d', 's']);
    const { code, stdout } = await run('create-links', ...folders(there), '--replace_links', '--create-dst');
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      `Created destination directory: ${there.d}`,
      `Created subdirectory: ${there.d}/sub`,
    ]);
    expect(stdout).toMatch(/Replaced 5 files with symbolic links\.\n$/);
    expect(
      (await run('create-links', '--src_dir', join(pair.top, 'no'), '--dst_dir', pair.d, '--replace_links')).code,
    ).toBe(2);
  });

  it('says as much as it is told to', async () => {
    const pair = await setup();
    const start = ['create-links', ...folders(pair), '--replace_links', '--dry-run'];
    expect((await run(...start)).stdout).toMatch(
      /\[DRY RUN\] Would create link: .*\/d\/a -> \.\.\/s\/a\n.*\[DRY RUN\] Would replace 2 files/s,
    );
    expect(await run(...start, '-v', 'ERROR')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await run(...start, '-v', 'WARNING')).stderr).toMatch(/have different content/);
    expect((await run(...start, '--quiet')).stdout).toBe('[DRY RUN] Would replace 2 files with symbolic links.\n');
    expect(JSON.parse((await run(...start, '--json')).stdout)).toMatchObject({
      steps: [{ path: 'a' }, { path: 'sub/f2' }],
      protect: true,
    });
    expect(lstatSync(join(pair.d, 'a')).isFile()).toBe(true);
  });

  it('exits with 1 where anything failed, and tells each', async () => {
    const pair = await setup();
    layOut(pair.s, { broken: { link: 'no' } });
    const replaced = await run('create-links', ...folders(pair), '--replace_links', '--protect', 'none');
    expect(replaced.code).toBe(1);
    expect(replaced.stderr).toMatch(
      /Error creating symlink for .*\/d\/broken: The source is a link that leads nowhere\.\n/,
    );
    expect(replaced.stdout).toMatch(/Replaced 2 files/);
    expect(modeOf(join(pair.s, 'a'))).toBe(0o644);
    symlinkSync('.', join(pair.d, 'ring'));
    const staged = await run('create-links', ...folders(pair), '--stage_links', '--dirs');
    expect(staged.code).toBe(1);
    expect(staged.stderr).toMatch(/Error staging link .*\/d\/ring: It leads to a folder that it lies in\.\n/);
    expect(staged.stdout).toMatch(/Staged 2 symbolic links/);
    rmSync(join(pair.d, 'ring'));
  });
});

describe('gypsum stage-linked-file', () => {
  it('stages all links of a folder, and warns of those that lead nowhere', async () => {
    const { s, d } = await setup();
    chmodSync(join(s, 'a'), 0o755);
    mkdirSync(join(d, 'more'));
    for (const [path, text] of [
      ['l1', '../s/a'],
      ['more/l2', '../../s/miss'],
      ['gone', '../s/gone'],
      ['dir', '../s/sub'],
    ] as const) {
      symlinkSync(text, join(d, path));
    }
    const dry = await run('stage-linked-file', '--dst_dir', d, '--dry-run');
    expect(dry.stdout).toMatch(
      /\[DRY RUN\] Would stage: .*\/l1 -> \.\.\/s\/a\n.*Would stage 2 files for modification\.\n$/s,
    );
    expect(await run('stage-linked-file', '--dst_dir', d, '--mode', '644')).toEqual({
      code: 0,
      stdout: `Staged: ${d}/l1 -> ../s/a\nStaged: ${d}/more/l2 -> ../../s/miss\nStaged 2 files for modification.\n`,
      stderr: [
        `Warning: Target is a directory for link ${d}/dir -> ../s/sub`,
        `Warning: Target file does not exist for link ${d}/gone -> ../s/gone\n`,
      ].join('\n'),
    });
    expect(modeOf(join(d, 'l1'))).toBe(0o644);
    expect(readFileSync(join(d, 'more/l2'), 'utf8')).toBe('m');
    expect(readlinkSync(join(d, 'gone'))).toBe('../s/gone');
    expect((await run('stage-linked-file', '--dst_dir', d, '--strict', '--dirs')).code).toBe(1);
    expect(lstatSync(join(d, 'dir')).isDirectory()).toBe(true);
    rmSync(join(d, 'gone'));
    expect((await run('stage-linked-file', '--dst_dir', d)).stdout).toBe('No symbolic links found to stage.\n');
    expect((await run('stage-linked-file', '--dst_dir', join(d, 'no'))).code).toBe(2);
    expect((await run('stage-linked-file')).code).toBe(2);
  });
});

describe('gypsum stage --from and restore --from', () => {
  it('go to and fro, for a folder or one link, with links that lead into the other folder', async () => {
    const { top, s, d } = await setup();
    layOut(d, { elsewhere: { link: '../other' }, more: { link: '../s/sub' }, gone: { link: '../s/gone' } });
    layOut(top, { other: 'other' });
    expect(await run('restore', '--from', s, d)).toMatchObject({ code: 0, stdout: expect.stringMatching(/2 linked/) });
    expect(await run('stage', '--from', s, join(d, 'sub/f2'), '--mode', '600')).toMatchObject({
      code: 0,
      stdout: 'Staged 1 file.\n',
    });
    expect(modeOf(join(d, 'sub/f2'))).toBe(0o600);
    expect(lstatSync(join(d, 'a')).isSymbolicLink()).toBe(true);
    const dry = await run('stage', '--from', s, d, '--dry-run');
    expect(dry.stdout).toMatch(/^link +a\nother +elsewhere\ndangling +gone\nfolder +more\nWould stage 1 file\.\n$/);
    expect(await run('stage', '--from', s, d, '--dirs', '--strict')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/Staged 2 files\.\n$/),
    });
    expect(lstatSync(join(d, 'more/f2')).isFile()).toBe(true);
    expect(readlinkSync(join(d, 'elsewhere'))).toBe('../other');
    expect((await run('restore', '--from', s, d)).stdout).toMatch(/2 linked/);
  });

  it.each([
    [['stage', '--from', 's']],
    [['stage', '--from', 's', 'd', 'd/sub']],
    [['stage', '--from', 's', 'd', '--all']],
    [['stage', '--dirs', 'd']],
    [['stage', '--from', 's', '']],
    [['restore', '--from', 's', 'd', '--force']],
  ])('refuse %j', async (argv) => {
    const { top } = await setup();
    const before = snapshot(top);
    const words = argv.map((word, at) => (at === 0 || word.startsWith('-') || word === '' ? word : join(top, word)));
    expect(await run(...words)).toMatchObject({ code: 2, stdout: '' });
    expect(snapshot(top)).toEqual(before);
  });
});
