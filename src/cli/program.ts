import { type OutputConfiguration, Command as Program } from 'commander';
import { VERSION } from '../version.ts';
import { type CalledCommand, type Command, flagsOf } from './command.ts';
import { groups } from './command-groups.ts';
import { commands } from './commands.ts';

/** What the flags say that every command has. */
export interface SharedOptions {
  registry?: string;
  cache?: string;
  siteCache?: string;
  shared?: boolean;
  offline?: boolean;
  json?: boolean;
  quiet?: boolean;
}

/** A command that was called, with what every command has, too. */
export interface Called extends CalledCommand {
  readonly command: Command<unknown, never>;
  readonly shared: SharedOptions;
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
  GYPSUM_STATE_DIR   where uploads are written down until they end, and scheduled jobs
  GYPSUM_CONFIG_DIR  the folder of the config file and the logins

Example:
  gypsum serve --data my-registry`;

/** Parses a command line and has the command that it calls act. Throws commander's errors, once they have been shown. */
export async function parseLine(
  argv: readonly string[],
  output: OutputConfiguration,
  act: (called: Called) => Promise<void>,
): Promise<void> {
  const program = new Program('gypsum')
    .description('Clone, edit and publish versions of datasets')
    .version(VERSION)
    .exitOverride()
    // Also where a terminal is narrow.
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput(output)
    .showHelpAfterError('Run it with --help to see how it is used.')
    .addHelpText('after', HELP);
  const words = argv.filter((word) => !word.startsWith('-'));
  const wanted = words[0] === 'help' ? words.slice(1) : words;
  // Commands that are not meant are made only to be listed, or guessed at: that takes 3 ms.
  const isKnown = Object.keys(commands).some((name) => name.split(' ')[0] === wanted[0]);
  for (const [name, { summary, load, isDefault = false }] of Object.entries(commands)) {
    const [first = '', second] = name.split(' ');
    if (isKnown && first !== wanted[0]) continue;
    const parent = second === undefined ? program : group(program, first);
    const isNamed = second === undefined || wanted[1] === second;
    const called = wanted[0] === first && (isNamed || (isDefault && !(`${first} ${wanted[1]}` in commands)));
    if (!called) {
      parent.command(second ?? first, { isDefault }).description(summary);
      continue;
    }
    const command = await load();
    addCommand(parent.command(command.usage, { isDefault }), command, (parsed) => act({ name, command, ...parsed }));
  }
  await program.parseAsync([...argv], { from: 'user' });
}

function group(program: Program, name: string): Program {
  return (
    program.commands.find((command) => command.name() === name) ?? program.command(name).description(groups[name] ?? '')
  );
}

function addCommand(
  sub: Program,
  command: Command<unknown, never>,
  act: (parsed: Omit<Called, 'name' | 'command'>) => Promise<void>,
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
    await act({ args: sub.args, options, shared: { registry, cache, siteCache, offline, shared, json, quiet } });
  });
}
