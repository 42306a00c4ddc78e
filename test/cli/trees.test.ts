import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type MockRegistry, startMockRegistry } from '../../mocks/index.ts';
import { callCli } from '../helpers/call-cli.ts';
import { layOut } from '../helpers/files.ts';
import { readFixture, versionFiles } from '../helpers/fixture-tree.ts';

const REF = 'p/links/v';
const record = (entry: unknown) => JSON.stringify({ 'gypsum-tree': 1, entries: [entry] });
const MTIME = '2026-01-02T03:04:05.123456789Z';
const seed = {
  versions: {
    'p/testdata/v': versionFiles(readFixture('testdata')),
    'p/hex/v': { x: 'hello tests!', long: '0123456789abcdef\n\xff' },
    'p/modes/v': { '.gypsum-tree.json': record({ path: 'empty', type: 'dir', mode: '0750', mtime: MTIME }) },
    'p/stale/v': { x: 'x', '.gypsum-tree.json': record({ path: 'gone', type: 'file', mode: '0755' }) },
    [REF]: versionFiles(readFixture('test_symlinks')),
    'p/data/v0': { 'test.md': 'hello tests!' },
    'p/data/v1': { 'test.md': 'exists' },
    'p/level/v': {
      ...versionFiles([
        { path: 'level2/hello.txt', type: 'file', content: 'hello level 2' },
        { path: 'level2/level3', type: 'dir' },
        { path: 'level3', type: 'symlink', target: 'level2/level3', target_type: 'dir' },
      ]),
    },
  },
};

let registry: MockRegistry;
let folder: string;

beforeAll(async () => {
  registry = await startMockRegistry({ seed });
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gypsum-test-')));
  return async () => {
    await registry.close();
    rmSync(folder, { recursive: true });
  };
});

const run = (argv: readonly string[], { colors = false, cache = 'cache' } = {}) =>
  callCli([...argv, '--registry', registry.url, '--cache', join(folder, cache)], { colors });

describe('cat', () => {
  it.each([
    ['symlinks to folders and a file', `${REF}:/dir_link_link/parent_dir/dir_link/sibling_dir_file.md`, '= Hello =\n'],
    ['".." behind a symlink', `${REF}:/dir_link_deep/../readme.md`, '= This is a real markdown file. =\n'],
    ['".." behind a symlink to a deeper folder', 'p/level/v:/level3/../hello.txt', 'hello level 2'],
    ['a file', 'p/data/v0:/test.md', 'hello tests!'],
    ['a file of the latest version', 'p/data:/test.md', 'exists'],
    ['a file that is empty', `${REF}:/sub/deep/a_file.txt`, ''],
  ])('prints what %s leads to', async (_what, path, text) => {
    expect(await run(['cat', path])).toMatchObject({ code: 0, stdout: text });
  });

  it.each([
    ['a symlink to itself', `${REF}:/sub/infinite_loop`, 5, 'too many levels of symlinks'],
    ['a symlink out of the version', `${REF}:/dir_outside`, 5, 'ascends beyond the root'],
    ['nothing', `${REF}:/nope`, 5, 'there is nothing at "/nope"'],
    ['an absent version', 'p/data/v2:/test.md', 5, 'has no version p/data/v2'],
    ['an empty part', `${REF}:/sub//readme.md`, 2, 'no path in a tree'],
    ['a version without its names', 'p', 2, 'is not a ref'],
  ])('says what is wrong with %s', async (_what, path, code, message) => {
    const outcome = await run(['cat', path]);
    expect(outcome).toEqual({ code, stdout: '', stderr: expect.stringContaining(message) });
  });

  it('fetches the file that is printed, and no other', async () => {
    registry.resetCalls();
    await run(['cat', `${REF}:/file_link_link`], { cache: 'cold' });
    const files = registry.calls.map(({ key = '' }) => key).filter((key) => !key.includes('/..'));
    expect(files).toEqual([`${REF}/.gypsum-tree.json`, `${REF}/realfile.txt`]);
  });

  it('prints bytes as numbers', async () => {
    expect((await run(['cat', '--hexdump', 'p/hex/v:/x'])).stdout).toBe(
      'Length: 12 (0xc) bytes\n00000000  68 65 6c 6c 6f 20 74 65  73 74 73 21              |hello tests!|\n',
    );
    expect((await run(['cat', '-x', 'p/hex/v:/long'])).stdout.split('\n').slice(1)).toEqual([
      '00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|',
      '00000010  0a c3 bf                                          |...|',
      '',
    ]);
  });

  it('lists a folder, as text and as JSON', async () => {
    expect((await run(['cat', 'p/testdata/v:/subfolder'])).stdout).toBe(
      'p/testdata/v:/subfolder: 2 files, 27 B; with folders 2 files, 27 B\n' +
        'mode  size  modified  name\n       4 B            sub2.md\n      23 B            subexists.md\n',
    );
    const { entries } = JSON.parse((await run(['cat', 'p/testdata/v', '--json'])).stdout);
    expect(entries).toContainEqual({ name: 'emptyfolder', type: 'directory', size: 0, files: 1 });
    expect(entries).toContainEqual({ name: 'subfolder', type: 'directory', size: 27, files: 2 });
    const file = JSON.parse((await run(['cat', 'p/testdata/v:/test.md', '--json'])).stdout);
    expect(file.entries).toMatchObject([{ name: 'test.md', type: 'file', size: 12 }]);
  });

  it('prints a file of a local folder', async () => {
    layOut(folder, { 'tree/a': 'content', 'tree/sub/l': { link: '../a' }, 'tree/out': { link: '../b' }, b: 'no' });
    expect((await run(['cat', `${folder}/tree:/sub/l`])).stdout).toBe('content');
    expect(await run(['cat', `${folder}/tree:/out`])).toMatchObject({ code: 5, stdout: '' });
  });
});

describe('a local file', () => {
  const items = { 'home/x': 'content', 'home/l': { link: '../far/y' }, 'home/in': { link: 'x' }, 'far/y': 'far away' };
  const at = (path: string) => join(folder, path);

  it('is printed, listed and shown', async () => {
    layOut(folder, { ...items, home2: { link: 'home' } });
    expect((await run(['cat', at('home/x')])).stdout).toBe('content');
    expect((await run(['cat', at('home/x'), '-x'])).stdout).toContain('Length: 7 (0x7) bytes');
    expect((await run(['ls', at('home/x')])).stdout).toMatch(/1 file, 7 B(?:.|\n)*\bx\n$/);
    expect((await run(['stat', at('home/x')])).stdout).toMatch(new RegExp(`^${at('home')}:/x\n  type +file\n`));
    expect((await run(['resolve', at('home/x')])).stdout).toBe(`${at('home')}:/x\n/x (file)\n`);
    expect((await run(['cat', at('home/nothing')])).code).not.toBe(0);
  });

  it('is what a symlink leads to, which is shown itself and traced in its folder', async () => {
    expect((await run(['cat', at('home/l')])).stdout).toBe('far away');
    expect((await run(['stat', at('home/l')])).stdout).toContain('target    ../far/y (a file)');
    expect((await run(['stat', at('home2')])).stdout).toContain('target    home (a folder)');
    expect((await run(['resolve', at('home/in')])).stdout).toContain('/in -> x\n');
    expect((await run(['resolve', at('home/l')])).code).toBe(5);
  });
});

describe('ls', () => {
  it('shows symlinks with what they lead to, sums, and folders with a slash', async () => {
    const { stdout } = await run(['ls', REF]);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe(`${REF}: 10 files, 412 B; with folders 20 files, 456 B`);
    expect(lines.slice(2, 14).map((line) => line.trim().replace(/^\d+ B\s+/, ''))).toEqual([
      'absolute_links.txt',
      'broken_rel_link.txt -> non-existing-target',
      'dir_link -> sub',
      'dir_link_deep -> sub/deep',
      'dir_link_link -> dir_link',
      'dir_outside -> ../',
      'file_link -> realfile.txt',
      'file_link_link -> file_link',
      'file_outside -> ../file_outside',
      'realfile.txt',
      'sub/',
      'sub2/',
    ]);
  });

  it('shows broken symlinks red where there are colors, and nowhere else', async () => {
    const { stdout } = await run(['ls', REF], { colors: true });
    expect(stdout).toContain('\u001b[31mbroken_rel_link.txt\u001b[39m -> \u001b[31mnon-existing-target\u001b[39m');
    expect(stdout).toContain('\u001b[36mdir_link\u001b[39m -> \u001b[34msub\u001b[39m');
    expect(stdout).toContain('\u001b[36mfile_link\u001b[39m -> realfile.txt');
    expect((await run(['tree', REF], { colors: true })).stdout).toContain('\u001b[31minfinite_loop\u001b[39m');
    for (const words of [
      ['ls', REF],
      ['tree', REF],
      ['ls', REF, '--json'],
    ]) {
      expect((await run(words)).stdout).not.toContain('\u001b');
    }
    expect((await run(['ls', REF, '--json'], { colors: true })).stdout).not.toContain('\u001b');
  });

  it('shows modes and times, and empty folders', async () => {
    expect((await run(['ls', 'p/modes/v'])).stdout.split('\n').slice(2)).toEqual([
      'rwxr-x---   0 B  2026-01-02 03:04:05  empty/',
      '',
    ]);
    expect((await run(['ls', 'p/modes/v:/empty'])).stdout).toBe(
      'p/modes/v:/empty: 0 files, 0 B; with folders 0 files, 0 B\n',
    );
  });

  it('warns of what the record has wrong, on the other output, and not if that is to be quiet', async () => {
    const { stdout, stderr } = await run(['ls', 'p/stale/v']);
    expect(stderr).toContain('"gone" is a file in the tree record, and none of the version; it is left out.');
    expect(stdout).not.toContain('gone');
    expect((await run(['ls', 'p/stale/v', '--quiet'])).stderr).toBe('');
  });

  it('lists a local folder, and says what is no folder', async () => {
    layOut(folder, { 'tree/a:b/x': 'content', 'tree/l': { link: 'a:b' } });
    expect((await run(['ls', `${folder}/tree`])).stdout).toContain('l -> a:b\n');
    expect((await run(['ls', `${folder}/tree:/l`])).stdout).toContain('7 B');
    expect(await run(['tree', join(folder, 'tree/a:b/x')])).toMatchObject({ code: 2, stdout: '' });
    expect((await run(['ls', join(folder, 'nothing')])).code).not.toBe(0);
  });
});

it('files has no record, which manifest has', async () => {
  expect((await run(['files', 'p/stale/v'])).stdout).toBe('x\n');
  expect((await run(['manifest', 'p/stale/v'])).stdout).toContain('.gypsum-tree.json');
});

describe('tree', () => {
  it('prints the fixture to the letter, under the ref as it was typed', async () => {
    const { stdout } = await run(['tree', 'p/links']);
    const expected = readFileSync(new URL('../fixtures/test_symlinks.tree.txt', import.meta.url), 'utf8');
    expect(stdout).toBe(expected.replace('REF as typed', 'p/links'));
  });

  it('gives all of it as JSON, folder in folder', async () => {
    const root = JSON.parse((await run(['tree', 'p/testdata/v', '--json'])).stdout);
    expect(root).toMatchObject({ name: 'p/testdata/v', type: 'directory', size: 80, files: 8 });
    const names = '.hidden.txt .subhidden another.md emptyfolder noextension subfolder test.md';
    expect(root.sub.map(({ name }: { name: string }) => name)).toEqual(names.split(' '));
    expect(root.sub[5].sub).toMatchObject([
      { name: 'sub2.md', type: 'file', size: 4 },
      { name: 'subexists.md', type: 'file', size: 23 },
    ]);
    expect(root.sub[4]).toMatchObject({ type: 'file', size: 0 });
    expect((await run(['tree', 'p/testdata/v', '--details'])).stdout).toContain(
      '├── [----  0 -------------------] noext',
    );
    expect(await run(['tree', 'p/testdata/v:/test.md'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is no folder'),
    });
  });
});

describe('resolve', () => {
  it('shows a path symlink by symlink', async () => {
    const { code, stdout } = await run(['resolve', `${REF}:/dir_link_link/sibling_dir_file.md`]);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      `${REF}:/dir_link_link/sibling_dir_file.md`,
      '  /dir_link_link -> dir_link',
      '    /dir_link/sibling_dir_file.md',
      '  /dir_link -> sub',
      '    /sub/sibling_dir_file.md',
      '  /sub/sibling_dir_file.md -> ../sub2/hello.md',
      '    /sub/../sub2/hello.md',
      '/sub2/hello.md (file)',
      '',
    ]);
  });

  it('shows how far it gets, and fails where that is nowhere', async () => {
    const { code, stdout, stderr } = await run(['resolve', `${REF}:/dir_link/parent_dir/../x`]);
    expect(code).toBe(5);
    expect(stdout.split('\n')).toContain('  /sub/parent_dir -> ..');
    expect(stderr).toContain('ascends beyond the root');
    const json = await run(['resolve', `${REF}:/file_link/`, '--json']);
    expect(json.code).toBe(5);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ref: { project: 'p', asset: 'links', version: 'v' },
      asked: '/file_link/',
      resolved: { kind: 'not-directory', at: 'realfile.txt', steps: [{ path: 'file_link', target: 'realfile.txt' }] },
    });
    expect((await run(['resolve', REF])).stdout).toBe(`${REF}\n/ (directory)\n`);
  });
});

describe('stat', () => {
  it('shows a symlink itself, and what it leads to behind a slash', async () => {
    expect((await run(['stat', `${REF}:/dir_link`])).stdout).toBe(
      `${REF}:/dir_link\n  type      symlink\n  target    sub (a folder)\n`,
    );
    expect((await run(['stat', `${REF}:/dir_link/`])).stdout).toBe(
      `${REF}:/sub\n  type      directory\n  files     8 files\n  size      34 B\n`,
    );
    expect((await run(['stat', `${REF}:/dir_link/infinite_loop`])).stdout).toContain('infinite_loop (leads nowhere)');
    const json = JSON.parse((await run(['stat', `${REF}:/realfile.txt`, '--json'])).stdout);
    expect(json).toMatchObject({ path: '/realfile.txt', type: 'file', size: 21, md5sum: expect.any(String) });
  });
});
