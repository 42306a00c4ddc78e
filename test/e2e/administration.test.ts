import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MAIN, startCli } from '../helpers/cli.ts';
import { startGithub } from '../helpers/github-stand-in.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const seed = { versions: { 'p/a/v1': { 'x.txt': 'hello' }, 'p/a/v2': { 'y.txt': 'world' } } };
const environment = ({ registry, cacheDir, folder }: Rig) => ({
  PATH: process.env.PATH,
  HOME: folder,
  GYPSUM_URL: registry.url,
  GYPSUM_TOKEN: registry.token,
  GYPSUM_CACHE_DIR: cacheDir,
});

async function run(rig: Rig, ...argv: string[]) {
  return startCli(argv, environment(rig)).end();
}

describe('looking after a project', () => {
  it('shows and changes who may do what', async () => {
    const rig = await createRig(seed);
    const change = [
      '--add-owner',
      'ann',
      '--add-uploader',
      'bob',
      '--only-asset',
      'a',
      '--until',
      '2031-01-02',
      '--trusted',
    ];
    const dry = await run(rig, 'project', 'permissions', 'p', ...change, '--dry-run');
    expect(dry.stdout).toContain('uploader  bob (asset a, until 2031-01-02T00:00:00.000Z, trusted)\n');
    expect((await rig.client.fetchPermissions('p')).uploaders).toEqual([]);
    expect((await run(rig, 'project', 'permissions', 'p', ...change)).stdout).toBe(dry.stdout);
    const { stdout } = await run(rig, 'project', 'permissions', 'p', '--remove-uploader', 'bob', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ project: 'p', uploaders: [], owners: expect.arrayContaining(['ann']) });
    expect(await run(rig, 'project', 'permissions', 'p', '--trusted')).toMatchObject({ code: 2 });
    expect(await run(rig, 'project', 'permissions', 'p', '--add-uploader', 'x', '--until', '1999-01-01')).toMatchObject(
      {
        code: 2,
        stderr: expect.stringContaining('in the past'),
      },
    );
  });

  it('shows and changes the quota, and shows the usage', async () => {
    const rig = await createRig(seed);
    const year = new Date().getUTCFullYear();
    const change = ['--baseline', '100GB', '--growth-rate', '1TiB', '--year', String(year)];
    expect((await run(rig, 'project', 'quota', 'p', ...change)).stdout).toBe(
      `100 GB in ${year}, and 1.1 TB more with each year: now 100 GB\n`,
    );
    expect((await run(rig, 'project', 'usage', 'p')).stdout).toBe('10 B of 100 GB (0.0%)\n');
    expect(await run(rig, 'project', 'quota', 'p', '--baseline', 'much')).toMatchObject({ code: 2 });
    expect((await run(rig, 'refresh', 'usage', 'p')).stdout).toBe('The project p stores 10 B.\n');
    expect((await run(rig, 'refresh', 'latest', 'p/a')).stdout).toBe('The latest version of p/a is v2.\n');
  });

  it('shows what holds it, and ends that', async () => {
    const rig = await createRig(seed);
    expect((await run(rig, 'project', 'lock', 'p')).stdout).toBe('The project p is not locked.\n');
    await rig.client.startUpload({ project: 'p', asset: 'a', version: 'v3' }, []);
    expect((await run(rig, 'project', 'lock', 'p')).stdout).toMatch(
      /^The project p is locked by the upload of a\/v3 by admin since \d{4}-.*Z\.\n$/,
    );
    const refused = await run(rig, 'project', 'unlock', 'p');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('Add --yes if it is.') });
    expect((await run(rig, 'project', 'unlock', 'p', '--yes')).stdout).toBe('Unlocked the project p.\n');
    expect((await run(rig, 'project', 'lock', 'p', '--json')).stdout).toContain('"locked": false');
  });

  it('removes only what is confirmed', async () => {
    const rig = await createRig(seed);
    const dry = await run(rig, 'project', 'remove', 'p', '--dry-run');
    expect(dry.stdout).toBe('Would remove the project p with 1 asset (10 B).\n');
    for (const words of [
      ['version', 'remove', 'p/a/v2'],
      ['asset', 'remove', 'p/a'],
      ['project', 'remove', 'p'],
    ]) {
      const refused = await run(rig, ...words);
      expect([refused.code, refused.stdout]).toEqual([2, '']);
    }
    expect(await rig.client.listVersions({ project: 'p', asset: 'a' })).toEqual(['v1', 'v2']);
    expect((await run(rig, 'version', 'remove', 'p/a/v2', '--yes')).stdout).toBe('Removed the version p/a/v2.\n');
    expect((await run(rig, 'asset', 'remove', 'p/a', '--yes', '--json')).stdout).toContain(
      'the asset p/a with 1 version',
    );
    expect((await run(rig, 'project', 'remove', 'p', '--yes')).code).toBe(0);
    expect(await rig.client.listProjects()).toEqual([]);
  });

  it('changes of an uploader what is said, and nothing else', async () => {
    const rig = await createRig(seed);
    const permissions = async (...flags: string[]) => (await run(rig, 'project', 'permissions', 'p', ...flags)).stdout;
    expect(await permissions('--add-uploader', 'bob', '--until', '2031-01-02')).toContain('until 2031');
    expect(await permissions('--add-uploader', 'bob', '--trusted')).toContain(
      'uploader  bob (until 2031-01-02T00:00:00.000Z, trusted)\n',
    );
    expect(await permissions('--remove-uploader', 'bob', '--add-uploader', 'bob')).toMatch(/^uploader {2}bob$/m);
  });

  it('says that there is nothing of a name, and removes nothing', async () => {
    const rig = await createRig(seed);
    await rig.client.uploadContents({ project: 'p', asset: 'a', version: 'v3' }, [{ path: 'x', content: 'x' }], {
      probation: true,
    });
    for (const [code, message, ...words] of [
      [5, 'There is no project q.', 'project', 'remove', 'q'],
      [5, 'There is no asset p/b.', 'asset', 'remove', 'p/b'],
      [5, 'There is no version p/a/v9.', 'version', 'remove', 'p/a/v9'],
      [5, 'has no version p/a/v9', 'version', 'reject', 'p/a/v9'],
      [5, 'There is no version p/a/v9.', 'version', 'approve', 'p/a/v9'],
      [10, 'is not on probation', 'version', 'reject', 'p/a/v1'],
      [5, 'There is no project q.', 'refresh', 'usage', 'q'],
      [5, 'There is no project q.', 'refresh', 'latest', 'q/a'],
    ] as const) {
      const flags = words[0] === 'refresh' || words[1] === 'approve' ? [] : ['--yes'];
      const { stderr, ...end } = await run(rig, ...words, ...flags);
      expect([words, end.code, stderr]).toEqual([words, code, expect.stringContaining(message)]);
    }
    expect(await rig.client.listVersions({ project: 'p', asset: 'a' })).toEqual(['v1', 'v2', 'v3']);
    const { stdout } = await run(rig, 'version', 'reject', 'p/a/v3', '--yes');
    expect(stdout).toBe('Removed the version p/a/v3, which admin has uploaded on probation.\n');
  });

  it('says who may, to whoever may not', async () => {
    const rig = await createRig(seed);
    const token = await rig.registry.addUser('nobody');
    const argv = ['version', 'remove', 'p/a/v2', '--yes'];
    const { code, stderr } = await startCli(argv, { ...environment(rig), GYPSUM_TOKEN: token }).end();
    expect([code, stderr]).toEqual([8, expect.stringMatching(/"nobody" may not remove anything.*administrators/s)]);
  });
});

const hasScript = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') === true;
if (!hasScript)
  process.stdout.write('Confirming is not tested: there is no "script" of util-linux to make a terminal.\n');

describe.skipIf(!hasScript)('on a terminal', () => {
  function onTerminal(rig: Rig, argv: string, keys: string): Promise<string> {
    const line = `"${process.execPath}" "${MAIN}" ${argv}; echo "code=$?"`;
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      env: environment(rig),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let shown = '';
    let typed = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      if (typed || !shown.includes('to go on: ')) return;
      typed = true;
      child.stdin.write(keys);
    });
    return new Promise((resolve) =>
      child.on('close', () => resolve(stripVTControlCharacters(shown).replaceAll('\r\n', '\n'))),
    );
  }

  it('asks for the name to be typed, and says before what goes', async () => {
    const rig = await createRig(seed);
    const wrong = await onTerminal(rig, 'project remove p', 'q\r');
    expect(wrong).toContain('This removes the project p with 1 asset (10 B). It cannot be undone.\n');
    expect(wrong).toMatch(/Nothing was done: that is not "p"\.\n[\s\S]*code=2\n$/u);
    expect(await rig.client.listProjects()).toEqual(['p']);
    expect(await onTerminal(rig, 'project remove p', '\x04')).toContain('code=2\n');
    expect(await onTerminal(rig, 'project remove p', '\x03')).toContain('code=130\n');
    expect(await rig.client.listProjects()).toEqual(['p']);
    const right = await onTerminal(rig, 'project remove p', 'p\r');
    expect(right).toContain('Removed the project p with 1 asset (10 B).\ncode=0\n');
    expect(await rig.client.listProjects()).toEqual([]);
  });
});

describe('a registry that knows people by GitHub', () => {
  it('is served by the command of the docs, and makes no token of its own', async () => {
    const rig = await createRig();
    const github = await startGithub();
    const data = join(rig.folder, 'data');
    const words = ['--identity', 'github', '--github-url', github.url, '--admins', 'LTLA,jkanche'];
    const server = startCli(['serve', '--quiet', ...words, '--data', data, '--port', '0']);
    const url = await server.line();
    const client = (token: string) => rig.connect({ url, token, cacheDir: join(rig.folder, `cache-${token}`) });
    expect(await client('tok-admin2').whoAmI()).toEqual({ id: 'jkanche', admin: true });
    await client('tok-admin').createProject('p', { owners: ['owner-org'] });
    const ref = { project: 'p', asset: 'a', version: 'v1' };
    await client('tok-orgowner').uploadContents(ref, [{ path: 'x', content: 'x' }]);
    await expect(client('tok-owner').uploadContents(ref, [])).rejects.toMatchObject({ code: 'version-exists' });
    await expect(client('tok-owner').setPermissions('p', {})).rejects.toMatchObject({ code: 'forbidden' });
    server.child.kill('SIGTERM');
    expect(await server.end()).toEqual({ code: 0, stdout: `${url}\n`, stderr: '' });
    const { stdout } = await run(rig, 'token', 'list', '--data', data);
    expect(stdout).toBe('');
  });
});
