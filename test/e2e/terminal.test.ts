import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';
import { describe, expect, it, onTestFinished } from 'vitest';
import { delay, status } from '../../mocks/index.ts';
import { startCli } from '../helpers/cli.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const FILES = Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`d${n % 4}/f${n}`, `content ${n} `.repeat(n)]));

const environment = ({ registry, cacheDir }: Rig) => ({
  GYPSUM_URL: registry.url,
  GYPSUM_CACHE_DIR: cacheDir,
  GYPSUM_TOKEN: registry.token,
  LANG: 'C.UTF-8',
  TERM: 'xterm',
});

/** A registry that gives files one by one, is slow enough for a bar, and fails once. */
async function slowRig(): Promise<Rig> {
  const rig = await createRig({ projects: { q: {} }, versions: { 'p/a/v1': FILES } }, { noExtras: true });
  rig.registry.inject(delay(150), { key: /v1\/d/ });
  rig.registry.inject(delay(150), { route: 'put' });
  rig.registry.inject(status(503), { key: 'p/a/v1/d0/f60', times: 1 });
  return rig;
}

/** Whether `script` of util-linux is there, which runs a command on a terminal of its own. */
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

/** Runs the built command on a terminal, and gives all that was written to it. */
async function onTerminal(rig: Rig, columns: number, command: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const line = `stty cols ${columns} rows 24; exec '${process.execPath}' '${MAIN}' ${command}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', GYPSUM_STATE_DIR: rig.stateDir, ...environment(rig), ...more },
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: rig.folder,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [written] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return written;
}

async function screenOf(written: string, columns: number): Promise<string> {
  const emulator = new xterm.Terminal({ cols: columns, rows: 24, allowProposedApi: true });
  await new Promise<void>((resolve) => emulator.write(written, resolve));
  const { active } = emulator.buffer;
  const rows = Array.from({ length: active.length }, (_, row) => active.getLine(row));
  return rows
    .map((row) => `${row?.isWrapped ? '' : '\n'}${row?.translateToString(true) ?? ''}`)
    .join('')
    .trim();
}

describe('in a pipe', () => {
  it.each([
    ['save', 'p/a/v1'],
    ['clone', 'p/a/v1', 'FOLDER/clone'],
    ['prepare', 'FOLDER/mine'],
    ['upload', 'FOLDER/mine', 'q/a/v1'],
  ])('%s writes plain lines, to the end of what it says', async (...words) => {
    const rig = await slowRig();
    const argv = words.map((word) => word.replace('FOLDER', rig.folder));
    await rig.makeFolder('mine', FILES);
    const { code, stdout, stderr } = await startCli(argv, { ...environment(rig), FORCE_COLOR: '1' }).end();
    expect(code).toBe(0);
    expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
    // Whoever is slow is told now and then how far it is.
    const more = stderr.split('\n').filter((line) => !/Trying again|^\w+ \d+ of \d+ files\b/.test(line));
    expect(more.join('')).toBe('');
  });
});

describe.skipIf(!hasScript)('on a terminal (which needs util-linux’s "script")', () => {
  it.each([80, 20])('of %i columns a save shows a bar, and leaves messages and the result', async (columns) => {
    const rig = await slowRig();
    const written = await onTerminal(rig, columns, 'save p/a/v1');
    const bars = written.split('\x1b[?7l').filter((part) => /\d+\/80/.test(part));
    expect(bars.length).toBeGreaterThan(3);
    const screen = await screenOf(written, columns);
    expect(screen).toMatch(
      /^Fetching "p\/a\/v1\/d0\/f60" failed: .* Trying again \(attempt 2\)\.\nSaved p\/a\/v1: 80 files/,
    );
    expect(screen.split('\n')).toHaveLength(3);
  });

  it('an upload shows a bar, and leaves the result', async () => {
    const rig = await slowRig();
    await rig.makeFolder('mine', FILES);
    const written = await onTerminal(rig, 80, 'upload mine q/a/v1');
    expect(written).toMatch(/Sending {2}[█░]+ .*\/80 files/);
    expect(await screenOf(written, 80)).toMatch(/^Published q\/a\/v1: .*$/);
  });

  it.each<[string, string, NodeJS.ProcessEnv]>([
    ['--quiet', 'save p/a/v1 --quiet', {}],
    ['a terminal that can do nothing', 'save p/a/v1', { TERM: 'dumb' }],
    ['messages that go elsewhere', 'save p/a/v1 2> messages', {}],
  ])('%s shows no bar', async (_name, command, more) => {
    const written = await onTerminal(await slowRig(), 80, command, more);
    expect(written).not.toContain('\x1b');
    expect(written).toContain('Saved p/a/v1');
  });

  it('a locale without Unicode has a bar of ASCII', async () => {
    const written = await onTerminal(await slowRig(), 80, 'save p/a/v1', { LANG: 'C' });
    expect(written).toMatch(/Fetching {2}#*\.+ /);
  });

  it('colours are neither asked for nor made', async () => {
    const written = await onTerminal(await slowRig(), 80, 'save p/a/v1', { FORCE_COLOR: '3' });
    expect(written).not.toMatch(/\x1b\[[\d;]*m/);
  });

  it('a list is coloured there alone, and not where nobody wants it', async () => {
    const link = { path: 'gone', type: 'symlink', symlink_target: 'x', symlink_target_type: 'unknown' };
    const record = JSON.stringify({ 'gypsum-tree': 1, entries: [link] });
    const rig = await createRig({ versions: { 'p/a/v1': { '.gypsum-tree.json': record } } });
    expect(await onTerminal(rig, 80, 'ls p/a/v1')).toContain('\x1b[31mgone\x1b[39m -> \x1b[31mx\x1b[39m');
    for (const [command, more] of [
      ['ls p/a/v1', { NO_COLOR: '1' }],
      ['ls p/a/v1 | cat', {}],
    ] as const) {
      const written = await onTerminal(rig, 80, command, more);
      expect(written).toContain('gone -> x');
      expect(written).not.toMatch(/\x1b\[[\d;]*m/);
    }
  });
});
