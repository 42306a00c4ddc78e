import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { claimReplica } from '../../src/state/replica-claims.ts';
import { freshName } from '../../src/tree/put-file.ts';
import { callCli } from '../helpers/call-cli.ts';
import { MAIN, startCli } from '../helpers/cli.ts';
import { age, look, makePair, type Pair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

function run(argv: readonly string[], { top, input = '' }: { top: string; input?: string }) {
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', GYPSUM_STATE_DIR: join(top, '../state') };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'compat', 'synctool', ...argv], {
    cwd: top,
    env,
    input,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

/** The messages of a log, which are as those of Python. */
function messages(log: string): string[] {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - root - [A-Z]+ - /);
  return lines.map((line) => line.replace(/^\S+ \S+ - root - /, ''));
}

const STARTED = 'INFO - Started Logging for src \\n dst/';
const FINISHED = 'INFO - Finished folder sync src \\n dst/';

afterEach(() => vi.unstubAllEnvs());

describe('gypsum compat synctool', () => {
  it('says what it does as synctool does, and nothing where nothing is to be done', async () => {
    const pair = await makePair({ a: 'x', 'd/b': 'y', e: 'folder/' }, { 'gone/c': 'c', a: 'other' });
    const argv = ['-s', 'src', '-d', 'dst/', '-l', 'log'];
    const { code, stdout, stderr } = run(argv, pair);
    const done = [
      'Removed file in destination dst/gone/c',
      'Removed folder in destination dst/gone',
      'Copied src/a to destination folder',
      'Created Directory in destination folder: dst/d',
      'Copied src/d/b to destination folder',
      'Created Directory in destination folder: dst/e',
    ];
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n').slice(0, -1)).toEqual(done);
    expect(messages(join(pair.top, 'log'))).toEqual([STARTED, ...done.map((line) => `INFO - ${line}`), FINISHED]);
    expect(await look(pair.dst)).toEqual(await look(pair.src));

    rmSync(join(pair.top, 'log'));
    expect(run(argv, pair)).toEqual({ code: 0, stdout: '0 changes: 4 unchanged\n', stderr: '' });
    expect(messages(join(pair.top, 'log'))).toEqual([STARTED, FINISHED]);
    chmodSync(join(pair.src, 'a'), 0o711);
    expect(run(argv, pair).stdout).toContain('Changed mode in destination of dst/a\n');
  });

  it('does what synctool did in the runs that its own log tells of', async () => {
    const empty = (...paths: string[]) => Object.fromEntries(paths.map((path) => [path, '']));
    const files = {
      ...empty('dir1/dummy1.txt', 'dir1/dummy2.txt', 'dir1/dummy3.txt', 'dir2/dummy1.txt', 'dir2/dummy2.txt'),
      ...empty('dir2/dir1/dummy1.txt', 'dir3/dummy1.txt', 'dummy1.txt', 'dummy2.txt', 'dummy3.txt'),
    };
    const pair = await makePair(files);
    rmSync(pair.dst, { recursive: true });
    const argv = ['-s', 'src/', '-d', 'dst/', '-l', 'log'];
    const lines = (input = '') =>
      run(argv, { ...pair, input })
        .stdout.trimEnd()
        .split('\n')
        .slice(0, -1);
    const copied = (path: string) => `Copied src/${path} to destination folder`;
    const folder = (path: string) => `Created Directory in destination folder: dst/${path}`;
    expect(lines('Y\n')).toEqual([
      'Creating directory at: dst/',
      ...[folder('dir1'), ...[1, 2, 3].map((n) => copied(`dir1/dummy${n}.txt`))],
      ...[folder('dir2'), folder('dir2/dir1'), copied('dir2/dir1/dummy1.txt')],
      ...[1, 2].map((n) => copied(`dir2/dummy${n}.txt`)),
      ...[folder('dir3'), copied('dir3/dummy1.txt'), ...[1, 2, 3].map((n) => copied(`dummy${n}.txt`))],
    ]);
    expect(lines()).toEqual([]);
    writeFileSync(join(pair.src, 'dir1/dummy1.txt'), 'changed');
    expect(lines()).toEqual([copied('dir1/dummy1.txt')]);
    rmSync(join(pair.dst, 'dir3'), { recursive: true });
    expect(lines()).toEqual([folder('dir3'), copied('dir3/dummy1.txt')]);
    writeFileSync(join(pair.dst, 'dir2/somethhing.docx'), 'extra');
    const time = 'Changed time in destination of dst/dir2';
    expect(lines()).toEqual(['Removed file in destination dst/dir2/somethhing.docx', time]);
    writeFileSync(join(pair.src, '.gitignore'), 'log');
    expect(lines()).toEqual([copied('.gitignore')]);
    rmSync(join(pair.src, 'dummy1.txt'));
    expect(lines()).toEqual(['Removed file in destination dst/dummy1.txt']);
    expect(await look(pair.dst)).toEqual(await look(pair.src));
    expect(messages(join(pair.top, 'log')).filter((line) => line.startsWith('INFO - Started'))).toHaveLength(7);
  });

  it('copies what has another content, whatever its size and time', async () => {
    const pair = await makePair({ a: 'x', b: 'b' }, { a: 'y', b: 'b' });
    for (const root of [pair.src, pair.dst]) for (const path of ['a', 'b']) age(join(root, path));
    const { stdout } = run(['-s', 'src', '-d', 'dst', '-l', 'log'], pair);
    expect(stdout.split('\n')[0]).toBe('Copied src/a to destination folder');
    expect(stdout).not.toContain('src/b');
    expect(readFileSync(join(pair.dst, 'a'), 'utf8')).toBe('x');
  });

  it.skipIf(process.platform === 'win32')(
    'tells of what cannot be copied, and fails for what could not be',
    async () => {
      const pair = await makePair({ a: 'x', d: 'folder/' });
      execFileSync('mkfifo', [join(pair.src, 'pipe')]);
      const argv = ['-s', 'src', '-d', 'dst', '-l', 'log'];
      expect(run(argv, pair)).toMatchObject({
        code: 0,
        stderr: 'Skipped src/pipe: it is a FIFO, a socket or a device\n',
      });
      expect(messages(join(pair.top, 'log'))).toContain(
        'WARNING - Skipped src/pipe: it is a FIFO, a socket or a device',
      );
      // A folder in which somebody is at work does not go.
      rmSync(join(pair.src, 'd'), { recursive: true });
      writeFileSync(join(pair.src, 'd'), 'a file by now');
      writeFileSync(freshName(join(pair.dst, 'd')), 'in the making');
      const { code, stderr } = run(argv, pair);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^Couldn't copy src\/d: E\w+: .+$/m);
      expect(stderr).toContain('gypsum: 1 entry could not be replicated; all others are.\n');
      expect(messages(join(pair.top, 'log'))).toContainEqual(expect.stringMatching(/^ERROR - Couldn't copy src\/d: E/));
    },
  );

  it('makes a destination that is not there if that is entered, and nothing else is', async () => {
    const pair = await makePair({ a: 'x' });
    const argv = ['-s', 'src', '-d', 'new/deep', '-l', 'log'];
    for (const input of ['y\n', '', 'no\n']) {
      const { code, stderr } = run(argv, { ...pair, input });
      expect(code).toBe(2);
      expect(stderr).toContain(
        "Folder doesn't exist at new/deep.\n Enter Y to create a folder at destination\ngypsum: Create a folder at new/deep\n",
      );
      expect(existsSync(join(pair.top, 'new'))).toBe(false);
      expect(existsSync(join(pair.top, 'log'))).toBe(false);
    }
    const { code, stdout } = run(argv, { ...pair, input: 'Y\n' });
    expect(code).toBe(0);
    expect(stdout).toContain('Creating directory at: new/deep\nCopied src/a to destination folder\n');
    expect(readFileSync(join(pair.top, 'new/deep/a'), 'utf8')).toBe('x');
  });

  it.each<[string, string, (pair: Pair) => string[]]>([
    ['nothing', 'gypsum: Folder not found at: \n', () => []],
    [
      'a source that is not there',
      'gypsum: Folder not found at: none\n',
      () => ['-s', 'none', '-d', 'dst', '-l', 'log'],
    ],
    [
      'a source that is a file',
      'gypsum: Folder not found at: src/a\n',
      () => ['-s', 'src/a', '-d', 'dst', '-l', 'log'],
    ],
    ['a log in the source', 'src, and would change with it.', () => ['-s', 'src', '-d', 'dst', '-l', 'src/log']],
    ['a log in the destination', 'dst, and would change with it.', () => ['-s', 'src', '-d', 'dst', '-l', 'dst/log']],
    ['a log where no folder is', 'There can be no log at', () => ['-s', 'src', '-d', 'dst', '-l', 'none/log']],
    ['one folder', 'are one folder, or one lies in the other', () => ['-s', 'src', '-d', 'src', '-l', 'log']],
    ['no interval', 'longer than 0', () => ['-s', 'src', '-d', 'dst', '-i', '0']],
    ['an interval that is none', 'duration', () => ['-s', 'src', '-d', 'dst', '-i', 'often']],
  ])('refuses %s before anything is made', async (_, message, argv) => {
    const pair = await makePair({ a: 'x' });
    const before = snapshot(pair.top);
    const { code, stderr } = run(argv(pair), pair);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(snapshot(pair.top)).toEqual(before);
  });

  it('goes on at its interval until Ctrl-C, which is no failure', async () => {
    const { top, src, dst } = await makePair({ a: 'x' });
    mkdirSync(join(src, 'd'));
    const running = startCli(['compat', 'synctool', '-s', src, '-d', dst, '-l', join(top, 'log'), '-i', '0.002'], {});
    expect(await running.line()).toBe(`Copied ${src}/a to destination folder`);
    expect(await running.line()).toBe(`Created Directory in destination folder: ${dst}/d`);
    writeFileSync(join(src, 'a'), 'changed');
    expect(await running.line()).toBe(`Copied ${src}/a to destination folder`);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.end();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await look(dst)).toEqual(await look(src));
  });

  it('goes on where the source goes away for a while, and says so', async () => {
    const { top, src, dst } = await makePair({ a: 'x' });
    const running = startCli(['compat', 'synctool', '-s', src, '-d', dst, '-l', join(top, 'log'), '-i', '0.002'], {});
    expect(await running.line()).toBe(`Copied ${src}/a to destination folder`);
    renameSync(src, `${src}-away`);
    await expect.poll(running.stderr, { timeout: 20_000 }).toMatch(/^gypsum: .* is not a folder\.$/m);
    writeFileSync(join(`${src}-away`, 'a'), 'changed');
    renameSync(`${src}-away`, src);
    expect(await running.line()).toBe(`Copied ${src}/a to destination folder`);
    running.child.kill('SIGINT');
    expect((await running.end()).code).toBe(0);
    expect(await look(dst)).toEqual(await look(src));
  });

  it('begins when its first interval has passed, if that is asked for', async () => {
    const [late, early] = [await makePair({ a: 'x' }), await makePair({ a: 'x' })];
    const stop = new AbortController();
    const start = ({ top, src, dst }: Pair, ...more: string[]) =>
      callCli(['compat', 'synctool', '-s', src, '-d', dst, '-l', join(top, 'log'), '-i', '9h', ...more], {
        signal: stop.signal,
      });
    const ended = [start(late, '--initial-delay'), start(early)];
    await expect.poll(() => existsSync(join(early.dst, 'a')), { timeout: 20_000 }).toBe(true);
    stop.abort(new Error('enough'));
    await Promise.all(ended);
    expect(existsSync(join(late.dst, 'a'))).toBe(false);
    expect(existsSync(join(late.top, 'log'))).toBe(false);
  });

  it('finishes the file in hand when it is told to end, and says so in its log', async () => {
    const { top, src, dst } = await makePair({ a: 'x', b: 'y', c: 'z' });
    vi.stubEnv('GYPSUM_STATE_DIR', join(top, 'state'));
    const stop = new AbortController();
    const ended = await callCli(['compat', 'synctool', '-s', src, '-d', dst, '-l', join(top, 'log'), '-i', '9h'], {
      signal: stop.signal,
      onStdout: () => stop.abort(new Error('enough')),
    });
    expect(ended).toEqual({ code: 0, stdout: `Copied ${src}/a to destination folder\n`, stderr: '' });
    expect(readdirSync(dst)).toEqual(['a']);
    expect(messages(join(top, 'log'))).toEqual([
      `INFO - Started Logging for ${src} \\n ${dst}`,
      `INFO - Copied ${src}/a to destination folder`,
      `INFO - Finished folder sync ${src} \\n ${dst}`,
    ]);
  });

  it('leaves a destination alone to which another process writes', async () => {
    const { top, src, dst } = await makePair({ a: 'x' });
    vi.stubEnv('GYPSUM_STATE_DIR', join(top, 'state'));
    const release = claimReplica(join(top, 'state'), dst);
    const argv = ['compat', 'synctool', '-s', src, '-d', dst, '-l', join(top, 'log')];
    expect(await callCli(argv)).toMatchObject({ code: 16, stderr: expect.stringContaining('is writing to') });
    expect(readdirSync(dst)).toEqual([]);
    release();
    expect((await callCli(argv)).code).toBe(0);
  });

  it('writes nothing where its log comes to lie in one of the folders meanwhile', async () => {
    const { top, src, dst, outside } = await makePair({ a: 'x' });
    symlinkSync(outside, join(top, 'logs'));
    const running = startCli(
      ['compat', 'synctool', '-s', src, '-d', dst, '-l', join(top, 'logs/log'), '-i', '0.002'],
      {},
    );
    expect(await running.line()).toBe(`Copied ${src}/a to destination folder`);
    symlinkSync(dst, join(top, 'to-dst'));
    renameSync(join(top, 'to-dst'), join(top, 'logs'));
    await expect
      .poll(running.stderr, { timeout: 20_000 })
      .toMatch(/^gypsum: .* lies in .*, and would change with it\.$/m);
    running.child.kill('SIGINT');
    expect((await running.end()).code).toBe(0);
  });
});
