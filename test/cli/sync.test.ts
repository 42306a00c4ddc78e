import { execFileSync } from 'node:child_process';
import {
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
import { describe, expect, it } from 'vitest';
import { callCli } from '../helpers/call-cli.ts';
import { layOut } from '../helpers/files.ts';
import { look, makePair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

const run = (...argv: string[]) => callCli(argv);

describe('gypsum sync', () => {
  it('says how much it has done, and then that there is nothing to do', async () => {
    const { src, dst } = await makePair({ a: 'x', 'd/b': 'y', l: { link: 'a' } });
    expect(await run('sync', src, dst)).toEqual({
      code: 0,
      stdout: '4 changes: 2 created, 1 made, 1 linked, 0 unchanged\n',
      stderr: '',
    });
    expect((await run('sync', src, dst)).stdout).toBe('0 changes: 4 unchanged\n');
    expect(await look(dst)).toEqual(await look(src));
  });

  it('begins when the first interval has passed, if that is wanted, and ends at once meanwhile', async () => {
    const { src, dst } = await makePair({ a: 'x' });
    const stop = new AbortController();
    const ended = callCli(['sync', src, dst, '--interval', '60', '--initial-delay'], { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 200);
    expect(await ended).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await look(dst)).toEqual([]);
  });

  it('shows in a dry run what it would do, and as JSON', async () => {
    const { top, src, dst } = await makePair(
      { 'n/a': 'x', 'n/b': 'y', 'new\n': 'z', k: 'k' },
      { 'o/a': 'x', 'o/b': 'y', k: 'k', z: 'old' },
    );
    const before = snapshot(top);
    const { stdout } = await run('sync', src, dst, '--dry-run', '--checksum');
    expect(stdout.split('\n').filter((line) => !line.startsWith('touch') && !line.includes('change'))).toEqual([
      'move  o -> n/  (2 entries in it)',
      'delete  z',
      'create  new\\x0a',
      '',
    ]);
    const { operations, dryRun } = JSON.parse((await run('sync', src, dst, '--dry-run', '--json')).stdout);
    expect(operations[0]).toEqual({ op: 'move', type: 'directory', from: 'o', path: 'n', children: ['a', 'b'] });
    expect(dryRun).toBe(true);
    expect(snapshot(top)).toEqual(before);
  });

  it('takes no half of a folder away unless it is told to', async () => {
    const { src, dst } = await makePair({ a: 'x' }, { b: 'y', c: 'z' });
    const refused = await run('sync', src, dst);
    expect(refused).toMatchObject({ code: 15, stdout: '' });
    expect(refused.stderr).toContain('--force');
    expect(readdirSync(dst)).toEqual(['b', 'c']);
    expect(await run('sync', src, dst, '--no-delete')).toMatchObject({ code: 0 });
    expect(readdirSync(dst)).toEqual(['a', 'b', 'c']);
    expect(await run('sync', src, dst, '--force', '--exclude', 'b', '--exclude', '*.tmp')).toMatchObject({ code: 0 });
    expect(readdirSync(dst)).toEqual(['a', 'b']);
  });

  it('tells of what cannot be replicated, and fails where something failed', async () => {
    const { src, dst } = await makePair({ a: 'x', dir: 'file' }, { a: 'x', 'dir/kept': 'k' });
    execFileSync('mkfifo', [join(src, 'pipe')]);
    const { code, stdout, stderr } = await run('sync', src, dst, '--no-delete');
    expect(stdout).toContain('skipped  pipe  (it is a FIFO, a socket or a device)\n');
    expect(stdout).toContain(
      'failed  dir  (It is a folder there that holds something, and nothing is to be removed.)\n',
    );
    expect(stdout).toContain('1 failed');
    expect(stderr).toBe('gypsum: 1 entry could not be replicated; all others are.\n');
    expect(code).toBe(1);
    const { failures } = JSON.parse((await run('sync', src, dst, '--no-delete', '--json')).stdout);
    expect(failures).toEqual([
      {
        path: 'dir',
        message: 'It is a folder there that holds something, and nothing is to be removed.',
        code: 'destination-refused',
        hint: 'Remove it there, or leave it out of both folders.',
      },
    ]);
  });

  it('writes a log with the digest of each file, and nothing where nothing is done', async () => {
    const { top, src, dst } = await makePair({ a: 'x', 'd/b': 'y' }, { 'gone/c': 'c', 'gone/d': 'dd', stay: 's' });
    layOut(src, { stay: 's' });
    const log = join(top, 'log');
    expect(await run('sync', src, dst, '--log', log, '--force')).toMatchObject({ code: 0 });
    const lines = () => readFileSync(log, 'utf8').trimEnd().split('\n');
    const shown = lines().map((line) => line.replace(/^\[INFO\|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\]: /, ''));
    expect(shown.filter((line) => !line.startsWith('touch'))).toEqual([
      'delete - -> gone/d',
      'delete - -> gone/c',
      'rmdir - -> gone',
      'create 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 -> a',
      'mkdir - -> d',
      'create a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa -> d/b',
    ]);
    const before = readFileSync(log, 'utf8');
    await run('sync', src, dst, '--log', log);
    expect(readFileSync(log, 'utf8')).toBe(before);
    const json = join(top, 'log.jsonl');
    renameSync(join(src, 'd'), join(src, 'e'));
    await run('sync', src, dst, '--log', json, '--log-format', 'json');
    expect(
      readFileSync(json, 'utf8')
        .split('\n')
        .slice(0, 2)
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { time: expect.any(String), level: 'INFO', op: 'move', path: 'e', from: 'd' },
      { time: expect.any(String), level: 'INFO', op: 'move', path: 'e/b', from: 'd/b' },
    ]);
  });

  it.each<[string, number, (paths: { top: string; src: string; dst: string }) => string[]]>([
    ['a log in the source', 2, ({ src, dst }) => [src, dst, '--log', join(src, 'log')]],
    ['a log in the destination', 2, ({ src, dst }) => [src, dst, '--log', join(dst, 'log')]],
    ['a log where no folder is', 2, ({ top, src, dst }) => [src, dst, '--log', join(top, 'none/log')]],
    ['no minutes', 2, ({ src, dst }) => [src, dst, '--interval', '0']],
    ['minutes that are none', 2, ({ src, dst }) => [src, dst, '--interval', 'soon']],
    ['less than no minutes', 2, ({ src, dst }) => [src, dst, '--interval', '-1']],
    ['no interval that is to pass first', 2, ({ src, dst }) => [src, dst, '--initial-delay']],
    ['a dry run again and again', 2, ({ src, dst }) => [src, dst, '--interval', '1', '--dry-run']],
    ['one folder', 2, ({ src }) => [src]],
    ['no source, again and again', 2, ({ top, dst }) => [join(top, 'none'), dst, '--interval', '0.01']],
    ['no folder for the destination', 15, ({ top, src }) => [src, join(top, 'no/where')]],
    ['a log of another form', 2, ({ src, dst }) => [src, dst, '--log-format', 'xml']],
  ])('refuses %s before anything is written', async (_, code, argv) => {
    const pair = await makePair({ a: 'x' });
    const before = snapshot(pair.top);
    const result = await run('sync', ...argv(pair));
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).not.toBe('');
    expect(snapshot(pair.top)).toEqual(before);
  });

  it('follows symlinks if it is told to', async () => {
    const { src, dst, outside } = await makePair();
    symlinkSync(join(outside, 'canary'), join(src, 'l'));
    await run('sync', src, dst, '--follow-links');
    expect(readFileSync(join(dst, 'l'), 'utf8')).toBe('alive');
    rmSync(join(src, 'l'));
    mkdirSync(join(src, 'new'));
    writeFileSync(join(src, 'new/f'), 'f');
    await run('sync', src, dst, '--fsync', '--force');
    expect(existsSync(join(dst, 'l'))).toBe(false);
  });
});
