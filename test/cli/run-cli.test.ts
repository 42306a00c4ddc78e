import { mkdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { disconnected, status } from '../../mocks/index.ts';
import { commands } from '../../src/cli/commands.ts';
import { VERSION } from '../../src/version.ts';
import { callCli } from '../helpers/call-cli.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const seed = { versions: { 'p/a/v1': { 'a.txt': 'content of a', 'sub/b.txt': 'content of b' } } };

const run = (argv: string[], signal?: AbortSignal) => callCli(argv, { ...(signal && { signal }) });

/** Runs a command against a rig, as somebody without a token. */
const runAt = ({ registry, cacheDir }: Rig, ...argv: string[]) =>
  run([...argv, '--registry', registry.url, '--cache', cacheDir]);

describe('the command line', () => {
  it('says its version', async () => {
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  it.each(Object.keys(commands))('%s has help with an example', async (name) => {
    const { code, stdout } = await run([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: gypsum ${name} `);
    expect(stdout).toContain('--json');
    if (!name.includes(' ')) expect((await run(['help', name])).stdout).toBe(stdout);
    expect(stdout).toMatch(new RegExp(`Example:\n  gypsum ${name}\\b`));
  });

  it('makes no request with --offline, and says what is missing and what to do', async () => {
    const rig = await createRig(seed);
    expect((await runAt(rig, 'save', 'p/a/v1', '--include', 'a.txt')).stdout).toContain(
      'Saved p/a/v1 in part: 1 file, 12 B; left out 1 file, 12 B; fetched 12 B.',
    );
    rig.registry.resetCalls();
    const { code, stderr } = await runAt(rig, 'clone', 'p/a/v1', join(rig.folder, 'clone'), '--offline');
    expect(code).toBe(11);
    expect(stderr).toContain('1 file of p/a/v1 (12 bytes) is not in the cache: sub/b.txt.');
    expect(stderr).toContain('--no-download');
    const latest = await runAt(rig, 'path', 'p/a', '--offline');
    expect(latest.code).toBe(11);
    expect(latest.stderr).toContain('name one, such as p/a/v1');
    expect((await runAt(rig, 'path', 'p/a/v1:/a.txt', '--offline')).code).toBe(0);
    expect(rig.registry.calls).toEqual([]);
  });

  it('lists every command in its own help', async () => {
    // Long ones go on in the next line.
    const stdout = (await run(['--help'])).stdout.replace(/\s+/g, ' ');
    for (const [name, { summary }] of Object.entries(commands)) {
      if (name.includes(' ')) expect(stdout).toContain(name.split(' ')[0]);
      else expect(stdout).toContain(summary);
    }
  });

  it.each([
    ['a misspelt command', ['clon'], /Did you mean clone\?/],
    ['a misspelt option', ['clone', 'p/a', 'x', '--merg'], /Did you mean --merge\?/],
    ['a missing argument', ['clone', 'p/a'], /missing required argument 'destination'/],
    ['too many arguments', ['projects', 'x'], /too many arguments/],
    ['a choice that is none', ['prepare', '.', '--links', 'perhaps'], /Allowed choices are auto, always, never/],
    ['a port that is none', ['serve', '--port', '99999'], /number from 0 to 65535/],
    ['no command', [], /Usage: gypsum/],
  ])('answers %s with help and exit code 2', async (_name, argv, message) => {
    const { code, stdout, stderr } = await run(argv);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
  });
});

describe('a command', () => {
  it('prints what its call gave, as lines or as JSON', async () => {
    const rig = await createRig(seed);
    expect(await runAt(rig, 'projects')).toEqual({ code: 0, stdout: 'p\n', stderr: '' });
    expect(JSON.parse((await runAt(rig, 'assets', 'p', '--json')).stdout)).toEqual(['a']);
    expect((await runAt(rig, 'versions', 'p/a')).stdout).toBe('v1\n');
    expect((await runAt(rig, 'files', 'p/a')).stdout).toBe('a.txt\nsub/b.txt\n');
    const manifest = await runAt(rig, 'manifest', 'p/a/v1', '--json');
    expect(JSON.parse(manifest.stdout)).toEqual(
      await rig.client.fetchManifest({ project: 'p', asset: 'a', version: 'v1' }),
    );
    expect((await runAt(rig, 'manifest', 'p/a')).stdout).toMatch(/^[0-9a-f]{32} +12 B +a\.txt$/m);
    expect((await runAt(rig, 'save', 'p/a')).stdout).toContain(join(rig.cacheDir, 'bucket/p/a/v1'));
  });

  it('clones, shows what would be published, and publishes', async () => {
    const rig = await createRig(seed);
    const clone = join(rig.folder, 'clone');
    process.env.GYPSUM_TOKEN = rig.registry.token;
    try {
      expect((await runAt(rig, 'clone', 'p/a', clone)).stdout).toBe(`Cloned p/a/v1 to ${clone}: 2 files, 24 B.\n`);
      await unlink(join(clone, 'a.txt'));
      await writeFile(join(clone, 'a.txt'), 'edited');
      const prepared = await runAt(rig, 'prepare', clone);
      expect(prepared.stdout.split('\n')).toEqual([
        'send        6 B  a.txt',
        'link       12 B  sub/b.txt -> p/a/v1:/sub/b.txt',
        '1 file to send (6 B), 1 to link (12 B)',
        '',
      ]);
      const uploaded = await runAt(rig, 'upload', clone, 'p/a/v2');
      expect(uploaded.stdout).toBe('Published p/a/v2: 2 files, 18 B; sent 1 (6 B), linked 1 (12 B).\n');
      expect((await runAt(rig, 'project', 'create', 'new', '--owner', 'alice')).stdout).toBe(
        'Created the project new.\n',
      );
    } finally {
      delete process.env.GYPSUM_TOKEN;
    }
  });

  it('shows what an upload would do, in files and bytes, and as the plan itself', async () => {
    const rig = await createRig(seed);
    const mine = await rig.makeFolder('mine', { 'moved.txt': 'content of a', 'new.txt': 'new' });
    process.env.GYPSUM_TOKEN = rig.registry.token;
    try {
      const shown = await runAt(rig, 'upload', mine, 'p/a/v2', '--dry-run');
      expect(shown.stdout.split('\n')).toEqual([
        'send        3 B  new.txt',
        'link       12 B  moved.txt -> p/a/v1:/a.txt',
        '1 file to send (3 B), 1 to link (12 B)',
        '',
      ]);
      const plan = JSON.parse((await runAt(rig, 'upload', mine, 'p/a/v2', '--dry-run', '--json')).stdout);
      expect(plan).toEqual(await rig.client.planUpload({ project: 'p', asset: 'a', version: 'v2' }, mine));
      expect(rig.registry.count({ method: 'POST' })).toBe(0);
      await runAt(rig, 'upload', mine, 'p/a/v2');
      const again = await runAt(rig, 'upload', mine, 'p/a/v3', '--if-changed');
      expect(again).toEqual({
        code: 0,
        stdout: 'Nothing has changed since p/a/v2; nothing was published.\n',
        stderr: '',
      });
      expect((await runAt(rig, 'upload', mine, 'p/a/v3', '--dry-run')).stdout).toMatch(
        /\nNothing has changed since p\/a\/v2\.\n$/,
      );
    } finally {
      delete process.env.GYPSUM_TOKEN;
    }
  });

  it('says that a clone without files dangles', async () => {
    const rig = await createRig(seed);
    const { stdout } = await runAt(rig, 'clone', 'p/a', join(rig.folder, 'clone'), '--no-download');
    expect(stdout).toMatch(
      /\nNo file was fetched; the links dangle until "gypsum fetch (\S+)" brings what they lead to\.\n$/,
    );
  });

  it('counts what was cloned, what was left out, and what dangles, each for itself', async () => {
    const rig = await createRig({ versions: { 'p/a/v1': { a: '1', 'raw/b': '22', 'raw/c': '333' } } });
    const clone = async (name: string, ...flags: string[]) =>
      (await runAt(rig, 'clone', 'p/a/v1', join(rig.folder, name), ...flags)).stdout.split('\n').slice(0, -1);
    const brings = (name: string) => `until "gypsum fetch ${join(rig.folder, name)}" brings what they lead to.`;
    expect(await clone('one', '--exclude', 'raw')).toEqual([
      `Cloned p/a/v1 to ${join(rig.folder, 'one')}: 1 file, 1 B.`,
      `Left out: 2 files, 5 B; the links dangle ${brings('one')}`,
    ]);
    expect((await clone('two', '--no-download'))[1]).toBe(`No file was fetched; 2 links of 3 dangle ${brings('two')}`);
    await rig.client.saveVersion({ project: 'p', asset: 'a', version: 'v1' });
    expect((await clone('three', '--include', 'a'))[1]).toBe('Left out: 2 files, 5 B; the cache has all of it.');
    expect((await clone('four', '--no-download'))[1]).toBe('No file was fetched; the cache has all of it.');
  });

  it('names what was in the way of a merge', async () => {
    const rig = await createRig(seed);
    const mine = await rig.makeFolder('mine', { 'a.txt': 'mine' });
    const { stdout, code } = await runAt(rig, 'clone', 'p/a', mine, '--merge', '--no-download');
    expect(code).toBe(0);
    expect(stdout).toMatch(/in the way and have been kept as they are:\n {2}a\.txt\n$/);
    expect(await readFile(join(mine, 'a.txt'), 'utf8')).toBe('mine');
  });

  it('shows names as what they are, not as what they do to a terminal', async () => {
    const rig = await createRig({ versions: { 'p/a/v1': { 'red\u001b[31m\r.txt': 'x' } } });
    expect((await runAt(rig, 'files', 'p/a')).stdout).toBe('red\\x1b[31m\\x0d.txt\n');
  });
});

describe('what goes wrong', () => {
  it.each<[string, string[], number, RegExp]>([
    ['an impossible ref', ['files', 'p'], 2, /"p" is not a ref/],
    [
      'a version where an asset is meant',
      ['versions', 'p/a/v1'],
      2,
      /"p\/a\/v1" is not a ref\.\nWrite it as project\/asset\./,
    ],
    ['a ref that climbs', ['files', 'p/../x'], 2, /asset name "\.\." begins with "\.\."/],
    [
      'an unknown version',
      ['save', 'p/a/v9'],
      5,
      /has no version p\/a\/v9\.\nList what there is with "gypsum versions p\/a"/,
    ],
    ['an unknown asset', ['save', 'p/nope'], 5, /p\/nope has no latest version/],
    ['a folder that cannot be published', ['prepare', 'bad'], 3, /cannot be published/],
    ['no token', ['upload', 'good', 'p/a/v2'], 8, /needs a token/],
    ['a destination that is not empty', ['clone', 'p/a', 'good'], 15, /is not empty/],
    ['a destination in the cache', ['clone', 'p/a', 'cache/x'], 15, /lie in each other/],
  ])('%s has a message, a remedy and an exit code', async (_name, argv, code, message) => {
    const rig = await createRig(seed);
    await rig.makeFolder('good', { 'a.txt': 'a' });
    await symlink('nowhere', join(await rig.makeFolder('bad', {}), 'x'));
    const before = process.cwd();
    process.chdir(rig.folder);
    try {
      const { stderr, stdout, ...outcome } = await runAt(rig, ...argv);
      expect(outcome.code).toBe(code);
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/^gypsum: /);
      expect(stderr.trim().split('\n').length).toBeGreaterThan(1);
      expect(stdout).toBe('');
    } finally {
      process.chdir(before);
    }
  });

  it('is told on the way, unless it is to be quiet', async () => {
    const rig = await createRig(seed);
    rig.registry.inject(status(503), { key: 'p/a/v1/a.txt', times: 1 });
    const { stderr, code } = await runAt(rig, 'save', 'p/a/v1');
    expect(code).toBe(0);
    expect(stderr).toMatch(/Fetching "p\/a\/v1\/a\.txt" failed: .* Trying again \(attempt 2\)\.\n/);
    rig.registry.inject(disconnected(), { key: 'p/a/..latest', times: 1 });
    expect((await runAt(rig, 'versions', 'p/a', '--quiet')).stderr).toBe('');
  });

  it('is a cache that belongs to another registry', async () => {
    const rig = await createRig(seed);
    const other = await createRig(seed);
    await runAt(rig, 'save', 'p/a');
    const { code, stderr } = await run(['save', 'p/a', '--registry', other.registry.url, '--cache', rig.cacheDir]);
    expect(code).toBe(14);
    expect(stderr).toContain('belongs to the registry');
  });

  it('is a data folder that another process serves', async () => {
    const rig = await createRig();
    const { code, stderr, stdout } = await run(['serve', '--data', rig.registry.data]);
    expect(code).toBe(16);
    expect(stderr).toContain('served by another process');
    expect(stdout).toBe('');
  });

  it('is a file where a folder must be, in the system’s own words', async () => {
    const rig = await createRig(seed);
    await mkdir(join(rig.folder, 'x'));
    await writeFile(join(rig.folder, 'x/file'), '');
    const { code, stderr } = await run([
      'save',
      'p/a',
      '--registry',
      rig.registry.url,
      '--cache',
      join(rig.folder, 'x/file'),
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^gypsum: E(NOTDIR|EXIST): /);
  });
});
