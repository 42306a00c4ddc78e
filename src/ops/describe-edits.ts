import type { Context } from '../context.ts';
import { inodeId } from '../model/fingerprint.ts';
import { formatRef } from '../model/refs.ts';
import { showList, showText } from '../model/text.ts';
import { statThrough } from '../tree/stat-through.ts';
import { cachedPlace, type Linked } from './found.ts';

/**
 * Says of files that were edited through their links how an edit is kept, and how the cache is mended. What shows one edit is
 * said together: equal files are one in the cache. `lost` says that they could not be rescued.
 */
export function describeEdits(ctx: Context, edited: readonly Linked[], { lost }: { lost: boolean }): string[] {
  const groups = new Map<string, Linked[]>();
  for (const link of edited) {
    const stats = statThrough(cachedPlace(ctx, link));
    const id = stats === undefined ? link.path : inodeId(stats);
    groups.set(id, [...(groups.get(id) ?? []), link]);
  }
  return [...groups.values()].map((links) => describe(links, lost));
}

function describe(links: readonly Linked[], lost: boolean): string {
  const [{ path, file, inSite } = {} as never] = links;
  const isOne = links.length === 1;
  return [
    isOne
      ? `${showText(path)} was edited through its link, in the cache.`
      : `${showList(links.map((link) => link.path))} show what was edited through a link, in the cache: equal files are one there.`,
    lost
      ? '    It cannot be rescued: it stands in a folder that is a link itself. Replace that by a folder of links to its files.'
      : `    To publish the edit, have it made a file of this folder${isOne ? '' : ', in each place'}: --rescue (in programs: rescue).`,
    inSite
      ? `    If it is not wanted: gypsum fetch ${showText(path)} (in that folder; tell those who look after the site cache)`
      : `    If it is not wanted: gypsum save ${formatRef(file)} (and other versions with this file: equal files are one)`,
  ].join('\n');
}
