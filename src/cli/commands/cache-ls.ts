import prettyBytes from 'pretty-bytes';
import { formatRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { CachedClone, CachedVersion } from '../../ops/list-cache.ts';
import { parseCacheScope } from '../cache-scope.ts';
import type { Command } from '../command.ts';
import { table } from '../table.ts';
import { day } from '../text.ts';

export const cacheLs: Command<CachedVersion[]> = {
  usage: 'ls [project[/asset[/version]]|folder...]',
  summary: 'List the versions in the cache, and the clones of each',
  example: 'gypsum cache ls my-project',
  run: ({ args, client, signal, onEvent }) => client().listCache(args.map(parseCacheScope), { signal, onEvent }),
  human(versions) {
    if (versions.length === 0) return 'The cache is empty.';
    const most = versions.length === 1 ? Number.POSITIVE_INFINITY : NAMED;
    const rows = versions.flatMap(({ files, bytes, complete, lastUsed, clones, ...ref }) => {
      const [first = '', ...others] = cloneLines(clones, most);
      const size = [files.toLocaleString('en'), prettyBytes(bytes)];
      const used = lastUsed === undefined ? '' : day(lastUsed);
      const row = [formatRef(ref), ...size, complete ? 'complete' : 'partial', used, first];
      return [row, ...others.map((line) => ['', '', '', '', '', line])];
    });
    return table(['version', 'files', 'size', 'state', 'last used', 'clones'], rows, [1, 2]);
  },
};

/** How many clones of each version are named, where there are several versions. */
const NAMED = 5;

/** Gives the clones of a version, each in a line of its own. */
function cloneLines(clones: readonly CachedClone[], most: number): string[] {
  const more = clones.length - most;
  return [...clones.slice(0, most).map(showClone), ...(more > 0 ? [`and ${more.toLocaleString('en')} more`] : [])];
}

function showClone({ destination, state }: CachedClone): string {
  return state === 'found' ? showText(destination) : `${showText(destination)} (${state})`;
}
