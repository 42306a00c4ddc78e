import { parseTreeRef } from '../../model/refs.ts';
import type { PutOptions, PutResult } from '../../ops/put-tree.ts';
import { argument, type Command } from '../command.ts';
import { checkRescue, rescueFlag } from '../rescue-flag.ts';
import { count } from '../text.ts';
import { type ChangeFlags, changeExitCode, changeFlags, type Foreseen, showChanged } from '../tree-changes.ts';

interface Options extends ChangeFlags, Pick<PutOptions, 'delete' | 'exclude' | 'symlinks' | 'rescue'> {
  followLinks?: boolean;
  outside?: boolean;
}

export const put: Command<Foreseen<PutResult>, Options> = {
  usage: 'put <folder|file> <project/asset[/version][:/path]>',
  summary:
    'Publish a folder or file with its symlinks, empty folders, modes and times, as a change of the latest version; a slash behind the folder means what is in it',
  example: 'gypsum put my-folder/ my-project/my-asset',
  flags: [
    {
      flags: '--symlinks <rule>',
      description: 'keep symlinks, publish what they lead to, or refuse those that lead out of the version, or all',
      choices: ['keep', 'follow', 'safe', 'refuse'],
    },
    { flags: '--follow-links', description: 'the same as --symlinks follow' },
    { flags: '--no-outside', description: 'follow no symlink out of the folder' },
    { flags: '--delete', description: 'remove what the version has there and the folder has not' },
    {
      flags: '--exclude <pattern>',
      description: 'leave out files that match, or a folder; may be given again',
      many: true,
    },
    rescueFlag,
    { flags: '--ignore-errors', description: 'publish the rest where something cannot be' },
    ...changeFlags,
  ],
  async run({ args, client, options, signal, onEvent }) {
    checkRescue(options);
    const { path, ...ref } = parseTreeRef(argument(args, 1));
    const { followLinks = false, symlinks, outside = true, ...rest } = options;
    const done = await client().putTree(ref, argument(args, 0), {
      ...rest,
      path,
      symlinks: symlinks ?? (followLinks ? 'follow' : 'keep'),
      noOutside: !outside,
      signal,
      onEvent,
    });
    return options.dryRun ? { ...done, dryRun: true } : done;
  },
  human({ outside, ...result }) {
    const followed = outside === 0 ? '' : `\nFollowed out of the folder: ${count(outside, 'symlink')}.`;
    return showChanged(result) + followed;
  },
  exitCode: (result, call) => changeExitCode(result, call),
};
