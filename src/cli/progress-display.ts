import type { OnEvent } from '../events.ts';
import { createMessages } from './messages.ts';
import { createTracker, type Progress } from './progress.ts';
import { progressLine, progressText } from './progress-line.ts';
import type { Terminal } from './progress-terminal.ts';

export interface DisplayOptions {
  readonly write: (text: string) => void;
  /** Where there is none, what is written is a log. */
  readonly terminal?: Terminal | undefined;
  /** Takes the bar away when it is aborted; what is still to be told is told. */
  readonly signal: AbortSignal;
}

/** Shows people what happens: a bar that is drawn again and again, or a line now and then; and every message. */
export interface Display {
  readonly onEvent: OnEvent;
  /** Takes the bar away until it is drawn next: before anybody else writes to the screen. */
  clear(): void;
  /** Takes the bar away for good. */
  stop(): void;
}

/** A place to show progress at. */
interface Sheet {
  /** Units: milliseconds. How often it wants to show where things stand. */
  readonly every: number;
  show(progress: Progress, now: number): void;
  say(message: string): void;
  clear(): void;
}

export function createDisplay({ write, terminal, signal }: DisplayOptions): Display {
  const tracker = createTracker();
  const messageOf = createMessages();
  const sheet = terminal === undefined ? createLog(write) : createBar(write, terminal);
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const rest = () => {
    clearInterval(timer);
    timer = undefined;
    sheet.clear();
  };
  const stop = () => {
    stopped = true;
    signal.removeEventListener('abort', stop);
    rest();
  };
  const tick = () => {
    const now = performance.now();
    const progress = tracker.look(now);
    if (progress === undefined) rest();
    else sheet.show(progress, now);
  };
  signal.addEventListener('abort', stop);
  return {
    onEvent(event) {
      const message = messageOf(event, performance.now());
      if (message !== undefined) sheet.say(message);
      if (stopped) return;
      tracker.count(event, performance.now());
      if (event.type === 'start') timer ??= setInterval(tick, sheet.every).unref();
      else if (event.type === 'end') tick();
    },
    clear: sheet.clear,
    stop,
  };
}

/** Units: milliseconds */
const FRAME = 100;
const BAR_AFTER = 200;

/**
 * The cursor rests on the bar's first character. Where a window that grows narrower breaks the bar in two, terminals
 * keep the cursor on that character, so that what is below it can be erased without knowing how many lines it is. The
 * bar is drawn without wrapping: a terminal may be narrower already than it has told. Something is written before the
 * erasing: tmux saves the screen to its history if it is erased from its first cell.
 *
 * Shape:  return, no wrapping, text, erase to the end of the screen, wrapping, return
 */
const frame = (text: string) => `\r\x1b[?7l${text || ' '}\x1b[J\x1b[?7h\r`;
const NOTHING = frame('');

function createBar(write: (text: string) => void, terminal: Terminal): Sheet {
  let shown: Progress | undefined;
  const draw = (progress: Progress) =>
    frame(progressLine(progress, { columns: terminal.columns(), unicode: terminal.unicode }));
  return {
    every: FRAME,
    show(progress, now) {
      if (now - progress.since < BAR_AFTER) return;
      shown = progress;
      write(draw(progress));
    },
    say(message) {
      write(shown === undefined ? `${message}\n` : `${NOTHING}${message}\n${draw(shown)}`);
    },
    clear() {
      if (shown !== undefined) write(NOTHING);
      shown = undefined;
    },
  };
}

/** Units: milliseconds */
const LOG_TICK = 1_000;
const FIRST_LINE_AFTER = 5_000;
const LINE_EVERY = 10_000;

function createLog(write: (text: string) => void): Sheet {
  let since: number | undefined;
  let next = 0;
  return {
    every: LOG_TICK,
    show(progress, now) {
      if (progress.since !== since) {
        since = progress.since;
        next = since + FIRST_LINE_AFTER;
      }
      if (now < next) return;
      next = now + LINE_EVERY;
      write(`${progressText(progress)}\n`);
    },
    say: (message) => write(`${message}\n`),
    clear() {},
  };
}
