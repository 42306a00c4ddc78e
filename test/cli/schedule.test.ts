import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { complete } from '../../src/cli/complete.ts';
import { jobText } from '../../src/cli/job-text.ts';
import { SCHEDULABLE } from '../../src/cli/schedulable.ts';
import { crontabLine, launchdList, type ServiceOptions, systemdUnit } from '../../src/cli/service-files.ts';
import { callCli } from '../helpers/call-cli.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

let stateDir: string;

beforeEach(async () => {
  stateDir = join(await tempFolder(), 'state');
  vi.stubEnv('GYPSUM_STATE_DIR', stateDir);
  vi.stubEnv('GYPSUM_URL', 'https://example.org');
  vi.stubEnv('GYPSUM_TOKEN', 'a-secret');
  vi.stubEnv('GYPSUM_CACHE_DIR', '');
  return () => vi.unstubAllEnvs();
});

/** They never end, ask somebody, tell once what is so, or are meant once. */
const NOT_SCHEDULABLE: readonly string[] = [
  'serve',
  'login',
  'logout',
  'whoami',
  'project create',
  'project permissions',
  'project quota',
  'project usage',
  'project lock',
  'project unlock',
  'project remove',
  'asset remove',
  'version summary',
  'version approve',
  'version reject',
  'version remove',
  'projects',
  'assets',
  'versions',
  'files',
  'ls',
  'tree',
  'cat',
  'resolve',
  'stat',
  'manifest',
  'diff',
  'log',
  'why',
  'path',
  'stage',
  'restore',
  'drop',
  'replicate',
  'compat synctool',
  'compat dirsync',
  'create-links',
  'stage-linked-file',
  'prepare',
  'rm',
  'uploads list',
  'uploads abort',
  'schedule list',
  'schedule add',
  'schedule remove',
  'schedule run',
  'schedule export',
  'token create',
  'token list',
  'token revoke',
  'cache ls',
  'cache du',
  'cache rm',
  'cache path',
  'config get',
  'config set',
  'config unset',
  'config list',
  'completion',
];

const run = (...argv: string[]) => callCli(argv);

describe('gypsum schedule add', () => {
  it('takes what stands behind "--" as it is, and keeps folder and settings, and no token', async () => {
    const words = ['cache', 'verify', 'p/a', '--json', '--', '--odd', 'a  b', '$x'];
    const { code, stdout } = await run('schedule', 'add', 'check', '--every', '0.5', '--', ...words);
    expect(stdout).toContain(`Added check, every 30s: gypsum cache verify p/a --json -- --odd 'a  b' '$x'\n`);
    expect(code).toBe(0);
    const text = readFileSync(join(stateDir, 'schedule/job.check.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      schedule: { every: 30_000 },
      command: words,
      directory: process.cwd(),
      settings: { GYPSUM_URL: 'https://example.org' },
    });
    expect(text).not.toContain('a-secret');
    expect(text).not.toContain('GYPSUM_CACHE_DIR');
  });

  it('gives what it has added as JSON, its own flags before "--"', async () => {
    const flags = ['--json', '--time-zone', 'Europe/Berlin', '--cron', '0 3 * * MON-FRI'];
    const { stdout } = await run('schedule', 'add', ...flags, 'a', '--', 'save', 'p/a');
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'a',
      schedule: { cron: '0 3 * * MON-FRI', timeZone: 'Europe/Berlin' },
      command: ['save', 'p/a'],
    });
  });

  it.each<[string, string[], string]>([
    ['a misspelt option', ['cache', 'prune', '--older-tan', '3d'], "unknown option '--older-tan' (Did you mean"],
    ['an option without its value', ['cache', 'prune', '--older-than'], 'argument missing'],
    ['a value that is none', ['cache', 'prune', '--older-than', 'x'], 'Give a duration'],
    ['no such choice', ['upload', '--links', 'x', 'a', 'p/a'], 'Allowed choices are'],
    ['an argument too few', ['save'], 'missing required argument'],
    ['an argument too many', ['save', 'p/a', 'x'], 'too many arguments'],
    ['no such command', ['nope'], "unknown command 'nope'"],
    ['half a command', ['cache'], 'would be refused'],
    ['its help', ['save', 'p/a', '--help'], 'it only shows how it is used'],
    ['the version', ['--version'], 'it only shows how it is used'],
    ['what runs until it is stopped', ['serve'], '"gypsum serve" cannot be scheduled'],
    ['a sync that goes on', ['sync', 'a', 'b', '--interval', '5'], '"gypsum sync --interval" goes on until'],
    ['itself', ['schedule', 'run'], '"gypsum schedule run" cannot be scheduled'],
    ['what asks', ['login'], '"gypsum login" cannot be scheduled'],
    ['what destroys', ['project', 'remove', 'p'], '"gypsum project remove" cannot be scheduled'],
  ])('refuses %s at once', async (_what, words, message) => {
    const { code, stdout, stderr } = await run('schedule', 'add', 'a', '--every', '1h', '--', ...words);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    expect([code, stdout]).toEqual([2, '']);
    expect(await run('schedule')).toMatchObject({ stdout: 'There is no job. Add one with "gypsum schedule add".\n' });
  });

  it.each<[string, string[], string]>([
    ['no schedule', [], 'either an interval or times'],
    ['two schedules', ['--every', '1h', '--cron', '@daily'], 'either an interval or times'],
    ['a zone for an interval', ['--every', '1h', '--time-zone', 'UTC'], 'either an interval or times'],
    ['no interval', ['--every', '0'], 'It must be longer than 0'],
    ['a negative interval', ['--every=-5'], 'Give a duration'],
    ['what is no interval', ['--every', 'NaN'], 'Give a duration'],
    ['too short an interval', ['--every', '0.01'], 'cannot be run every 0.6 seconds'],
    ['no time', ['--cron', '* *'], '"* *" is no time'],
    ['no zone', ['--cron', '@daily', '--time-zone', 'X/Y'], 'in the time zone "X/Y"'],
  ])('refuses %s', async (_what, flags, message) => {
    const { code, stderr } = await run('schedule', 'add', 'a', ...flags, '--', 'save', 'p/a');
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(readdirSync(join(stateDir, '..'))).toEqual([]);
  });

  it('knows of every command whether it can be scheduled', async () => {
    const { commands } = await import('../../src/cli/commands.ts');
    const known = [...SCHEDULABLE, ...NOT_SCHEDULABLE];
    expect(known.toSorted()).toEqual(Object.keys(commands).toSorted());
  });
});

describe('gypsum schedule list', () => {
  it('shows when each job was run, is due and how often it failed', () => {
    const job = {
      name: 'nightly',
      schedule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
      command: ['save', 'p/my data', '\u001b[2J'],
      directory: '/home/me',
      settings: {},
      added: new Date(0),
      isRunning: false,
      failures: 0,
      next: new Date(86_400_000),
    };
    expect(jobText(job)).toBe(
      [
        'nightly  0 3 * * * (Europe/Berlin)',
        "  gypsum save 'p/my data' '\\x1b[2J'  (in /home/me)",
        '  last run: none yet',
        '  next run: 1970-01-02T00:00:00.000Z',
      ].join('\n'),
    );
    const last = {
      start: new Date(0),
      end: new Date(61_500),
      outcome: 'failed',
      exitCode: 5,
      message: 'why\u0007',
    } as const;
    expect(jobText({ ...job, last, failures: 3 })).toContain(
      [
        '  last run: 1970-01-01T00:00:00.000Z, failed with exit code 5 after 61.5 s: why\\x07',
        '  next run: 1970-01-02T00:00:00.000Z, tried again after 3 failures in a row',
      ].join('\n'),
    );
    const { end: _end, ...begun } = { ...last, outcome: 'interrupted' } as const;
    expect(jobText({ ...job, last: begun, isRunning: true })).toMatch(/going on$/);
    expect(jobText({ ...job, last: begun })).toContain('nobody saw it end');
  });

  it('names what is damaged', async () => {
    mkdirSync(join(stateDir, 'schedule'), { recursive: true });
    writeFileSync(join(stateDir, 'schedule/job.a.json'), 'x', { mode: 0o600 });
    const { code, stdout } = await run('schedule');
    expect(stdout).toBe(
      `${join(stateDir, 'schedule/job.a.json')} says nothing of a job: it is not what this version writes there. Remove it.\n`,
    );
    expect(code).toBe(0);
  });
});

describe('gypsum schedule run', () => {
  it('takes one way to end', async () => {
    expect(await run('schedule', 'run', '--once', '--job', 'a')).toMatchObject({ code: 2 });
    expect(await run('schedule', 'run', '--job', 'a')).toMatchObject({
      code: 5,
      stderr: 'gypsum: There is no job "a".\nThere is none at all: add one with "gypsum schedule add".\n',
    });
    expect(await run('schedule', 'run', '--once')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await run('schedule', 'run', '--once', '--json')).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  });

  it('wants a log that it can write', async () => {
    const { code, stderr } = await run('schedule', 'run', '--once', '--log', join(stateDir, 'no/such/log'));
    expect(stderr).toContain('ENOENT');
    expect(code).toBe(1);
  });
});

describe('gypsum schedule export', () => {
  const odd = `/o d'd "q" 100% $HOME <&> é`;
  const options = {
    command: ['/usr/bin/node', `${odd}/main.js`] as const,
    stateDir: `${odd}/state`,
    log: `${odd}/log`,
  };
  const words = [...options.command, 'schedule', 'run'];

  it('prints one format, and says on standard error what to do with it', async () => {
    for (const [flag, text] of [
      ['--systemd', /^\[Unit\]\n/],
      ['--crontab', /^@reboot .* schedule run --log .*\/schedule\.log\n$/],
      ['--launchd', /^<\?xml /],
    ] as const) {
      const { code, stdout, stderr } = await run('schedule', 'export', flag);
      expect(stdout).toMatch(text);
      expect(stdout).toContain(stateDir);
      expect(stdout).toContain(process.execPath);
      expect(stderr).toContain(`gypsum schedule export ${flag}`);
      expect(code).toBe(0);
      expect((await run('schedule', 'export', flag, '--quiet')).stderr).toBe('');
    }
    expect(await run('schedule', 'export')).toMatchObject({ code: 2 });
    expect(await run('schedule', 'export', '--systemd', '--crontab')).toMatchObject({ code: 2 });
  });

  it('writes a unit that systemd takes', async () => {
    const { text } = systemdUnit({ ...options, command: [process.execPath, `${odd}/main.js`] });
    expect(text).toContain(`ExecStart=:${process.execPath} "/o d'd \\"q\\" 100%% $HOME <&> é/main.js" schedule run\n`);
    expect(text).toContain(`Environment="GYPSUM_STATE_DIR=/o d'd \\"q\\" 100%% $HOME <&> é/state"\n`);
    const control = systemdUnit({ ...options, stateDir: '/a\nExecStart=/bin/evil\\' }).text;
    expect(control).toContain('"GYPSUM_STATE_DIR=/a\\x0aExecStart=/bin/evil\\\\"');
    if (spawnSync('systemd-analyze', ['--version']).error !== undefined) {
      process.stdout.write('The unit is not shown to systemd: it is not installed.\n');
      return;
    }
    const folder = await tempFolder();
    for (const [name, unit] of Object.entries({ one: text, control })) {
      const file = join(folder, `${name}.service`);
      writeFileSync(file, unit.replace('ExecStart=:/usr/bin/node', `ExecStart=:${process.execPath}`));
      const env = { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder };
      const { status, stderr } = spawnSync('systemd-analyze', ['--user', 'verify', file], { env, encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
    }
  });

  it('writes a line that cron and the shell take for the same words', () => {
    const { text } = crontabLine(options);
    expect(text).not.toContain('\n');
    // What cron makes of it, and then a program that prints its words in place of ours.
    const line = asCron(text.replace(/^@reboot /, '')).replace(
      '/usr/bin/node',
      `'${process.execPath}' -e 'console.log(JSON.stringify([process.env.GYPSUM_STATE_DIR, ...process.argv.slice(1)]))' --`,
    );
    const printed = execFileSync('/bin/sh', ['-c', line], { env: { HOME: '/home/me' }, encoding: 'utf8' });
    expect(JSON.parse(printed)).toEqual([options.stateDir, ...words.slice(1), '--log', options.log]);
  });

  it('writes a list that says the same words', () => {
    const { text } = launchdList(options);
    const strings = [...text.matchAll(/<string>(.*)<\/string>/g)].map(([, string = '']) =>
      string.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
    );
    expect(strings).toEqual(['gypsum-client.schedule', ...words, '--log', options.log, options.stateDir]);
  });

  it('refuses paths that a format cannot hold', () => {
    const refused = (format: typeof crontabLine, change: Partial<ServiceOptions>) =>
      expect(() => format({ ...options, ...change })).toThrow(/cannot stand in/);
    refused(systemdUnit, { command: ['/a"b/node', 'main.js'] });
    refused(crontabLine, { stateDir: '/a\nb' });
    refused(crontabLine, { log: '/a\\b' });
    refused(launchdList, { stateDir: '/a\u0001' });
  });
});

/** Source: do_command.c of Vixie cron and cronie: what stands behind a bare "%" is the command's input. */
function asCron(text: string): string {
  let command = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\' && (text[at + 1] === '%' || text[at + 1] === '\\')) at++;
    else if (text[at] === '%') return command;
    command += text[at];
  }
  return command;
}

describe('completion', () => {
  it.each<[string[], string[]]>([
    [['sched'], ['schedule']],
    [
      ['schedule', 'r'],
      ['remove', 'run'],
    ],
    [
      ['schedule', 'remove', ''],
      ['nightly', 'often'],
    ],
    [['schedule', 'run', '--job', 'n'], ['nightly']],
    [['schedule', 'run', '--job=n'], ['--job=nightly']],
    [['schedule', 'run', '--log', ''], [':files']],
    [['schedule', 'add', 'x', '--ev'], ['--every']],
    [['schedule', 'add', 'x', '--every', '1h', '--', 'ca'], ['cache']],
    [['schedule', 'add', 'x', '--every', '1h', '--', 'se'], []],
    [
      ['schedule', 'add', 'x', '--every', '1h', '--', 'cache', ''],
      ['verify', 'prune'],
    ],
    [['schedule', 'add', 'x', '--every', '1h', '--', 'cache', 'prune', '--old'], ['--older-than']],
    [
      ['schedule', 'add', 'x', '--every', '1h', '--', 'upload', '--links', 'a'],
      ['auto', 'always'],
    ],
  ])('of %j is %j', async (words, candidates) => {
    for (const name of ['often', 'nightly'])
      await run('schedule', 'add', name, '--every', '1h', '--', 'cache', 'prune');
    expect(await complete(words)).toEqual(candidates);
  });
});
