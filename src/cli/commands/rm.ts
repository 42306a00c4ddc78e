import { parseFileRef } from '../../model/refs.ts';
import type { ChangedTree } from '../../ops/publish-tree.ts';
import type { RemovePathOptions } from '../../ops/remove-path.ts';
import { argument, type Command } from '../command.ts';
import { type ChangeFlags, changeFlags, type Foreseen, showChanged } from '../tree-changes.ts';

type Options = ChangeFlags & Pick<RemovePathOptions, 'recursive'>;

export const rm: Command<Foreseen<ChangedTree>, Options> = {
  usage: 'rm <project/asset[/version]:/path>',
  summary: 'Publish the latest version without a file, a symlink or a folder; versions that are there stay as they are',
  example: 'gypsum rm my-project/my-asset:/table.csv',
  flags: [{ flags: '-r, --recursive', description: 'remove a folder with all that is in it' }, ...changeFlags],
  async run({ args, client, options, signal, onEvent }) {
    const { path, ...ref } = parseFileRef(argument(args, 0).replace(/\/$/, ''));
    const done = await client().removePath(ref, path, { ...options, signal, onEvent });
    return options.dryRun ? { ...done, dryRun: true } : done;
  },
  human: showChanged,
};
