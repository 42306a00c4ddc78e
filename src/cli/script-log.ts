import type { Call, Flag } from './command.ts';

/** How much the scripts say, the most first. */
const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;

type Level = (typeof LEVELS)[number];

export const verbosityFlag: Flag = {
  flags: '-v, --verbosity <level>',
  description: 'the least important messages that are shown',
  choices: LEVELS,
  preset: 'INFO',
};

/** Takes the messages of commands that stand in for scripts: what is done to standard output, the rest to standard error. */
export interface ScriptLog {
  info(line: string): void;
  warning(line: string): void;
  error(line: string): void;
  /** The last line; it is the result, for people. */
  sum(line: string): void;
}

export function createScriptLog(
  { print, warn, json, quiet }: Pick<Call, 'print' | 'warn' | 'json' | 'quiet'>,
  verbosity: Level = 'INFO',
): ScriptLog {
  const shows = (level: Level) => LEVELS.indexOf(level) >= LEVELS.indexOf(verbosity);
  const to = (level: Level, write: (line: string) => void, isOn: boolean) => (line: string) => {
    if (isOn && shows(level)) write(line);
  };
  return {
    info: to('INFO', print, !json && !quiet),
    warning: to('WARNING', warn, true),
    error: to('ERROR', warn, true),
    sum: to('INFO', print, !json),
  };
}

/** What each of the scripts' commands has of it. */
export interface Verbosity {
  verbosity?: Level;
}
