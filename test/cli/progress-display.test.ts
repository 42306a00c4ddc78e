import xterm from '@xterm/headless';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDisplay, type Display } from '../../src/cli/progress-display.ts';
import { terminalOf } from '../../src/cli/progress-terminal.ts';
import type { GypsumEvent } from '../../src/events.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const START: GypsumEvent = { type: 'start', task: 'fetch', files: 100, bytes: 100_000 };
const STEP: GypsumEvent = { type: 'progress', task: 'fetch', files: 1, bytes: 1_000 };
const END: GypsumEvent = { type: 'end', task: 'fetch' };
const TOLD: GypsumEvent = {
  type: 'wait',
  for: 'project-lock',
  ref: { project: 'p', asset: 'a', version: 'v' },
  error: new Error('日本 is being published to.'),
};
const MESSAGE = '日本 is being published to. Waiting for it to end.';

interface Rig {
  readonly display: Display;
  readonly abort: () => void;
  readonly written: () => string;
  /** Lets the window grow narrower or wider; the program may hear of it later. */
  resize(columns: number, heard?: boolean): void;
  /** Does what tmux and others do when a window grows narrower: the bar is broken in two, the cursor stays where it was. */
  wrapAnew(columns: number): Promise<void>;
  /** What stands on the screen and above it, blank lines left out. */
  screen(): Promise<string[]>;
}

/** A display in front of an emulated terminal. */
function onTerminal(columns = 80): Rig {
  const emulator = new xterm.Terminal({ cols: columns, rows: 10, allowProposedApi: true, convertEol: true });
  const { signal, abort } = withAbort();
  let written = '';
  let told = columns;
  const write = (text: string) => {
    written += text;
    emulator.write(text);
  };
  const display = createDisplay({ write, signal, terminal: { columns: () => told, unicode: true } });
  write('before\n');
  return {
    display,
    abort,
    written: () => written,
    resize(to, heard = true) {
      emulator.resize(to, 10);
      if (heard) told = to;
    },
    async wrapAnew(to) {
      const bar = (await this.screen()).at(-1);
      emulator.resize(to, 10);
      told = to;
      emulator.write(`\r${bar}\x1b[A\r`);
    },
    async screen() {
      await new Promise<void>((resolve) => emulator.write('', resolve));
      const { active } = emulator.buffer;
      const lines = Array.from(
        { length: active.length },
        (_, row) => active.getLine(row)?.translateToString(true) ?? '',
      );
      return lines.map((line) => line.trimEnd()).filter((line) => line !== '');
    },
  };
}

function inLog() {
  const { signal, abort } = withAbort();
  const lines: string[] = [];
  return { display: createDisplay({ write: (text) => void lines.push(text), signal }), lines, abort };
}

function withAbort() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error('stop')) };
}

/** Goes on for so long, with a step each 100 ms. */
function work({ display }: { display: Display }, milliseconds: number): void {
  for (let time = 0; time < milliseconds; time += 100) {
    display.onEvent(STEP);
    vi.advanceTimersByTime(100);
  }
}

describe('on a terminal', () => {
  it('one line is drawn again and again, and taken away at the end', async () => {
    const rig = onTerminal();
    rig.display.onEvent(START);
    const seen = new Set<string>();
    for (let time = 0; time < 3_000; time += 100) {
      work(rig, 100);
      const screen = await rig.screen();
      expect(screen.length).toBeLessThanOrEqual(2);
      expect(screen[0]).toBe('before');
      if (screen[1] !== undefined) seen.add(screen[1]);
    }
    expect(seen.size).toBeGreaterThan(20);
    expect([...seen].at(-1)).toMatch(
      /^Fetching {2}[█░]+ {3}30\/100 files +30\.0\/100\.0 kB +10\.0 kB\/s {2}0:07 left$/,
    );
    rig.display.onEvent(END);
    expect(await rig.screen()).toEqual(['before']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('nothing is drawn for work that is over at once', () => {
    const rig = onTerminal();
    for (let n = 0; n < 20; n++) {
      rig.display.onEvent(START);
      vi.advanceTimersByTime(150);
      rig.display.onEvent(END);
    }
    rig.display.stop();
    expect(rig.written()).toBe('before\n');
  });

  it('it is drawn ten times a second, however much happens', () => {
    const rig = onTerminal();
    rig.display.onEvent(START);
    for (let n = 0; n < 1_000; n++) {
      for (let many = 0; many < 10; many++) rig.display.onEvent(STEP);
      vi.advanceTimersByTime(1);
    }
    expect(rig.written().split('Fetching').length - 1).toBeLessThanOrEqual(10);
  });

  it('messages stand above the bar, whole', async () => {
    const rig = onTerminal();
    rig.display.onEvent(TOLD);
    rig.display.onEvent(START);
    for (let n = 0; n < 3; n++) {
      work(rig, 500);
      rig.display.onEvent(TOLD);
      expect(await rig.screen()).toEqual([
        'before',
        ...Array(n + 2).fill(MESSAGE),
        expect.stringMatching(/^Fetching.*files/),
      ]);
    }
    rig.display.onEvent(END);
    rig.display.onEvent(TOLD);
    expect(await rig.screen()).toEqual(['before', ...Array(5).fill(MESSAGE)]);
  });

  it.each([60, 40, 20, 10, 5])('a window that shrinks to %i columns keeps one line', async (columns) => {
    const rig = onTerminal();
    rig.display.onEvent(START);
    work(rig, 2_000);
    await rig.screen();
    rig.resize(columns);
    work(rig, 200);
    expect(await rig.screen()).toEqual(expect.arrayContaining([expect.stringContaining('2')]));
    expect(await barLines(rig)).toBe(1);
    rig.resize(80);
    work(rig, 200);
    expect(await barLines(rig)).toBe(1);
    expect((await rig.screen()).at(-1)).toMatch(/left$/);
    rig.display.stop();
    expect(await barLines(rig)).toBe(0);
  });

  it('a bar that the terminal has broken in two is one line again', async () => {
    const rig = onTerminal();
    rig.display.onEvent(START);
    work(rig, 2_000);
    await rig.wrapAnew(60);
    expect(await barLines(rig)).toBe(2);
    work(rig, 200);
    expect(await barLines(rig)).toBe(1);
    await rig.wrapAnew(40);
    rig.display.stop();
    expect(await rig.screen()).toEqual(['before']);
  });

  it('a window that is narrower than it has told does not make it scroll', async () => {
    const rig = onTerminal();
    rig.display.onEvent(START);
    work(rig, 2_000);
    await rig.screen();
    rig.resize(40, false);
    work(rig, 2_000);
    expect(await barLines(rig)).toBe(1);
    rig.display.stop();
    expect(await rig.screen()).toEqual(['before']);
  });

  it('Ctrl-C takes it away for good, and what follows is told', async () => {
    const rig = onTerminal();
    rig.display.onEvent(START);
    work(rig, 1_000);
    rig.abort();
    expect(await rig.screen()).toEqual(['before']);
    work(rig, 1_000);
    rig.display.onEvent(START);
    work(rig, 1_000);
    rig.display.onEvent(TOLD);
    expect(await rig.screen()).toEqual(['before', MESSAGE]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('others may write where it was', async () => {
    const rig = onTerminal();
    rig.display.onEvent(START);
    work(rig, 1_000);
    rig.display.clear();
    expect(await rig.screen()).toEqual(['before']);
    work(rig, 100);
    expect(await barLines(rig)).toBe(1);
  });

  it('neither hides the cursor nor leaves the terminal in another state', () => {
    const rig = onTerminal();
    rig.display.onEvent(START);
    work(rig, 1_000);
    expect(rig.written()).not.toContain('\x1b[?25');
    expect(rig.written().split('\x1b[?7l').length).toBe(rig.written().split('\x1b[?7h').length);
    expect(rig.written()).toMatch(/\x1b\[\?7h\r$/);
  });
});

/** How many lines of the screen are, or once were, part of a bar. */
async function barLines(rig: Rig): Promise<number> {
  return (await rig.screen()).filter((line) => !/^befor?e?$|^e$/.test(line)).length;
}

describe('in a log', () => {
  it('a line tells now and then how far it is', () => {
    const rig = inLog();
    rig.display.onEvent(START);
    work(rig, 4_900);
    expect(rig.lines).toEqual([]);
    work(rig, 25_100);
    expect(rig.lines).toEqual([
      'Fetched 50 of 100 files, 50.0 of 100.0 kB\n',
      'Fetched 150 of 100 files, 150.0 of 100.0 kB\n',
      'Fetched 250 of 100 files, 250.0 of 100.0 kB\n',
    ]);
  });

  it('each task has its own time', () => {
    const rig = inLog();
    for (let n = 0; n < 10; n++) {
      rig.display.onEvent(START);
      work(rig, 4_000);
      rig.display.onEvent(END);
    }
    expect(rig.lines).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('messages come at once, and nothing but text', () => {
    const rig = inLog();
    rig.display.onEvent(START);
    work(rig, 20_000);
    rig.display.onEvent(TOLD);
    rig.abort();
    expect(rig.lines.at(-1)).toBe(`${MESSAGE}\n`);
    expect(rig.lines.join('')).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
  });
});

describe('a stream', () => {
  const utf8 = { LANG: 'de_DE.UTF-8', TERM: 'xterm' };

  it('is a terminal where a line can be drawn again', () => {
    expect(terminalOf({ isTTY: true, columns: 80 }, utf8)?.columns()).toBe(80);
    expect(terminalOf({ isTTY: false, columns: 80 }, utf8)).toBeUndefined();
    expect(terminalOf({ isTTY: true, columns: 80 }, { ...utf8, TERM: 'dumb' })).toBeUndefined();
  });

  it('is asked for its width each time, and has the usual one where it does not know it', () => {
    const stream = { isTTY: true, columns: 80 };
    const terminal = terminalOf(stream, utf8);
    stream.columns = 20;
    expect(terminal?.columns()).toBe(20);
    stream.columns = 0;
    expect(terminal?.columns()).toBe(80);
  });

  it.skipIf(process.platform === 'win32').each([
    [utf8, true],
    [{ LANG: 'C.utf8' }, true],
    [{ LANG: 'C', LC_ALL: 'en_US.UTF-8' }, true],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, false],
    [{ LANG: 'de_DE.ISO-8859-1' }, false],
    [{ LANG: 'en_US.UTF-8', LC_CTYPE: 'POSIX' }, false],
    [{}, false],
  ])('%j shows block characters: %s', (environment, expected) => {
    vi.stubEnv('TERM', 'xterm');
    expect(terminalOf({ isTTY: true, columns: 80 }, environment)?.unicode).toBe(expected);
    vi.stubEnv('TERM', 'linux');
    expect(terminalOf({ isTTY: true, columns: 80 }, environment)?.unicode).toBe(false);
    vi.unstubAllEnvs();
  });
});
