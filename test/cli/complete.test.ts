import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { complete, printCandidates } from '../../src/cli/complete.ts';
import { scripts } from '../../src/cli/completion-scripts.ts';
import { callCli } from '../helpers/call-cli.ts';
import { MAIN } from '../helpers/cli.ts';
import { layOut } from '../helpers/files.ts';
import { createRig } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

let folder: string;
let cacheDir: string;

beforeEach(async () => {
  folder = await tempFolder();
  cacheDir = join(folder, 'cache');
  layOut(cacheDir, {
    'bucket/proj/data/v1/x': 'x',
    'bucket/proj/data/..latest': '{}',
    'bucket/proj/my data/v1': 'folder/',
    'bucket/proj/other/2024': 'folder/',
    'bucket/..logs/x': 'x',
    'bucket/evil\u001b[31m/a/v': 'folder/',
    '.gypsum-client/1/versions/proj/data/v2': 'folder/',
    '.gypsum-client/1/versions/proj/data/v1/..manifest': JSON.stringify({
      'sub/a': {},
      'sub/b': {},
      'c:d': {},
      '.gypsum-tree.json': {},
    }),
  });
  vi.stubEnv('GYPSUM_CONFIG_DIR', join(folder, 'config'));
  vi.stubEnv('GYPSUM_CACHE_DIR', cacheDir);
  return () => vi.unstubAllEnvs();
});

describe('what a word can become', () => {
  it.each<[string[], string[]]>([
    [['con'], ['config']],
    [['proj'], ['project', 'projects']],
    [['--v'], ['--version']],
    [
      ['config', ''],
      ['get', 'set', 'unset', 'list'],
    ],
    [
      ['config', 'set', 'c'],
      ['cache', 'concurrency', 'ca'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['clone', '--me'], ['--merge']],
    [['clone', '--mode', 'c'], ['copy']],
    [['files', '--j'], ['--json']],
    [
      ['upload', '--links', ''],
      ['auto', 'always', 'never'],
    ],
    [
      ['upload', '--links=a'],
      ['--links=auto', '--links=always'],
    ],
    [['serve', '--data', ''], [':files']],
    [['serve', '--port', ''], []],
    [['clone', 'p'], ['proj/']],
    [['ls', './'], [':files']],
    [
      ['cat', 'proj/data/v1'],
      ['proj/data/v1', 'proj/data/v1:/'],
    ],
    [['tree', 'proj/data/v1:/s'], ['proj/data/v1:/sub/']],
    [['assets', 'p'], ['proj']],
    [['versions', 'proj/d'], ['proj/data']],
    [
      ['clone', 'proj/'],
      ['proj/data', 'proj/my data', 'proj/other'],
    ],
    [
      ['clone', 'proj/d'],
      ['proj/data', 'proj/data/'],
    ],
    [
      ['clone', 'proj/data/'],
      ['proj/data/v1', 'proj/data/v2'],
    ],
    [['clone', '--merge', '--registry', 'https://gypsum.artifactdb.com', 'p'], ['proj/']],
    [['clone', 'proj/data', ''], [':files']],
    [['clone', 'proj/data', 'x', ''], []],
    [['upload', ''], [':files']],
    [['upload', 'folder', 'proj/d'], ['proj/data/']],
    [['upload', '--', '-folder', 'p'], ['proj/']],
    [
      ['path', 'proj/data/v1'],
      ['proj/data/v1', 'proj/data/v1:/'],
    ],
    [
      ['path', 'proj/data/v1:/'],
      ['proj/data/v1:/sub/', 'proj/data/v1:/c:d'],
    ],
    [
      ['path', 'proj/data/v1:/sub/'],
      ['proj/data/v1:/sub/a', 'proj/data/v1:/sub/b'],
    ],
    [['diff', 'p'], ['proj/']],
    [['diff', './'], [':files']],
    [['path', 'proj/data/v2:/'], []],
    [['clone', 'proj/data/v1/'], []],
    [['clone', '../'], []],
    [['clone', 'proj/../'], []],
    [['clone', 'evil'], []],
    [['clone', '--cache', '/nonexistent', 'p'], []],
    [['nope', ''], []],
    [['constructor', ''], []],
    [['config', 'nope', ''], []],
  ])('%j: %j', async (words, candidates) => {
    expect(await complete(words)).toEqual(candidates);
  });

  it('is every command, and for each one its flags', async () => {
    const firsts = Object.keys(commands).map((name) => name.split(' ')[0]);
    expect(await complete([''])).toEqual([...new Set(firsts), '--help', '--version']);
    expect(await complete([])).toEqual(await complete(['']));
    for (const name of Object.keys(commands)) {
      expect(await complete([...name.split(' '), '--'])).toEqual(expect.arrayContaining(['--json', '--help']));
    }
  });

  it('is what was fetched, and the registry is not asked', async () => {
    const rig = await createRig({ versions: { 'real/a/v1': { 'x y': 'x' } } });
    await rig.client.saveVersion({ project: 'real', asset: 'a', version: 'v1' });
    rig.registry.resetCalls();
    const at = ['--registry', `${rig.registry.url.replace('http', 'HTTP')}//`, `--cache=${rig.cacheDir}`];
    expect(await complete(['files', ...at, 'real/a/'])).toEqual(['real/a/v1']);
    expect(await complete(['path', ...at, 'real/a/v1:/x'])).toEqual(['real/a/v1:/x y']);
    expect(rig.registry.calls).toEqual([]);
  });

  it('is nothing, silently, where something fails', async () => {
    const print = vi.fn();
    const rig = await createRig({ versions: { 'real/a/v1': { x: 'x' } } });
    await rig.client.saveVersion({ project: 'real', asset: 'a', version: 'v1' });
    // Another registry's cache.
    await printCandidates(['--', 'files', '--registry', 'http://127.0.0.1:9', '--cache', rig.cacheDir, 'r'], print);
    layOut(folder, { 'config/config.json': 'broken' });
    await printCandidates(['--', 'files', 'p'], print);
    vi.stubEnv('GYPSUM_CONFIG_DIR', join(folder, 'elsewhere'));
    writeFileSync(join(cacheDir, '.gypsum-client/1/versions/proj/data/v1/..manifest'), 'broken');
    await printCandidates(['--', 'path', 'proj/data/v1:/'], print);
    expect(print.mock.calls.flat().join('')).toBe('');
    await printCandidates(['--', 'files', 'p'], print);
    expect(print).toHaveBeenLastCalledWith('proj/\n');
  });
});

/** Folders for a shell that finds the built command, and nothing of the user who runs this. */
function shellEnvironment(): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(MAIN, join(bin, 'gypsum'));
  return { PATH: `${bin}:${process.env.PATH}`, HOME: folder, GYPSUM_CACHE_DIR: cacheDir };
}

async function runShell(shell: string, args: readonly string[], script: string): Promise<string[]> {
  const { stdout, stderr } = await promisify(execFile)(shell, [...args, script], {
    env: shellEnvironment(),
    cwd: cacheDir,
  });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

const missing = (shell: string) => spawnSync(shell, ['--version']).error !== undefined;
for (const shell of ['zsh', 'fish']) {
  if (missing(shell)) process.stdout.write(`Completion is not tried in ${shell}: it is not installed.\n`);
}

describe('gypsum completion', () => {
  it.each(['bash', 'zsh', 'fish'] as const)('prints a script for %s', async (shell) => {
    const { code, stdout } = await callCli(['completion', shell]);
    expect(code).toBe(0);
    expect(stdout).toBe(scripts[shell]);
    expect(stdout).toContain('command gypsum __complete -- ');
    expect(stdout).toContain(`gypsum completion ${shell}`);
    expect(await callCli(['completion', 'tcsh'])).toMatchObject({ code: 2 });
  });

  it('completes in bash, whatever bash takes for the end of a word', async () => {
    const cases: [string, string][] = [
      ["gypsum ''", 'serve'],
      ['gypsum con', 'config'],
      ['gypsum clone proj/', 'proj/data|proj/my\\ data|proj/other'],
      ["gypsum clone 'proj/my\\ '", 'proj/my\\ data|proj/my\\ data/'],
      ["gypsum clone '\"proj/my '", 'proj/my data|proj/my data/'],
      ['gypsum path proj/data/v1 : /', '/sub/|/c:d'],
      ['gypsum path proj/data/v1 : /c : ', 'd'],
      ['gypsum upload --links = au', 'auto'],
      ['gypsum upload buck', 'bucket'],
      ['gypsum nope x', ''],
    ];
    const lines = cases.map(([words]) => `t ${words}`).join('\n');
    const replies = await runShell(
      'bash',
      ['--norc', '-uc'],
      `source <(gypsum completion bash)
       t() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gypsum; local IFS='|'; echo "\${COMPREPLY[*]-}"; }
       complete -p gypsum
       ${lines}
       echo end`,
    );
    expect(replies[0]).toBe('complete -F _gypsum gypsum');
    expect(replies[1]).toMatch(/^serve\|/);
    expect(replies.slice(2, -1)).toEqual(cases.slice(1).map(([, reply]) => reply));
  });

  it.skipIf(missing('zsh'))('completes in zsh', async () => {
    const replies = await runShell(
      'zsh',
      ['-fc'],
      `compdef() { print "compdef $*" }; compadd() { shift \${@[(i)--]}; (( $# )) && print -r -- "\${(j:|:)@}" }; _files() { print files }
       source <(gypsum completion zsh)
       t() { words=("$@"); CURRENT=$#; _gypsum }
       t gypsum con; t gypsum path proj/data/v1:/; t gypsum clone 'proj/my\\ '; t gypsum upload ''; t gypsum nope x; t gypsum clone p; print end`,
    );
    expect(replies).toEqual([
      'compdef _gypsum gypsum',
      'config',
      'proj/data/v1:/sub/',
      'proj/data/v1:/c:d',
      'proj/my data/',
      'proj/my data',
      'files',
      'proj/',
      'end',
    ]);
  });

  it.skipIf(missing('fish'))('completes in fish', async () => {
    const replies = await runShell(
      'fish',
      ['--no-config', '-c'],
      `gypsum completion fish | source
       for line in 'gypsum con' 'gypsum path proj/data/v1:/' 'gypsum clone proj/my\\\\ ' 'gypsum nope x'
         complete -C "$line" | string join '|'
       end
       echo end`,
    );
    expect(replies).toEqual([
      'config',
      'proj/data/v1:/c:d|proj/data/v1:/sub/',
      expect.stringMatching(/^proj\/my/),
      'end',
    ]);
  });

  it('is not in the list of commands, nor loud', async () => {
    const run = promisify(execFile);
    const options = { env: shellEnvironment() };
    expect((await run('gypsum', ['--help'], options)).stdout).not.toContain('__complete');
    expect(await run('gypsum', ['__complete', '--', 'clone', 'p'], options)).toEqual({ stdout: 'proj/\n', stderr: '' });
    const odd = { env: { ...options.env, GYPSUM_CACHE_DIR: '/dev/null/x', GYPSUM_URL: 'http://[' } };
    expect(await run('gypsum', ['__complete', '--', 'clone', 'p'], odd)).toEqual({ stdout: '', stderr: '' });
    expect(await run('gypsum', ['__complete'], options)).toMatchObject({ stdout: expect.stringMatching(/^serve\n/) });
  });
});
