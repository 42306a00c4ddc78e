import { execFile, spawn, spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MAIN, startCli } from '../helpers/cli.ts';
import { pathsBelow } from '../helpers/entries-below.ts';
import { layOut } from '../helpers/files.ts';
import { withoutPrivileges } from '../helpers/privileges.ts';
import { snapshot } from '../helpers/snapshot.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FILES = { a: 'a', 'closed/b': 'b', secret: 's', 'stuck/c': 'c', z: 'z' };

async function setup() {
  const top = await tempFolder();
  layOut(join(top, 's'), FILES);
  layOut(join(top, 'd'), FILES);
  return top;
}

describe.runIf(withoutPrivileges !== undefined)('what may not be read or written', () => {
  const closed = (top: string, paths: Record<string, number>) => {
    for (const [path, mode] of Object.entries(paths)) {
      chmodSync(join(top, path), mode);
      onTestFinished(() => chmodSync(join(top, path), 0o700));
    }
  };
  const run = async (top: string, ...argv: string[]) => {
    const { code, stdout, stderr } = await startCli(argv, {}, { cwd: top, prefix: withoutPrivileges ?? [] }).end();
    return {
      code,
      stderr,
      states: Object.fromEntries(
        JSON.parse(stdout).files?.map(({ path, state }: Record<string, string>) => [path, state]) ?? [],
      ),
    };
  };

  it('is a failure of its own, and the rest is linked', async () => {
    const top = await setup();
    closed(top, { 's/closed': 0o000, 's/secret': 0o000, 'd/stuck': 0o555 });
    const before = snapshot(join(top, 's'));
    expect(await run(top, 'link', 's', 'd', '--json')).toEqual({
      code: 1,
      stderr: 'gypsum: 3 files failed.\n',
      states: { a: 'linked', closed: 'failed', secret: 'failed', 'stuck/c': 'failed', z: 'linked' },
    });
    expect(snapshot(join(top, 's'))).toEqual(before);
    for (const path of ['closed/b', 'secret', 'stuck/c'])
      expect(lstatSync(join(top, 'd', path)).isFile(), path).toBe(true);
    expect(readdirSync(join(top, 'd/stuck'))).toEqual(['c']);
  });

  it('is no reason to take files of the destination for missing', async () => {
    const top = await setup();
    closed(top, { 'd/closed': 0o000 });
    const { code, states } = await run(top, 'link', 's', 'd', '--create-dst', '--json');
    expect(code).toBe(1);
    expect(states).toMatchObject({ a: 'linked', 'closed/b': 'failed' });
    chmodSync(join(top, 'd/closed'), 0o700);
    expect(lstatSync(join(top, 'd/closed/b')).isFile()).toBe(true);
  });

  it('stays a link when a folder is staged', async () => {
    const top = await setup();
    layOut(join(top, 'd'), { l1: { link: '../s/a' }, l2: { link: '../s/secret' }, 'stuck/l3': { link: '../../s/a' } });
    closed(top, { 's/secret': 0o000, 'd/stuck': 0o555, 'd/closed': 0o000 });
    const { code, stderr } = await run(top, 'stage-linked-file', '--dst_dir', 'd', '--json');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /Error reading folder d\/closed: EACCES.*Error staging link d\/l2: EACCES.*Error staging link d\/stuck\/l3: EACCES.*3 links could not be staged/s,
    );
    expect(lstatSync(join(top, 'd/l1')).isFile()).toBe(true);
    expect(readlinkSync(join(top, 'd/l2'))).toBe('../s/secret');
    expect(readdirSync(join(top, 'd/stuck'))).toEqual(['c', 'l3']);
  });
});

it('Ctrl-C leaves files and links, and another run finishes', async () => {
  const top = await tempFolder();
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`d${at % 9}/f${at}`, `content ${at}`]));
  for (const folder of ['s', 'd']) layOut(join(top, folder), many);
  const isLink = (path: string) => lstatSync(join(top, 'd', path)).isSymbolicLink();
  const running = startCli(['link', 's', 'd', '--quiet'], {}, { cwd: top });
  while (running.child.exitCode === null && !isLink('d0/f0')) await setTimeout(1);
  running.child.kill('SIGINT');
  const { code } = await running.end();
  expect([0, 130]).toContain(code);
  for (const [path, content] of Object.entries(many)) expect(readFileSync(join(top, 'd', path), 'utf8')).toBe(content);
  expect(pathsBelow(join(top, 'd')).filter((path) => path.includes('..gypsum'))).toEqual([]);
  expect((await startCli(['link', 's', 'd'], {}, { cwd: top }).end()).code).toBe(0);
  expect(Object.keys(many).filter((path) => !isLink(path))).toEqual([]);
});

const hasScript = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') === true;

describe.skipIf(!hasScript)('on a terminal, create-links', () => {
  async function answer(top: string, keys: string): Promise<string> {
    const line = `"${process.execPath}" "${MAIN}" create-links --src_dir s --dst_dir new --replace_links; echo "code=$?"`;
    const child = spawn('script', ['-qec', line, '/dev/null'], { cwd: top, stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let shown = '';
    let typed = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      if (typed || !shown.includes('(y/n): ')) return;
      typed = true;
      child.stdin.write(keys);
    });
    return new Promise((resolve) =>
      child.on('close', () => resolve(stripVTControlCharacters(shown).replaceAll('\r\n', '\n'))),
    );
  }

  it('asks whether a folder shall be made, and names it', async () => {
    const top = await setup();
    const refused = await answer(top, 'n\r');
    expect(refused).toContain(`Destination directory ${join(top, 'new')} does not exist. Would you like to create it`);
    expect(refused).toMatch(/Destination directory .*\/new not created\.\n[\s\S]*code=2\n$/);
    expect(await answer(top, '\x03')).toContain('code=130\n');
    expect(readdirSync(top)).toEqual(['d', 's']);
    const made = await answer(top, 'y\r');
    expect(made).toMatch(
      /Created destination directory: new\n[\s\S]*Replaced 5 files with symbolic links\.\n[\s\S]*code=0\n$/,
    );
    expect(readlinkSync(join(top, 'new/closed/b'))).toBe('../../s/closed/b');
  });
});

it('docs/linking-folders.md works as it says', async () => {
  const top = await tempFolder();
  const docs = readFileSync(join(root, 'docs/linking-folders.md'), 'utf8');
  const block = (language: string) => docs.match(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms'))?.[1] ?? '';
  layOut(top, {
    'bin/gypsum': { link: MAIN },
    'node_modules/gypsum-client': { link: root },
    'program.mjs': block('js'),
  });
  const environment = { PATH: `${join(top, 'bin')}:${process.env.PATH}`, HOME: top };
  const script = `${block('sh')}\n"${process.execPath}" program.mjs`;
  const { stdout } = await promisify(execFile)('bash', ['-euc', script], { cwd: top, env: environment });
  expect(stdout).toBe(
    [
      'different  2.csv',
      'same       raw/1.csv',
      '2 files: 1 equal, 1 different',
      ...['different  2.csv', '2 files: 1 linked, 1 different'],
      'Staged 1 file.',
      ...['different  2.csv', '2 files: 1 linked, 1 different'],
      '0 files linked\n',
    ].join('\n'),
  );
  expect(lstatSync(join(top, 'copies/raw/1.csv')).isFile()).toBe(true);
});
