import { parseTreeRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { GetSymlinks } from '../../ops/get-entries.ts';
import type { ExistsRule, GetOptions, GetResult } from '../../ops/get-tree.ts';
import { argument, type Call, type Command } from '../command.ts';
import { ask } from '../confirm.ts';
import { canAsk } from '../read-secret.ts';
import { count, filesAndBytes } from '../text.ts';

interface Options {
  exists?: ExistsRule | 'ask';
  symlinks?: GetSymlinks;
  preserve?: boolean;
}

export const get: Command<GetResult, Options> = {
  usage: 'get <project/asset[/version][:/path]> [destination]',
  summary: 'Copy a version, or a folder or file of it, as "cp -r" would, with its symlinks and empty folders',
  example: 'gypsum get my-project/my-asset my-copy',
  flags: [
    {
      flags: '--exists <rule>',
      description: 'what becomes of files and symlinks that are in the way',
      choices: ['ask', 'preserve', 'overwrite'],
      preset: 'ask',
    },
    {
      flags: '--symlinks <rule>',
      description: 'make symlinks, leave them out, copy what they lead to, or make those that stay inside',
      choices: ['keep', 'skip', 'follow', 'safe'],
      preset: 'keep',
    },
    { flags: '--preserve', description: 'set modes and times as they were when it was published' },
  ],
  async run(call) {
    const { args, client, signal, onEvent, warn, quiet, options } = call;
    const { path, ...ref } = parseTreeRef(argument(args, 0));
    const { exists, ...rest } = options;
    const rule = exists === 'ask' ? asker(call) : exists;
    const got = await client().getTree(ref, args[1] ?? '.', {
      ...rest,
      path,
      ...(rule !== undefined && { exists: rule }),
      signal,
      onEvent,
    });
    if (!quiet) for (const one of got.stale) warn(`"${showText(one.path)}" ${one.why}; it is left out.`);
    for (const one of got.skipped) warn(`Skipped: "${showText(one.path)}" ${one.why}.`);
    return got;
  },
  human({ destination, files, bytes, symlinks, overwritten, preserved }) {
    const links = symlinks === 0 ? '' : `, ${count(symlinks, 'symlink')}`;
    const inTheWay = overwritten + preserved;
    return [
      `Got ${filesAndBytes({ files, bytes })}${links}: ${showText(destination)}`,
      ...(inTheWay === 0
        ? []
        : [`Were there before: ${inTheWay} (overwritten: ${overwritten}, preserved: ${preserved}).`]),
    ].join('\n');
  },
};

/** Asks on the terminal; nobody where there is none. */
function asker({ signal }: Call<Options>): GetOptions['exists'] {
  if (!canAsk()) return undefined;
  return async (path) => {
    const answer = await ask(`overwrite ${showText(path)}? [Y/n]: `, signal);
    return /^\s*(?:y(?:es)?)?\s*$/i.test(answer) ? 'overwrite' : 'preserve';
  };
}
