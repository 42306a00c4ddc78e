import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { delay } from '../../mocks/index.ts';
import { addJob, type JobList, listJobs, runDueJobs, runJob } from '../../src/index.ts';
import { startCli } from '../helpers/cli.ts';
import { createRig, type Rig } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const DIE = fileURLToPath(new URL('../helpers/die-at-call.mjs', import.meta.url));
const MORTAL = fileURLToPath(new URL('../helpers/mortal-job.mjs', import.meta.url));
const seed = { versions: { 'p/a/v1': { 'x.txt': 'x' } } };

/** A user of the command line, whose jobs stay from call to call. */
async function createUser(rig?: Rig) {
  const folder = rig?.folder ?? (await tempFolder());
  await mkdir(join(folder, 'home'), { recursive: true });
  const settings = { GYPSUM_URL: rig?.registry.url, GYPSUM_CACHE_DIR: rig?.cacheDir ?? join(folder, 'cache') };
  const stateDir = join(folder, 'my state');
  const state = { GYPSUM_STATE_DIR: stateDir };
  const start = (...argv: string[]) => startCli(argv, { ...settings, ...state }, { cwd: folder, detached: true });
  return {
    folder,
    start,
    /** As whoever starts it at boot, without settings and elsewhere. */
    boot: (...argv: string[]) => startCli(argv, state, { cwd: '/' }),
    call: (...argv: string[]) => start(...argv).end(),
    async list(): Promise<JobList> {
      const { code, stdout, stderr } = await start('schedule', 'list', '--json').end();
      expect([code, stderr]).toEqual([0, '']);
      return JSON.parse(stdout);
    },
    files: () => readdirSync(join(stateDir, 'schedule')).sort(),
  };
}

const until = (happened: () => unknown) => vi.waitFor(() => expect(happened()).toBeTruthy(), { timeout: 30_000 });

it('runs what was added, with the settings and from the folder it was added with, until Ctrl-C', async () => {
  const rig = await createRig(seed);
  const { folder, call, boot, list } = await createUser(rig);
  const mine = await rig.makeFolder('mine', { 'x.txt': 'x' });
  await call('schedule', 'add', 'copy', '--every', '2s', '--', 'sync', 'mine', 'my copy', '--log', 'log');
  await call('schedule', 'add', 'never', '--cron', '0 0 1 1 *', '--', 'save', 'p/a');
  const scheduler = boot('schedule', 'run');
  await until(() => existsSync(join(folder, 'my copy/x.txt')));
  writeFileSync(join(mine, 'y.txt'), 'y');
  await until(() => existsSync(join(folder, 'my copy/y.txt')));
  expect(readFileSync(join(folder, 'log'), 'utf8')).toMatch(/create .*x\.txt\n(.*\n)*.*create .*y\.txt/);
  const second = await boot('schedule', 'run').end();
  expect(second.stderr).toMatch(
    new RegExp(`^gypsum: Another process runs the jobs already \\(${scheduler.child.pid} of .* since `),
  );
  expect(second.code).toBe(16);
  await call('schedule', 'add', 'more', '--every', '1h', '--', 'save', 'p/a/v1');
  while (!(await scheduler.line()).startsWith('more: Saved p/a/v1'));
  const isDone = async () => (await list()).jobs.some(({ name, last }) => name === 'more' && last?.outcome === 'done');
  await vi.waitFor(async () => expect(await isDone()).toBe(true), { timeout: 30_000 });
  scheduler.child.kill('SIGINT');
  const { code, stderr } = await scheduler.end();
  expect(code).toBe(0);
  expect(stderr).toMatch(/^Running the jobs in .*\/my state when they are due; Ctrl-C stops\.$/m);
  expect(stderr).toMatch(/^more ends: done after \d+\.\d s: .*; next run \d{4}-/m);
  const { jobs } = await list();
  expect(jobs).toMatchObject([
    { name: 'copy', last: {} },
    { name: 'more', last: { outcome: 'done', exitCode: 0 }, failures: 0 },
    { name: 'never', isRunning: false },
  ]);
  expect(jobs[2]).not.toHaveProperty('last');
}, 120_000);

it.each(['SIGTERM', 'SIGINT'] as const)(
  'passes %s on to the jobs that are running, once, and waits for them',
  async (signal) => {
    const rig = await createRig(seed);
    const { call, start, list } = await createUser(rig);
    rig.registry.inject(delay(600_000), { route: 'file' });
    await call('schedule', 'add', 'slow', '--every', '1h', '--', 'save', 'p/a/v1');
    const scheduler = start('schedule', 'run', '--json');
    await until(() => rig.registry.calls.length > 0);
    // A Ctrl-C reaches all that the terminal knows of.
    process.kill(-(scheduler.child.pid ?? 0), signal);
    const { code, stdout, stderr } = await scheduler.end();
    expect([code, stderr]).toEqual([0, '']);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.at(0)).toMatchObject({ type: 'jobs-begin' });
    expect(events.at(1)).toMatchObject({ type: 'job-start', name: 'slow', time: expect.stringMatching(/^\d{4}-/) });
    expect(events.at(-1)).toMatchObject({ type: 'job-end', outcome: 'interrupted', exitCode: 143 });
    expect((await list()).jobs).toMatchObject([{ isRunning: false, failures: 0, last: { outcome: 'interrupted' } }]);
  },
  60_000,
);

it('begins no run beside one that has outlived a scheduler that was killed', async () => {
  const rig = await createRig(seed);
  const { call, start, list } = await createUser(rig);
  rig.registry.inject(delay(600_000), { route: 'file' });
  await call('schedule', 'add', 'slow', '--every', '1h', '--', 'save', 'p/a/v1');
  const scheduler = start('schedule', 'run', '--json');
  await until(() => rig.registry.calls.length > 0);
  scheduler.child.kill('SIGKILL');
  await scheduler.end();
  expect((await list()).jobs).toMatchObject([{ isRunning: true }]);
  const { code, stderr } = await call('schedule', 'run', '--job', 'slow');
  const [, pid = ''] = /Another process runs the job "slow" \((\d+) on /.exec(stderr) ?? [];
  expect(code).toBe(16);
  process.kill(Number(pid), 'SIGTERM');
  await vi.waitFor(async () => expect((await list()).jobs).toMatchObject([{ isRunning: false }]), { timeout: 30_000 });
  expect((await list()).jobs).toMatchObject([{ last: { outcome: 'interrupted' } }]);
}, 60_000);

it('writes to a log what jobs say, and tells a timer that one has failed', async () => {
  const { folder, call } = await createUser();
  await call('schedule', 'add', 'bad', '--every', '1h', '--', 'link', 'no', 'such');
  await call('schedule', 'add', 'good', '--every', '1h', '--', 'cache', 'prune');
  const { code, stdout, stderr } = await call('schedule', 'run', '--once', '--log', 'log');
  expect([code, stdout, stderr]).toEqual([1, '', 'gypsum: 1 job failed.\n']);
  const log = readFileSync(join(folder, 'log'), 'utf8');
  expect(log).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z bad: gypsum: .*no/m);
  expect(log).toMatch(/Z bad ends: failed with exit code \d+ after [\d.]+ s: gypsum: .*; next run /);
  expect(log).toMatch(/Z good: .*Left: 0 B\.$/m);
  expect(await call('schedule', 'run', '--once')).toEqual({ code: 0, stdout: '', stderr: '' });
  const again = await call('schedule', 'run', '--job', 'bad', '--quiet');
  expect(again.stderr).toMatch(/2 failures in a row/);
  expect(again.code).toBe(1);
}, 60_000);

it('loses nothing where many add and remove at once', async () => {
  const { call, list } = await createUser();
  const add = (name: string, every: string) => call('schedule', 'add', name, '--every', every, '--', 'cache', 'prune');
  await add('old', '1h');
  const same = ['same', 'same', 'same', 'other', 'another'];
  const results = await Promise.all([
    ...same.map((name, at) => add(name, `${at + 1}h`)),
    call('schedule', 'remove', 'old'),
    call('schedule', 'run', '--once'),
  ]);
  const codes = results.map(({ code }) => code);
  expect(codes.slice(0, 3).sort()).toEqual([0, 2, 2]);
  expect(codes.slice(3)).toEqual([0, 0, 0, 0]);
  const { jobs, damaged } = await list();
  expect(damaged).toEqual([]);
  expect(jobs.map(({ name }) => name)).toEqual(['another', 'other', 'same']);
  // It is the job of the one that was told that it was added.
  expect(jobs[2]?.schedule).toEqual({ every: 3_600_000 * (1 + codes.indexOf(0)) });
}, 60_000);

it('is whole after a kill at any moment while a job is written down, run or removed', async () => {
  const calls: [string, string, string[]][] = [
    ['add', 'new', ['new', 'old']],
    ['run', 'old', ['old']],
    ['remove', 'old', []],
  ];
  for (const [verb, name, after] of calls) {
    const survives = async (at: number): Promise<boolean> => {
      const stateDir = join(await tempFolder(), 'state');
      await addJob(stateDir, { name: 'old', schedule: { every: 3_600_000 }, command: ['x'], directory: '/' });
      const words = ['--import', DIE, MORTAL, verb, stateDir, name];
      const child = spawn(process.execPath, words, { env: { DIE_AT: String(at) }, stdio: 'ignore' });
      const [code, signal] = await once(child, 'exit');
      const { jobs, damaged } = await listJobs(stateDir);
      expect(damaged).toEqual([]);
      const names = jobs.map((job) => job.name);
      if (signal !== 'SIGKILL') {
        expect([code, names]).toEqual([0, after]);
        return true;
      }
      expect([['old'], after]).toContainEqual(names);
      // A run that has outlived its scheduler may still be there.
      const isRunning = async () => (await listJobs(stateDir)).jobs.some((job) => job.isRunning);
      await vi.waitFor(async () => expect(await isRunning()).toBe(false), { timeout: 30_000 });
      // What the dead one had locked is taken over, and what it was writing removed.
      await runDueJobs(stateDir, { command: ['true'] });
      for (const job of names)
        expect(await runJob(stateDir, job, { command: ['true'] })).toMatchObject({ exitCode: 0 });
      expect(readdirSync(join(stateDir, 'schedule')).filter((file) => file.includes('.json.new.'))).toEqual([]);
      return false;
    };
    // Four at once, until one comes through.
    for (let at = 0; ; at += 4) {
      const ended = await Promise.all([at, at + 1, at + 2, at + 3].map(survives));
      if (ended.some((one) => one)) break;
      expect(at).toBeLessThan(60);
    }
  }
}, 120_000);

it('reads no job from a file that another wrote there', async () => {
  const { folder, call, files } = await createUser();
  await call('schedule', 'add', 'a', '--every', '1h', '--', 'cache', 'prune');
  const file = join(folder, 'my state/schedule/job.a.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"prune"', '["prune"]'));
  const { code, stdout, stderr } = await call('schedule', 'run', '--once');
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).toBe(`${file} says nothing of a job: it is not what this version writes there. Remove it.\n`);
  expect(files()).toEqual(['job.a.json']);
}, 60_000);
