import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { startCli } from '../helpers/cli.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = await readFile(join(root, 'README.md'), 'utf8');
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text ?? '');

it('opens with the two commands', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(blocks('sh').slice(0, 2)).toEqual(['npm ci && npm run quickstart\n', 'npm ci && npm test\n']);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['quickstart', 'test', 'bench', 'check']));
});

it('has every exit code', () => {
  const documented = [...readme.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes = '']) =>
    codes.split(', ').map(Number),
  );
  // No space, no permission; ended by SIGHUP, SIGINT, SIGTERM.
  const others = [0, 1, 17, 18, 129, 130, 143];
  expect(documented.toSorted((a, b) => a - b)).toEqual(
    [...new Set([...Object.values(exitCodes), ...others])].toSorted((a, b) => a - b),
  );
});

it('names every command', () => {
  const named = [...readme.matchAll(/gypsum ([a-z-]+)(?: ([a-z\\|]+))?/g)].flatMap(([, first = '', second = '']) => [
    first,
    ...second.split('\\|').map((word) => `${first} ${word}`),
  ]);
  expect(Object.keys(commands).filter((name) => !named.includes(name))).toEqual([]);
});

it('leads to documents that are there', async () => {
  const links = [...readme.matchAll(/\]\(([^):#]+)(?:#([^)]+))?\)/g)];
  expect(links).not.toHaveLength(0);
  for (const [, path = '', heading] of links) {
    const text = await readFile(join(root, path), 'utf8');
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchorOf(title));
    if (heading !== undefined) expect(headings).toContain(heading);
  }
});

it('works by hand as it says, block by block', async () => {
  const folder = await tempFolder();
  // The commands as they stand, but for the port, which has to be free.
  const [, , serve = '', ...rest] = blocks('sh');
  expect(serve).toBe('npx gypsum serve --port 8080 --data my-registry\n');
  const server = startCli(['serve', '--port', '0', '--data', 'my-registry'], {}, { cwd: folder });
  const url = await server.line();

  // A folder with the package in it, as `npm install` makes it.
  await mkdir(join(folder, 'node_modules/.bin'), { recursive: true });
  await symlink(root, join(folder, 'node_modules/gypsum-client'));
  await symlink('../gypsum-client/dist/src/cli/main.js', join(folder, 'node_modules/.bin/gypsum'));
  const script = rest.join('').replaceAll('http://127.0.0.1:8080', url);
  const [program = ''] = blocks('js');
  await writeFile(join(folder, 'program.mjs'), program);
  const environment = { PATH: process.env.PATH, HOME: folder, GYPSUM_CACHE_DIR: join(folder, 'cache') };
  const { stdout } = await promisify(execFile)('bash', ['-euc', `${script}\n"${process.execPath}" program.mjs`], {
    cwd: folder,
    env: environment,
  });

  expect(stdout).toContain('Created the project my-project.');
  expect(stdout).toContain('Published my-project/my-asset/v1: 2 files, 25 B; sent 2 (25 B), linked 0 (0 B).');
  expect(stdout).toContain(`notes.txt -> ${join(folder, 'cache/bucket/my-project/my-asset/v1/notes.txt')}`);
  expect(stdout).toContain('1 file to send (14 B), 1 to link (16 B)');
  const [, status = ''] = /^```\n(my-project.*?)^```/ms.exec(readme) ?? [];
  expect(stdout).toContain(status.replace('/home/me', folder));
  expect(stdout).toContain('Published my-project/my-asset/v2: 2 files, 30 B; sent 1 (14 B), linked 1 (16 B).');
  expect(stdout).toContain('notes.txt -> my-project/my-asset/v1:/notes.txt');
  expect(stdout).toContain('0 files would be sent, 2 linked');
  // A command a line, each a process of its own.
}, 300_000);

/** Gives the name that a heading is linked by. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
