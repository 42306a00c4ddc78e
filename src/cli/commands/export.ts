import { formatRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { ExportResult } from '../../ops/export-clone.ts';
import { argument, type Command } from '../command.ts';
import { isChanged, showCounts } from '../show-changes.ts';
import { count, filesAndBytes } from '../text.ts';

export const exportCommand: Command<ExportResult, { fetch?: boolean }> = {
  usage: 'export <folder> <destination>',
  summary:
    'Make a folder of real files, or a file that ends with ".tar", of a clone as it stands, each linked file verified',
  example: 'gypsum export my-clone my-data.tar',
  flags: [{ flags: '--fetch', description: 'fetch what links lead to and is not in the cache, in place of failing' }],
  run: ({ args, client, options, signal, onEvent }) =>
    client().exportClone(argument(args, 0), argument(args, 1), { ...options, signal, onEvent }),
  human({ directory, destination, files, bytes, symlinks = 0, changes, ...ref }) {
    const told = isChanged(changes)
      ? `since ${formatRef(ref)}: ${showCounts(changes)}`
      : `all files as in ${formatRef(ref)}`;
    const own = symlinks > 0 ? `, ${count(symlinks, 'symlink')}` : '';
    return `Exported ${showText(directory)} to ${showText(destination)}: ${filesAndBytes({ files, bytes })}${own}; ${told}.`;
  },
};
