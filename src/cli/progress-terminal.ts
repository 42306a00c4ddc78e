import type { WriteStream } from 'node:tty';
import isUnicodeSupported from 'is-unicode-supported';

/** What the progress display must know of a terminal. */
export interface Terminal {
  /** Asked anew for every line: windows change. */
  columns(): number;
  /** Whether it shows block characters. */
  readonly unicode: boolean;
}

/** Units: columns. What a terminal has that does not say it. */
const USUAL = 80;

/** Gives the terminal behind a stream, if it is one on which a line can be drawn again. */
export function terminalOf(
  stream: Pick<WriteStream, 'isTTY' | 'columns'>,
  environment: NodeJS.ProcessEnv,
): Terminal | undefined {
  if (!stream.isTTY || environment.TERM === 'dumb') return undefined;
  return {
    columns: () => stream.columns || USUAL,
    unicode: isUnicodeSupported() && (process.platform === 'win32' || isUnicodeLocale(environment)),
  };
}

function isUnicodeLocale({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}
