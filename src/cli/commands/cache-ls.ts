import prettyBytes from 'pretty-bytes';
import { formatRef, parseScope } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { CachedClone, CachedVersion } from '../../ops/list-cache.ts';
import type { Command } from '../command.ts';
import { table } from '../table.ts';
import { day } from '../text.ts';

export const cacheLs: Command<CachedVersion[]> = {
  usage: 'ls [project[/asset[/version]]...]',
  summary: 'List the versions in the cache, and the clones of each',
  example: 'gypsum cache ls my-project',
  run: ({ args, client, signal, onEvent }) => client().listCache(args.map(parseScope), { signal, onEvent }),
  human(versions) {
    if (versions.length === 0) return 'The cache is empty.';
    const rows = versions.map(({ files, bytes, complete, lastUsed, clones, ...ref }) => [
      formatRef(ref),
      files.toLocaleString('en'),
      prettyBytes(bytes),
      complete ? 'complete' : 'partial',
      lastUsed === undefined ? '' : day(lastUsed),
      clones.map(showClone).join(', '),
    ]);
    return table(['version', 'files', 'size', 'state', 'last used', 'clones'], rows, [1, 2]);
  },
};

function showClone({ destination, state }: CachedClone): string {
  return state === 'found' ? showText(destination) : `${showText(destination)} (${state})`;
}
