import type { Client } from '../client.ts';
import type { Config } from '../config.ts';
import type { OnEvent } from '../events.ts';

/** What a command's `run` is given. */
export interface Call<Options = Record<never, never>> {
  readonly args: readonly string[];
  readonly options: Options;
  /** What the flags say of the settings that every command has. */
  readonly flags: Partial<Config>;
  /** Made by the command line from flags and environment when it is first asked for. */
  readonly client: () => Client;
  /** Gives the command that a command line would call; throws `invalid-argument` for one that would be refused. */
  readonly checkLine: (words: readonly string[]) => Promise<CalledCommand>;
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
  /** Writes a line to standard output at once; for commands that go on after it. */
  readonly print: (line: string) => void;
  /** Writes a line to standard error; for what goes wrong while a command goes on. */
  readonly warn: (line: string) => void;
  /** Writes to standard output what is no line of text, and waits until it is taken; says whether somebody reads on. */
  readonly pipe: (chunk: Uint8Array | string) => Promise<boolean>;
  readonly quiet: boolean;
  readonly json: boolean;
  /** Whether standard output shows colors. */
  readonly colors: boolean;
}

/** A command that a command line calls, by its words, and what it is called with. */
export interface CalledCommand {
  readonly name: string;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Flag {
  /** As commander takes it, such as `--port <number>`. */
  readonly flags: string;
  readonly description: string;
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
  /** The value where the flag is not given. */
  readonly preset?: string | number;
  /** It may be given several times. */
  readonly many?: boolean;
  /** It must be given. */
  readonly required?: boolean;
}

/** The flags of commands that speak to a registry. */
const clientFlags: readonly Flag[] = [
  { flags: '--registry <url>', description: 'the registry (GYPSUM_URL)' },
  { flags: '--cache <folder>', description: 'the cache folder (GYPSUM_CACHE_DIR)' },
  { flags: '--site-cache <folder>', description: 'a cache of others to look into first (GYPSUM_SITE_CACHE)' },
  { flags: '--offline', description: 'make no request: say what is not in the cache (GYPSUM_OFFLINE)' },
  { flags: '--shared', description: 'make a new cache that all of its group can write to (GYPSUM_SHARED)' },
];

/** The flags that every command has. */
const commonFlags: readonly Flag[] = [
  { flags: '--json', description: 'print the result as JSON' },
  { flags: '--quiet', description: 'print nothing but the result' },
];

/** Gives all flags of a command, its own first. */
export function flagsOf({
  flags = [],
  local = false,
}: Pick<Command<unknown, never>, 'flags' | 'local'>): readonly Flag[] {
  return [...flags, ...(local ? [] : clientFlags), ...commonFlags];
}

/** A command: one call of the library, and how its result is shown. */
export interface Command<Result, Options = Record<never, never>> {
  /** Name and arguments, as commander takes them. */
  readonly usage: string;
  readonly summary: string;
  /** Works as it stands, given a registry. */
  readonly example: string;
  readonly flags?: readonly Flag[];
  /** It speaks to no registry. @default false */
  readonly local?: boolean;
  run(call: Call<Options>): Promise<Result>;
  /** What `--json` shows. @default the result as it is */
  json?(result: Result): unknown;
  /** The lines for people; an empty text prints nothing. */
  human(result: Result, call: Call<Options>): string;
  /** Throws, once a result has been shown, if that says that something is wrong. */
  check?(result: Result, call: Call<Options>): void;
  /** The exit code of a result that is no failure, where scripts are to tell it by that. @default 0 */
  exitCode?(result: Result, call: Call<Options>): number;
}

/** Commands by their words. */
export type CommandTable = Readonly<Record<string, CommandEntry>>;

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<Command<unknown, never>>;
  /** It is meant where the first of its two words stands alone. */
  readonly isDefault?: boolean;
}

/** Gives the argument at a place; commander has made sure that it is there. */
export function argument(args: readonly string[], at: number): string {
  const value = args[at];
  if (value === undefined) throw new Error(`argument ${at} is missing`);
  return value;
}
