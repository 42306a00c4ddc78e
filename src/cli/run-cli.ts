import { CommanderError, Command as Program } from 'commander';
import { type Client, createClient } from '../client.ts';
import { configFromEnvironment } from '../config.ts';
import { VERSION } from '../version.ts';
import { type Call, type Command, sharedFlags } from './command.ts';
import { commands, groups } from './commands.ts';
import { didYouMean } from './near-names.ts';
import { createDisplay } from './progress-display.ts';
import type { Terminal } from './progress-terminal.ts';
import { errorLines, exitCodeOf } from './report.ts';

export interface Io {
  readonly signal: AbortSignal;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** What `stderr` writes to, where that is a terminal; else it is a log. */
  readonly terminal?: Terminal | undefined;
}

interface SharedOptions {
  registry?: string;
  cache?: string;
  json?: boolean;
  quiet?: boolean;
}

/** Units: exit code. What shells use for wrong options and arguments. */
const USAGE = 2;

/** Runs one command line and gives its exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const program = new Program('gypsum')
    .description('Clone, edit and publish versions of datasets')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .showHelpAfterError('Run it with --help to see how it is used.')
    .addHelpText('after', '\nExample:\n  gypsum serve --data my-registry');
  let exitCode = 0;
  const wanted = argv.filter((word) => !word.startsWith('-'));
  for (const [words, { summary, load }] of Object.entries(commands)) {
    const [first = '', second] = words.split(' ');
    const parent = second === undefined ? program : group(program, first);
    const called = wanted[0] === first && (second === undefined || wanted[1] === second);
    if (!called) {
      parent.command(second ?? first).description(summary);
      continue;
    }
    const command = await load();
    addCommand(parent, command, async (call, options) => {
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
  const { json = false, quiet = false, registry, cache } = shared;
  const display = quiet ? undefined : createDisplay({ ...io, write: io.stderr });
  const flags = {
    ...(registry !== undefined && { url: registry }),
    ...(cache !== undefined && { cacheDir: cache }),
  };
  let client: Client | undefined;
  try {
    const result = await command.run({
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
      quiet,
    });
    display?.stop();
    const text = json
      ? JSON.stringify(result, undefined, 2)
      : quiet && result === undefined
        ? ''
        : command.human(result);
    if (text !== '' && text !== undefined) io.stdout(`${text}\n`);
    return 0;
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
  parent: Program,
  command: Command<unknown, never>,
  action: (parsed: Parsed, shared: SharedOptions) => Promise<void>,
): void {
  const sub = parent
    .command(command.usage)
    .description(command.summary)
    .exitOverride()
    .addHelpText('after', `\nExample:\n  ${command.example}`);
  for (const { flags, description, parse, choices, preset } of [...(command.flags ?? []), ...sharedFlags]) {
    const option = sub.createOption(flags, description);
    if (choices !== undefined) option.choices(choices);
    else if (parse !== undefined) option.argParser(parse);
    if (preset !== undefined) option.default(preset);
    sub.addOption(option);
  }
  sub.action(async () => {
    const { registry, cache, json, quiet, ...options } = sub.opts();
    await action({ args: sub.args, options }, { registry, cache, json, quiet });
  });
}
