import { basename, dirname } from 'node:path';
import { ifReachable } from '../cache/if-reachable.ts';
import { absolutePath, overlaps, realPath } from '../tree/real-path.ts';
import { statThrough } from '../tree/stat-through.ts';
import type { Buckets } from './watch-buckets.ts';

/** A path in a clone: a folder, and what is meant in there. */
export interface TakenApart {
  /** A real path. */
  readonly folder: string;
  /** A name, path or pattern, with "/" between its parts; empty for the folder itself. */
  readonly named: string;
}

/**
 * Takes a path apart: the folder is as much of it as there is outside of the cache, and the rest need not be there. Gives
 * nothing for what can be no path.
 */
export async function takeApart(path: string, { roots }: Buckets): Promise<TakenApart | undefined> {
  if (path === '' || path.includes('\0')) return undefined;
  const isCached = (folder: string) => roots.some((root) => overlaps(folder, root));
  // What a link leads to may be out of reach, and is still what it says.
  const isFolder = (place: string) =>
    ifReachable(() => statThrough(place)?.isDirectory() === true && !isCached(realPath(place)));
  const rest: string[] = [];
  let at = absolutePath(path);
  for (; !(await isFolder(at)); at = dirname(at)) {
    if (dirname(at) === at) return undefined;
    rest.unshift(basename(at));
  }
  return { folder: realPath(at), named: rest.join('/') };
}
