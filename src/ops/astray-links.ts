import { join, sep } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { parseBucketText } from '../cache/bucket-text.ts';
import { showList, showText } from '../model/text.ts';
import type { SymlinkEntry } from '../model/tree.ts';
import type { Resolution } from '../tree/resolve-symlink.ts';

/** Where a symlink leads that was one into a cache: that was moved, or is another one than that in use. */
export interface Astray {
  /** The folder of the cache. */
  readonly cache: string;
  /** The folder of the clone, as it seems. */
  readonly clone: string;
}

/** Says of a symlink of a folder, given by its real path, whether it leads into a cache that has not what it leads to. */
export function findAstray(folder: string, { path, target }: SymlinkEntry, to: Resolution): Astray | undefined {
  const [reading] = to.type === 'outside' && !to.exists ? parseBucketText(target) : [];
  if (reading === undefined) return undefined;
  const place = join(folder, path);
  const tail = sep + reading.parts.slice(3).join(sep);
  return { cache: reading.root, clone: place.endsWith(tail) ? place.slice(0, -tail.length) : folder };
}

/** Says of links that lead astray what can be done, together of those of one clone. */
export function describeAstray(links: readonly (Astray & { readonly name: string })[]): string[] {
  const groups = new Map<string, Astray & { names: string[] }>();
  for (const { name, cache, clone } of links) {
    const id = `${clone}\0${cache}`;
    const group = groups.get(id) ?? { cache, clone, names: [] };
    group.names.push(name);
    groups.set(id, group);
  }
  return [...groups.values()].map(describe);
}

function describe({ clone, cache, names }: Astray & { readonly names: readonly string[] }): string {
  const [verb, is] = names.length === 1 ? ['leads', 'is'] : ['lead', 'are'];
  return [
    `${showList(names)} ${verb} into a cache in ${showText(cache)}, and ${is} not there.`,
    `    If the cache was moved, mend the links: gypsum relink ${showText(clone)}`,
    ...(statIfThere(cache) === undefined ? [] : [`    If that is the cache to be used: --cache ${showText(cache)}`]),
  ].join('\n');
}
