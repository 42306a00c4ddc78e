import type { Client } from '../client.ts';
import type { OnEvent } from '../events.ts';

/** What a command's `run` is given. */
export interface Call<Options = Record<never, never>> {
  readonly args: readonly string[];
  readonly options: Options;
  /** Made by the command line from flags and environment when it is first asked for. */
  readonly client: () => Client;
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
  /** Writes a line to standard output at once; for commands that go on after it. */
  readonly print: (line: string) => void;
  readonly quiet: boolean;
}

export interface Flag {
  /** As commander takes it, such as `--port <number>`. */
  readonly flags: string;
  readonly description: string;
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
  /** The value where the flag is not given. */
  readonly preset?: string | number;
}

/** A command: one call of the library, and how its result is shown to people. `--json` shows the result as it is. */
export interface Command<Result, Options = Record<never, never>> {
  /** Name and arguments, as commander takes them. */
  readonly usage: string;
  readonly summary: string;
  /** Works as it stands, given a registry. */
  readonly example: string;
  readonly flags?: readonly Flag[];
  run(call: Call<Options>): Promise<Result>;
  /** The lines for people; an empty text prints nothing. */
  human(result: Result): string;
}

/** Gives the argument at a place; commander has made sure that it is there. */
export function argument(args: readonly string[], at: number): string {
  const value = args[at];
  if (value === undefined) throw new Error(`argument ${at} is missing`);
  return value;
}
