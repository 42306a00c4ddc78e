import { CommanderError, Command as Program } from 'commander';
import { type Client, createClient } from '../client.ts';
import { configFromEnvironment } from '../config.ts';
import { VERSION } from '../version.ts';
import { type Call, type Command, flagsOf } from './command.ts';
import { groups } from './command-groups.ts';
import { commands } from './commands.ts';
import { didYouMean } from './near-names.ts';
import { createDisplay } from './progress-display.ts';
import type { Terminal } from './progress-terminal.ts';
import { errorLines, exitCodeOf } from './report.ts';

export interface Io {
  readonly signal: AbortSignal;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /**
   * Writes to standard output and gives, once that is taken, whether somebody reads on. @default `stdout`, for text
   */
  readonly pipe?: (chunk: Uint8Array | string) => Promise<boolean>;
  /** Whether standard output shows colors. @default false */
  readonly colors?: boolean;
  /** What `stderr` writes to, where that is a terminal; else it is a log. */
  readonly terminal?: Terminal | undefined;
}

interface SharedOptions {
  registry?: string;
  cache?: string;
  siteCache?: string;
  shared?: boolean;
  offline?: boolean;
  json?: boolean;
  quiet?: boolean;
}

const HELP = `
Environment:
  GYPSUM_URL         the registry
  GYPSUM_CACHE_DIR   the cache folder
  GYPSUM_SITE_CACHE  a cache of others to look into first, which is never written to
  GYPSUM_OFFLINE     1 to make no request, and be told what is not in the cache
  GYPSUM_SHARED      1 for a new cache that all of a group can write to
  GYPSUM_TOKEN       who you are; needed to publish, and to read what is private
  GYPSUM_CA_FILE     certificates of authorities to trust besides Node's own
  HTTPS_PROXY        the proxy for https URLs; HTTP_PROXY is that for http URLs
  NO_PROXY           hosts that need none of them
  GYPSUM_STATE_DIR   where uploads are written down until they end
  GYPSUM_CONFIG_DIR  the folder of the config file and the logins

Example:
  gypsum serve --data my-registry`;

/** Units: exit code. What shells use for wrong options and arguments. */
const USAGE = 2;

/** Runs one command line and gives its exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const program = new Program('gypsum')
    .description('Clone, edit and publish versions of datasets')
    .version(VERSION)
    .exitOverride()
    // Also where a terminal is narrow.
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .showHelpAfterError('Run it with --help to see how it is used.')
    .addHelpText('after', HELP);
  let exitCode = 0;
  const words = argv.filter((word) => !word.startsWith('-'));
  const wanted = words[0] === 'help' ? words.slice(1) : words;
  for (const [name, { summary, load, isDefault = false }] of Object.entries(commands)) {
    const [first = '', second] = name.split(' ');
    const parent = second === undefined ? program : group(program, first);
    const isNamed = second === undefined || wanted[1] === second;
    const called = wanted[0] === first && (isNamed || (isDefault && !(`${first} ${wanted[1]}` in commands)));
    if (!called) {
      parent.command(second ?? first, { isDefault }).description(summary);
      continue;
    }
    const command = await load();
    addCommand(parent.command(command.usage, { isDefault }), command, async (call, options) => {
      exitCode = await runCommand(command, call, options, io);
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    throw error;
  }
}

type Parsed = Pick<Call, 'args'> & { options: Record<string, unknown> };

async function runCommand(
  command: Command<unknown, never>,
  parsed: Parsed,
  shared: SharedOptions,
  io: Io,
): Promise<number> {
  const { json = false, quiet = false, registry, cache, siteCache, shared: isShared, offline } = shared;
  const display = quiet ? undefined : createDisplay({ ...io, write: io.stderr });
  const flags = {
    ...(registry !== undefined && { url: registry }),
    ...(cache !== undefined && { cacheDir: cache }),
    ...(siteCache !== undefined && { siteCacheDir: siteCache }),
    ...(isShared !== undefined && { shared: isShared }),
    ...(offline !== undefined && { offline }),
  };
  let client: Client | undefined;
  try {
    const call: Call<never> = {
      args: parsed.args,
      options: parsed.options as never,
      flags,
      client() {
        client ??= createClient(configFromEnvironment(flags));
        return client;
      },
      signal: io.signal,
      onEvent: (event) => display?.onEvent(event),
      print(line) {
        display?.clear();
        io.stdout(`${line}\n`);
      },
      warn(line) {
        display?.clear();
        io.stderr(`${line}\n`);
      },
      async pipe(chunk) {
        display?.clear();
        if (io.pipe !== undefined) return io.pipe(chunk);
        io.stdout(chunk.toString());
        return true;
      },
      quiet,
      json,
      colors: io.colors ?? false,
    };
    const result = await command.run(call);
    display?.stop();
    // Nothing is what a command gives that has printed all it had to say.
    const text = result === undefined ? '' : json ? JSON.stringify(result, undefined, 2) : command.human(result, call);
    if (text !== '') io.stdout(`${text}\n`);
    command.check?.(result, call);
    return command.exitCode?.(result, call) ?? 0;
  } catch (error) {
    display?.stop();
    if (error === io.signal.reason && error instanceof Error && 'exitCode' in error) {
      io.stderr(`${error.message}\n`);
      return Number(error.exitCode);
    }
    io.stderr(`gypsum: ${errorLines(error)}\n`);
    const near = client && (await didYouMean(client, error, io.signal));
    if (near !== undefined) io.stderr(`${near}\n`);
    return exitCodeOf(error);
  } finally {
    await client?.close();
  }
}

function group(program: Program, name: string): Program {
  return (
    program.commands.find((command) => command.name() === name) ?? program.command(name).description(groups[name] ?? '')
  );
}

function addCommand(
  sub: Program,
  command: Command<unknown, never>,
  action: (parsed: Parsed, shared: SharedOptions) => Promise<void>,
): void {
  sub.description(command.summary).exitOverride().addHelpText('after', `\nExample:\n  ${command.example}`);
  for (const { flags, description, parse, choices, preset, many, required = false } of flagsOf(command)) {
    const option = sub.createOption(flags, description).makeOptionMandatory(required);
    if (choices !== undefined) option.choices(choices);
    else if (parse !== undefined) option.argParser(parse);
    else if (many) option.argParser((text, before: string[] | undefined) => [...(before ?? []), text]);
    if (preset !== undefined) option.default(preset);
    sub.addOption(option);
  }
  sub.action(async () => {
    const { registry, cache, siteCache, offline, shared, json, quiet, ...options } = sub.opts();
    await action({ args: sub.args, options }, { registry, cache, siteCache, offline, shared, json, quiet });
  });
}
