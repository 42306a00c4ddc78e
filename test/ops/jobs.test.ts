import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  addJob,
  type JobEvent,
  listJobs,
  type NewJob,
  type RunJobsOptions,
  removeJob,
  runDueJobs,
  runJob,
  runJobs,
} from '../../src/index.ts';
import { processOf } from '../../src/process-owner.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** A job is a line for a shell. */
const SHELL = ['sh', '-c', 'eval "$1"', 'job'];

interface Bench {
  readonly folder: string;
  readonly stateDir: string;
  readonly events: JobEvent[];
  readonly options: RunJobsOptions;
  add(name: string, line: string, job?: Partial<NewJob>): Promise<unknown>;
  /** Begins to run the jobs; what it gives ends that. */
  start(more?: Partial<RunJobsOptions>): { stop(): Promise<void>; ended: Promise<void> };
  /** What a job said, in lines. */
  said(name: string): string[];
  runOf(name: string): Promise<unknown>;
  file(name: string): string;
}

async function bench(): Promise<Bench> {
  const folder = await tempFolder();
  const stateDir = join(folder, 'state');
  const events: JobEvent[] = [];
  const environment = { PATH: process.env.PATH };
  const options = { command: SHELL, environment, onEvent: (event: JobEvent) => void events.push(event) };
  return {
    folder,
    stateDir,
    events,
    options,
    add: (name, line, job = {}) =>
      addJob(stateDir, { name, schedule: { every: 3_600_000 }, command: [line], directory: folder, ...job }),
    start(more = {}) {
      const end = new AbortController();
      const ended = runJobs(stateDir, { ...options, ...more, signal: end.signal });
      const stop = async () => {
        end.abort(new Error('enough'));
        await ended;
      };
      onTestFinished(() => stop().catch(() => {}));
      return { stop, ended };
    },
    said: (name) => events.flatMap((event) => (event.type === 'job-output' && event.name === name ? [event.line] : [])),
    runOf: async (name) => (await listJobs(stateDir)).jobs.find((job) => job.name === name)?.last,
    file: (name) => join(stateDir, 'schedule', name),
  };
}

const until = (happened: () => unknown) => vi.waitFor(() => expect(happened()).toBeTruthy(), { timeout: 20_000 });
const ends = (events: readonly JobEvent[], name?: string) =>
  events.filter((event) => event.type === 'job-end' && (name === undefined || event.name === name));

describe('jobs', () => {
  it('are written down for their owner alone, and listed as they were added', async () => {
    const { stateDir, folder, add, file } = await bench();
    const settings = { GYPSUM_URL: 'https://example.org', GYPSUM_CACHE_DIR: 'sub/cache' };
    const schedule = { cron: '0 3 * * *', timeZone: 'Europe/Berlin' };
    await add('nightly', 'echo "a  b"', { schedule, settings });
    await add('a', 'true');
    const { jobs, damaged } = await listJobs(stateDir);
    expect(damaged).toEqual([]);
    expect(jobs).toEqual([
      expect.objectContaining({ name: 'a', schedule: { every: 3_600_000 }, settings: {}, next: expect.any(Date) }),
      {
        name: 'nightly',
        schedule,
        command: ['echo "a  b"'],
        directory: folder,
        settings,
        added: expect.any(Date),
        isRunning: false,
        failures: 0,
        next: expect.any(Date),
      },
    ]);
    expect(statSync(file('job.nightly.json')).mode & 0o777).toBe(0o600);
    expect(statSync(file('')).mode & 0o777).toBe(0o700);
    expect(readdirSync(file(''))).toEqual(['job.a.json', 'job.nightly.json']);
  });

  it.each<[string, Partial<NewJob>, string]>([
    ['no name', { name: '' }, '"" cannot be the name'],
    ['a path for a name', { name: '../x' }, '"../x" cannot be the name'],
    ['capitals', { name: 'Nightly' }, 'cannot be the name'],
    ['a dot', { name: 'a.b' }, 'cannot be the name'],
    ['a long name', { name: 'a'.repeat(65) }, 'cannot be the name'],
    ['a flag for a name', { name: '-a' }, 'cannot be the name'],
    ['a name with a line end', { name: 'a\n' }, 'cannot be the name'],
    ['no command', { command: [] }, 'is a command'],
    ['a relative folder', { directory: 'here' }, 'the absolute path of the folder'],
    ['a word that is not UTF-8', { command: ['link', 'a\udcff'] }, '"a\\xff" is not UTF-8'],
    ['a folder that is not UTF-8', { directory: '/\udc80' }, '"/\\x80" is not UTF-8'],
    ['a word with a NUL', { command: ['a\0b'] }, 'is not UTF-8'],
    ['no time', { schedule: { cron: 'soon' } }, '"soon" is no time'],
    ['no interval', { schedule: { every: -1 } }, 'cannot be run every'],
  ])('are refused with %s', async (_what, job, message) => {
    const { stateDir, add } = await bench();
    await expect(add('a', 'true', job)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining(message),
    });
    expect(existsSync(stateDir)).toBe(false);
  });

  it('are refused with the name of another, which stays as it is', async () => {
    const { add, file } = await bench();
    await add('a', 'true');
    const before = readFileSync(file('job.a.json'), 'utf8');
    await expect(add('a', 'false')).rejects.toThrow('There is a job "a" already.');
    expect(readFileSync(file('job.a.json'), 'utf8')).toBe(before);
    expect(readdirSync(file(''))).toEqual(['job.a.json']);
  });

  it('are forgotten with their runs', async () => {
    const { stateDir, options, add, file } = await bench();
    await add('a', 'true');
    await add('b', 'true');
    await runDueJobs(stateDir, options);
    expect(await removeJob(stateDir, 'a')).toEqual({ name: 'a', isRunning: false });
    expect(readdirSync(file(''))).toEqual(['job.b.json', 'run.b.json']);
    await expect(removeJob(stateDir, 'a')).rejects.toMatchObject({ code: 'not-found', hint: 'There is b.' });
    await expect(removeJob(stateDir, '../../x')).rejects.toMatchObject({ code: 'not-found' });
    await removeJob(stateDir, 'b');
    await expect(removeJob(stateDir, 'b')).rejects.toThrow('There is no job "b".');
  });

  it('are those of a folder that is named', async () => {
    await expect(listJobs('state')).rejects.toThrow('"state" is not an absolute path');
    expect(await listJobs(join(await tempFolder(), 'none'))).toEqual({ jobs: [], damaged: [] });
  });
});

describe('a file that is not one of a job', () => {
  const good = {
    format: 1,
    id: '6f2c4c3e-55a5-4b8b-9f0a-4a9a3f1f2c11',
    schedule: { every: 1000 },
    command: ['true'],
    directory: '/',
    settings: {},
    added: '2026-01-01T00:00:00.000Z',
  };

  it.each<[string, string]>([
    ['empty', ''],
    ['half', JSON.stringify(good).slice(0, 80)],
    ['of another format', JSON.stringify({ ...good, format: 2 })],
    ['a list', '[]'],
    ['without a command', JSON.stringify({ ...good, command: [] })],
    ['with a command that is a text', JSON.stringify({ ...good, command: 'true' })],
    ['with a NUL', JSON.stringify({ ...good, command: ['a\0'] })],
    ['in a relative folder', JSON.stringify({ ...good, directory: '..' })],
    ['with other variables', JSON.stringify({ ...good, settings: { LD_PRELOAD: '/x' } })],
    ['with two schedules', JSON.stringify({ ...good, schedule: { every: 1000, cron: '* * * * *' } })],
    ['with no interval', JSON.stringify({ ...good, schedule: { every: 0 } })],
    ['with no time', JSON.stringify({ ...good, schedule: { cron: '@reboot' } })],
    ['without a date', JSON.stringify({ ...good, added: 'now' })],
    ['large', JSON.stringify({ ...good, command: ['x'.repeat(70_000)] })],
  ])('is named where it is %s, and the others are run', async (_what, text) => {
    const { stateDir, options, events, add, file } = await bench();
    await add('good', 'echo good');
    writeFileSync(file('job.bad.json'), text, { mode: 0o600 });
    expect(await listJobs(stateDir)).toMatchObject({
      jobs: [{ name: 'good' }],
      damaged: [{ path: file('job.bad.json'), reason: expect.stringMatching(/./) }],
    });
    expect(await runDueJobs(stateDir, options)).toMatchObject([{ name: 'good', outcome: 'done' }]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'job-damaged', path: file('job.bad.json') }));
    expect(readFileSync(file('job.bad.json'), 'utf8')).toBe(text);
    await removeJob(stateDir, 'bad');
    expect((await listJobs(stateDir)).damaged).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('is one that others can write', async () => {
    const { stateDir, add, file } = await bench();
    await add('a', 'true');
    chmodSync(file('job.a.json'), 0o620);
    expect(await listJobs(stateDir)).toEqual({
      jobs: [],
      damaged: [{ path: file('job.a.json'), reason: 'can be written by others' }],
    });
  });

  it('is a folder, or has a name that no job has', async () => {
    const { stateDir, add, file } = await bench();
    await add('a', 'true');
    mkdirSync(file('job.b.json'));
    for (const name of ['job.B.json', 'job...json', 'job.a.json.bak', 'job.json']) writeFileSync(file(name), 'x');
    expect(await listJobs(stateDir)).toMatchObject({ jobs: [{ name: 'a' }], damaged: [{ reason: 'is not a file' }] });
  });

  it('loses no job where it is that of its runs', async () => {
    const { stateDir, options, add, file, runOf } = await bench();
    await add('a', 'true');
    writeFileSync(file('run.a.json'), '{"format":1', { mode: 0o600 });
    expect(await listJobs(stateDir)).toMatchObject({ jobs: [{ name: 'a' }], damaged: [{ path: file('run.a.json') }] });
    await runDueJobs(stateDir, options);
    expect(await runOf('a')).toMatchObject({ outcome: 'done' });
  });
});

describe('a run', () => {
  it('is told of, and written down', async () => {
    const { stateDir, options, events, add, said, folder } = await bench();
    await add('ok', 'pwd; echo "x $GYPSUM_URL" >&2; echo last', { settings: { GYPSUM_URL: 'u' } });
    await add('bad', 'echo out; echo "gypsum: this is why"; echo hint; exit 5');
    await add('gone', 'true', { directory: join(folder, 'gone') });
    await add('killed', 'kill -9 $$');
    const environment = { ...options.environment, GYPSUM_URL: 'of the scheduler', GYPSUM_CACHE_DIR: '/of/it' };
    const runs = await runDueJobs(stateDir, { ...options, environment });
    expect(runs.sort((a, b) => a.name.localeCompare(b.name))).toMatchObject([
      { name: 'bad', outcome: 'failed', exitCode: 5, message: 'gypsum: this is why' },
      { name: 'gone', outcome: 'failed', message: `The folder ${join(folder, 'gone')} is not there.` },
      { name: 'killed', outcome: 'failed', message: 'It was ended by SIGKILL.' },
      { name: 'ok', outcome: 'done', exitCode: 0, message: 'last' },
    ]);
    expect(said('ok').sort()).toEqual([folder, 'last', 'x u']);
    expect(ends(events, 'bad')).toMatchObject([{ failures: 1, next: expect.any(Date) }]);
    const { jobs } = await listJobs(stateDir);
    expect(jobs).toMatchObject(
      ['bad', 'gone', 'killed', 'ok'].map((name) => ({
        name,
        isRunning: false,
        failures: name === 'ok' ? 0 : 1,
        last: { outcome: name === 'ok' ? 'done' : 'failed' },
      })),
    );
    // Nothing is due twice.
    expect(await runDueJobs(stateDir, options)).toEqual([]);
  });

  it('that failed counts until one does not', async () => {
    const { stateDir, options, add, folder } = await bench();
    await add('a', 'test -e good');
    const failures = async () => (await listJobs(stateDir)).jobs[0]?.failures;
    for (const times of [1, 2, 3]) {
      expect(await runJob(stateDir, 'a', options)).toMatchObject({ outcome: 'failed', exitCode: 1 });
      expect(await failures()).toBe(times);
    }
    writeFileSync(join(folder, 'good'), '');
    await runJob(stateDir, 'a', options);
    expect(await failures()).toBe(0);
  });

  it('of a job has only the settings that it keeps', async () => {
    const { stateDir, options, add, said } = await bench();
    await add('a', 'env | grep GYPSUM_ || echo none');
    await runDueJobs(stateDir, { ...options, environment: { ...options.environment, GYPSUM_URL: 'x' } });
    expect(said('a')).toEqual(['none']);
  });

  it('cannot be begun by a program that is not there', async () => {
    const { stateDir, options, add, runOf } = await bench();
    await add('a', 'true');
    const runs = await runDueJobs(stateDir, { ...options, command: ['/not/there'] });
    expect(runs).toMatchObject([{ outcome: 'failed', message: expect.stringContaining('ENOENT') }]);
    expect(await runOf('a')).toMatchObject({ outcome: 'failed', end: expect.any(Date) });
  });

  it('is not begun while another goes on, also one that has outlived its scheduler', async () => {
    const { stateDir, options, events, add, file, folder } = await bench();
    await add('a', 'echo run >> runs');
    await runJob(stateDir, 'a', options);
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const run = JSON.parse(readFileSync(file('run.a.json'), 'utf8'));
    const { end: _end, exitCode: _code, ...begun } = run;
    const left = {
      ...begun,
      outcome: 'interrupted',
      start: '2026-01-01T00:00:00.000Z',
      process: processOf(child.pid ?? 0),
    };
    writeFileSync(file('run.a.json'), JSON.stringify(left));
    expect((await listJobs(stateDir)).jobs).toMatchObject([{ isRunning: true }]);
    await expect(runJob(stateDir, 'a', options)).rejects.toMatchObject({
      code: 'in-use',
      message: `Another process runs the job "a" (${child.pid} on ${processOf(1).host}).`,
    });
    expect(await runDueJobs(stateDir, options)).toEqual([]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'job-busy', name: 'a' }));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(await runDueJobs(stateDir, options)).toMatchObject([{ outcome: 'done' }]);
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('run\nrun\n');
  });

  it('of a job that is removed meanwhile comes to its end and leaves nothing', async () => {
    const { stateDir, options, add, file, folder } = await bench();
    await add('a', 'touch begun; while ! test -e go; do sleep 0.02; done');
    const running = runJob(stateDir, 'a', options);
    await until(() => existsSync(join(folder, 'begun')) && existsSync(file('run.a.json')));
    expect(await removeJob(stateDir, 'a')).toEqual({ name: 'a', isRunning: true });
    writeFileSync(join(folder, 'go'), '');
    expect(await running).toMatchObject({ outcome: 'done' });
    expect(readdirSync(file(''))).toEqual([]);
  });

  it('of a job is not that of another one of its name', async () => {
    const { stateDir, options, add, runOf } = await bench();
    await add('a', 'true');
    await runDueJobs(stateDir, options);
    const { rm } = await import('node:fs/promises');
    await rm(join(stateDir, 'schedule/job.a.json'));
    await add('a', 'true');
    expect(await runOf('a')).toBeUndefined();
  });
});

describe('a process that runs jobs', () => {
  it('runs them when they are due, one at a time of each, those too that are added meanwhile', async () => {
    const { folder, events, add, start } = await bench();
    await add('often', 'mkdir alone && sleep 0.1 && rmdir alone', { schedule: { every: 1000 } });
    await add('later', 'true', { schedule: { cron: '0 0 1 1 *' } });
    const { stop } = start();
    await until(() => ends(events, 'often').length >= 2);
    await add('new', 'touch added');
    await until(() => ends(events, 'new').length === 1 && existsSync(join(folder, 'added')));
    await stop();
    expect(ends(events, 'later')).toEqual([]);
    expect(ends(events, 'new')).toHaveLength(1);
    expect(ends(events, 'often').every((event) => event.type === 'job-end' && event.outcome !== 'failed')).toBe(true);
  });

  it('begins none of those that are removed', async () => {
    const { stateDir, events, add, start } = await bench();
    await add('a', 'true', { schedule: { every: 1000 } });
    await add('b', 'true', { schedule: { every: 1000 } });
    const { stop } = start();
    await until(() => ends(events, 'a').length >= 1);
    await removeJob(stateDir, 'a');
    const count = () => events.filter((event) => event.type === 'job-start' && event.name === 'a').length;
    const before = count();
    await until(() => ends(events, 'b').length >= 3);
    // One may have been begun at the same moment.
    expect(count()).toBeLessThanOrEqual(before + 1);
    await stop();
  });

  it('is the only one, and says which it is', async () => {
    const { stateDir, options, events, add, start, folder } = await bench();
    await add('a', 'touch ran');
    const { stop } = start();
    await until(() => ends(events).length === 1);
    for (const run of [runJobs, runDueJobs]) {
      await expect(run(stateDir, options)).rejects.toMatchObject({
        code: 'in-use',
        message: expect.stringContaining(`Another process runs the jobs already (${process.pid} of `),
        hint: expect.stringContaining('--job NAME'),
      });
    }
    // One of them can be run beside it.
    rmSync(join(folder, 'ran'));
    await runJob(stateDir, 'a', options);
    expect(existsSync(join(folder, 'ran'))).toBe(true);
    await stop();
    expect(await runDueJobs(stateDir, options)).toEqual([]);
  });

  it('asks those that are running to stop, once, and waits for them', async () => {
    const { stateDir, folder, events, add, start, runOf } = await bench();
    const line = (name: string) =>
      `trap "echo asked >> ${name}" TERM; touch ${name}-began; while ! test -e ${name}; do sleep 0.02; done; sleep 0.1; echo ended >> ${name}`;
    await add('a', line('a'));
    await add('b', line('b'));
    const { stop } = start();
    await until(() => existsSync(join(folder, 'a-began')) && existsSync(join(folder, 'b-began')));
    await stop();
    for (const name of ['a', 'b']) {
      expect(readFileSync(join(folder, name), 'utf8')).toBe('asked\nended\n');
      expect(await runOf(name)).toMatchObject({ outcome: 'interrupted', exitCode: 0, end: expect.any(Date) });
    }
    expect(ends(events)).toMatchObject([{ failures: 0 }, { failures: 0 }]);
    // They are made up for when it comes back: not later than after a failure.
    for (const { next } of (await listJobs(stateDir)).jobs) expect(next?.getTime()).toBeLessThan(Date.now() + 61_000);
  });

  it('runs no more at once than it may', async () => {
    const { events, add, start, folder } = await bench();
    for (const name of ['a', 'b', 'c']) await add(name, 'mkdir alone && sleep 0.05 && rmdir alone');
    const { stop } = start({ concurrency: 1 });
    await until(() => ends(events).length === 3);
    await stop();
    expect(ends(events)).toMatchObject([{ outcome: 'done' }, { outcome: 'done' }, { outcome: 'done' }]);
    expect(existsSync(join(folder, 'alone'))).toBe(false);
    await expect(runJobs(folder, { command: SHELL, concurrency: 0 })).rejects.toThrow('concurrency 0');
  });

  it('makes up once for what was missed while it was not there', async () => {
    const { stateDir, options, events, add, file } = await bench();
    await add('a', 'true', { schedule: { every: 1000 } });
    await runDueJobs(stateDir, options);
    const run = JSON.parse(readFileSync(file('run.a.json'), 'utf8'));
    for (const [name, time] of [
      ['start', '2020-01-01T00:00:00.000Z'],
      ['end', '2020-01-01T00:00:01.000Z'],
    ] as const)
      run[name] = time;
    writeFileSync(file('run.a.json'), JSON.stringify(run));
    expect(await runDueJobs(stateDir, options)).toHaveLength(1);
    expect(ends(events)).toHaveLength(2);
  });

  it('neither stalls nor storms where the clock is set, by however much', async () => {
    const day = 86_400_000;
    const begin = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: begin });
    onTestFinished(() => void vi.useRealTimers());
    const { events, add, start } = await bench();
    await add('monthly', 'true', { schedule: { every: 30 * day } });
    const { stop } = start();
    let marks = 0;
    const begun = () => events.filter((event) => event.type === 'job-start' && event.name === 'monthly').length;
    for (const [days, runs] of [
      [0, 1],
      [29.9, 1],
      [400, 2],
      [-10, 3],
      [-5, 3],
      [0, 4],
    ] as const) {
      vi.setSystemTime(begin + days * day);
      await until(() => ends(events, 'monthly').length >= runs);
      // Once it has run what was added now, it has looked again.
      const mark = `mark-${marks++}`;
      await add(mark, 'true', { schedule: { every: 36_500 * day } });
      await until(() => ends(events, mark).length > 0);
      expect([days, begun()]).toEqual([days, runs]);
    }
    await stop();
  }, 60_000);

  it('goes on where nothing can be written down, and does not run a job again for that', async () => {
    const { events, add, start, file, folder } = await bench();
    await add('a', 'echo run >> runs');
    await add('b', 'true', { schedule: { every: 1000 } });
    // A folder in its place takes no file.
    mkdirSync(file('run.a.json/x'), { recursive: true });
    const { stop } = start();
    await until(() => ends(events, 'b').length >= 3);
    await stop();
    expect(events.filter(({ type }) => type === 'job-unrecorded').length).toBeGreaterThan(0);
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('run\n');
  });

  it('stops where its lock is taken away', async () => {
    const { add, start, file, events } = await bench();
    await add('a', 'true');
    const { ended } = start();
    await until(() => ends(events).length === 1);
    rmSync(file('lock'), { recursive: true });
    await expect(ended).rejects.toMatchObject({ code: 'in-use', message: expect.stringContaining('was taken away') });
  }, 30_000);

  it('removes what killed processes have left', async () => {
    const { stateDir, options, add, file } = await bench();
    await add('a', 'true');
    const { pid } = spawn('true', { stdio: 'ignore' }).on('error', () => {});
    const dead = (await import('../../src/owned-name.ts')).ownedName().replace(/^\d+/, String(pid));
    writeFileSync(file(`job.b.json.new.${dead}`), '{');
    writeFileSync(file('run.gone.json'), '{}');
    await until(() => !existsSync(`/proc/${pid}`));
    await runDueJobs(stateDir, options);
    expect(readdirSync(file(''))).toEqual(['job.a.json', 'run.a.json']);
  });

  it('does nothing where it is told to stop already', async () => {
    const { stateDir, options, add, file } = await bench();
    await add('a', 'true');
    const reason = new Error('never');
    const signal = AbortSignal.abort(reason);
    for (const run of [runJobs, runDueJobs]) await expect(run(stateDir, { ...options, signal })).rejects.toBe(reason);
    await expect(runJob(stateDir, 'a', { ...options, signal })).rejects.toBe(reason);
    await expect(
      addJob(stateDir, { name: 'b', schedule: { every: 1000 }, command: ['x'], directory: '/' }, { signal }),
    ).rejects.toBe(reason);
    await expect(removeJob(stateDir, 'a', { signal })).rejects.toBe(reason);
    await expect(listJobs(stateDir, { signal })).rejects.toBe(reason);
    expect(readdirSync(file(''))).toEqual(['job.a.json']);
  });
});
