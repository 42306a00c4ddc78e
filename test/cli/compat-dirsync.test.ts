import { createHash } from 'node:crypto';
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
import { afterEach, describe, expect, it, vi } from 'vitest';
import { claimReplica } from '../../src/state/replica-claims.ts';
import { freshName } from '../../src/tree/put-file.ts';
import { callCli } from '../helpers/call-cli.ts';
import { MAIN, startCli } from '../helpers/cli.ts';
import { layOut } from '../helpers/files.ts';
import { look, makePair, type Pair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

const run = (...argv: string[]) => callCli(['compat', 'dirsync', ...argv]);

const USAGE = 'usage: dirsync.py [-h] src_dir dest_dir logfile_path interval_ms\n';

afterEach(() => vi.unstubAllEnvs());

describe('gypsum compat dirsync', () => {
  it.each<[string, number, string, (pair: Pair) => string[]]>([
    [
      'no arguments',
      2,
      `${USAGE}dirsync.py: error: the following arguments are required: src_dir, dest_dir, logfile_path, interval_ms`,
      () => [],
    ],
    [
      'an argument that is missing',
      2,
      `${USAGE}dirsync.py: error: the following arguments are required: interval_ms`,
      ({ src, dst, top }) => [src, dst, join(top, 'log')],
    ],
    [
      'an interval that is no number',
      2,
      `${USAGE}dirsync.py: error: argument interval_ms: invalid int value: 'abc'`,
      ({ src, dst, top }) => [src, dst, join(top, 'log'), 'abc'],
    ],
    [
      'an interval with a fraction',
      2,
      `${USAGE}dirsync.py: error: argument interval_ms: invalid int value: '1.5'`,
      ({ src, dst, top }) => [src, dst, join(top, 'log'), '1.5'],
    ],
    [
      'no interval',
      1,
      `${USAGE}dirsync.py: error: interval_ms must be >= 1`,
      ({ src, dst, top }) => [src, dst, join(top, 'log'), '0'],
    ],
    [
      'an interval before that',
      1,
      `${USAGE}dirsync.py: error: interval_ms must be >= 1`,
      ({ src, dst, top }) => [src, dst, join(top, 'log'), '-5'],
    ],
    [
      'a log where no folder is',
      1,
      'dirsync.py: error: could not open logfile',
      ({ src, dst, top }) => [src, dst, join(top, 'none/log'), '5'],
    ],
    [
      'a source that is not there',
      1,
      'dirsync.py: error: could not register src_repo',
      ({ dst, top }) => [join(top, 'none'), dst, join(top, 'log'), '5'],
    ],
    [
      'a log in the source',
      1,
      'dirsync.py: error: logfile inside src_repo currently unsupported',
      ({ src, dst }) => [src, dst, join(src, 'log'), '5'],
    ],
    [
      'a log that is in the source by a symlink',
      1,
      'dirsync.py: error: logfile inside src_repo currently unsupported',
      ({ src, dst, top }) => [src, dst, join(top, 'to-src/log'), '5'],
    ],
    [
      'a destination that is not there',
      1,
      'dirsync.py: error: could not register dest_repo',
      ({ src, top }) => [src, join(top, 'none'), join(top, 'log'), '5'],
    ],
    [
      'a log in the destination',
      1,
      'dirsync.py: error: logfile inside dest_repo will be overwritten on sync',
      ({ src, dst }) => [src, dst, join(dst, 'log'), '5'],
    ],
    [
      'a destination that holds something',
      1,
      'dirsync.py: error: dest_repo is not empty',
      ({ src, dst, top }) => [src, dst, join(top, 'log'), '5'],
    ],
    [
      'one folder',
      1,
      'dirsync.py: error: SRC and SRC are one folder, or one lies in the other.',
      ({ src, top }) => [src, src, join(top, 'log'), '5'],
    ],
    [
      'a destination in the source',
      1,
      'dirsync.py: error: SRC and SRC/d are one folder, or one lies in the other.',
      ({ src, top }) => [src, join(src, 'd'), join(top, 'log'), '5'],
    ],
  ])('refuses %s as dirsync does, before anything is written', async (_, code, stderr, argv) => {
    const pair = await makePair({ a: 'x', 'd/b': 'y' }, { c: 'z' });
    symlinkSync(pair.src, join(pair.top, 'to-src'));
    const before = snapshot(pair.top);
    expect(await run(...argv(pair))).toEqual({ code, stdout: '', stderr: `${stderr.replaceAll('SRC', pair.src)}\n` });
    expect(snapshot(pair.top)).toEqual(before);
  });

  it('logs what it does as dirsync does, from the beginning to Ctrl-C and again', async () => {
    expect(existsSync(MAIN)).toBe(true);
    const { top, src, dst } = await makePair({ a: 'x', 'd/b': 'y' });
    const log = join(top, 'log');
    const state = { GYPSUM_STATE_DIR: join(top, 'state') };
    const hash = (content: string) => createHash('blake2b512').update(content).digest('hex');
    const first = startCli(['compat', 'dirsync', src, dst, log, '5'], state);
    const said: string[] = [];
    const expectLines = async (lines: readonly string[]) => {
      for (const line of lines) {
        const full = await first.line();
        expect(full).toMatch(/^\[DEBUG\|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]: /);
        said.push(full);
        expect(full.slice(full.indexOf(']: ') + 3)).toBe(line);
      }
    };
    await expectLines([`create ${hash('x')} -> a`, 'mkdir - -> d', `create ${hash('y')} -> d/b`]);
    renameSync(join(src, 'd'), join(src, 'e'));
    await expectLines(['move - -> e', `move ${hash('y')} -> e/b`]);
    rmSync(join(src, 'e/b'));
    await expectLines([`delete ${hash('y')} -> e/b`, 'touch - -> e']);
    writeFileSync(join(dst, 'a'), 'tampered');
    await expectLines([`restore ${hash('x')} -> a`]);
    mkdirSync(join(dst, 'extra'));
    await expectLines(['prune - -> extra']);
    first.child.kill('SIGINT');
    const { code, stderr } = await first.end();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readFileSync(log, 'utf8')).toBe(`${said.join('\n')}\n`);
    expect(await look(dst)).toEqual(await look(src));

    writeFileSync(join(src, 'new'), 'n');
    const second = startCli(['compat', 'dirsync', src, dst, log, '5', '--adopt'], state);
    expect(await second.line()).toContain(`create ${hash('n')} -> new`);
    second.child.kill('SIGTERM');
    expect((await second.end()).code).toBe(0);

    // What is remembered of a replica that was emptied does not count.
    for (const name of readdirSync(dst)) rmSync(join(dst, name), { recursive: true });
    const third = startCli(['compat', 'dirsync', src, dst, log, '5'], state);
    expect(await third.line()).toContain(`create ${hash('x')} -> a`);
    third.child.kill('SIGINT');
    expect((await third.end()).code).toBe(0);
  });

  it('carries over the loss of nearly all, and says once what goes wrong, each time', async () => {
    const { top, src, dst } = await makePair({ a: 'x', b: 'y', c: 'z' });
    const log = join(top, 'log');
    const running = startCli(['compat', 'dirsync', src, dst, log, '5'], {});
    const ends = async (...lines: string[]) => {
      for (const line of lines) expect(await running.line()).toMatch(new RegExp(` -> ${line}$`));
    };
    await ends('a', 'b', 'c');
    const told = () => running.stderr().match(/^dirsync\.py: error: .* is not a folder\.$/gm)?.length;
    for (const [time, lost] of [
      [1, ['a', 'b']],
      [2, ['c']],
    ] as const) {
      renameSync(src, `${src}-away`);
      await expect.poll(told, { timeout: 20_000 }).toBe(time);
      for (const path of lost) rmSync(join(`${src}-away`, path));
      renameSync(`${src}-away`, src);
      await ends(...[...lost].reverse());
    }
    // A folder in which somebody is at work does not go.
    layOut(top, { 'src/d': 'folder/' });
    await ends('d');
    writeFileSync(freshName(join(dst, 'd')), 'in the making');
    rmSync(join(src, 'd'), { recursive: true });
    let line = await running.line();
    // That something was made in it was seen, or was not.
    while (line.includes(' restore ')) line = await running.line();
    expect(line).toMatch(/^\[ERROR\|[^\]]+\]: failed - -> d \(ENOTEMPTY: /);
    running.child.kill('SIGINT');
    expect((await running.end()).code).toBe(0);
    expect(told()).toBe(2);
  });

  it('finishes the file in hand when it is told to end, and writes down what it knows in the state folder', async () => {
    const { top, src, dst } = await makePair({ a: 'x', b: 'y' });
    vi.stubEnv('GYPSUM_STATE_DIR', join(top, 'state'));
    const stop = new AbortController();
    const argv = ['compat', 'dirsync', src, dst, join(top, 'log'), '5'];
    const ended = await callCli(argv, { signal: stop.signal, onStdout: () => stop.abort(new Error('enough')) });
    expect(ended).toEqual({ code: 0, stdout: expect.stringMatching(/ -> a\n$/), stderr: '' });
    expect(readdirSync(dst)).toEqual(['a']);
    expect(readdirSync(join(top, 'state'))).toEqual(['replicas']);
  });

  it('leaves a destination alone to which another process writes', async () => {
    const { top, src, dst } = await makePair({ a: 'x' });
    vi.stubEnv('GYPSUM_STATE_DIR', join(top, 'state'));
    const release = claimReplica(join(top, 'state'), dst);
    const refused = await run(src, dst, join(top, 'log'), '5');
    expect(refused).toMatchObject({ code: 16, stderr: expect.stringContaining('is writing to') });
    expect(readdirSync(dst)).toEqual([]);
    release();
  });

  it('looks for changes as often as it is told to', async () => {
    const { top, src, dst } = await makePair({ a: '0' });
    mkdirSync(join(top, 'seldom'));
    const seldom = startCli(['compat', 'dirsync', src, join(top, 'seldom'), join(top, 'log'), `${9 * 3_600_000}`], {});
    expect(await seldom.line()).toMatch(/ -> a$/);
    const often = startCli(['compat', 'dirsync', src, dst, join(top, 'log2'), '5'], {});
    for (let time = 1; time < 20; time++) {
      expect(await often.line()).toMatch(/ -> a$/);
      writeFileSync(join(src, 'a'), `${time}`.repeat(time));
    }
    expect(readFileSync(join(top, 'seldom/a'), 'utf8')).toBe('0');
    for (const { child, end } of [seldom, often]) {
      child.kill('SIGINT');
      expect((await end()).code).toBe(0);
    }
  });

  it('writes nothing where its log comes to lie in one of the folders meanwhile', async () => {
    const { top, src, dst, outside } = await makePair({ a: 'x' });
    symlinkSync(outside, join(top, 'logs'));
    const running = startCli(['compat', 'dirsync', src, dst, join(top, 'logs/log'), '5'], {});
    expect(await running.line()).toMatch(/ -> a$/);
    symlinkSync(src, join(top, 'to-src'));
    renameSync(join(top, 'to-src'), join(top, 'logs'));
    writeFileSync(join(src, 'b'), 'y');
    const told = /^dirsync\.py: error: .* lies in .*, and would change with it\.$/m;
    await expect.poll(running.stderr, { timeout: 20_000 }).toMatch(told);
    running.child.kill('SIGINT');
    expect((await running.end()).code).toBe(0);
    expect([readdirSync(src), readdirSync(dst)]).toEqual([['a', 'b'], ['a']]);
  });
});
