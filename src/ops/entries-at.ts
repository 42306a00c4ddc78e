import { basename, dirname, join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { ifReachable } from '../cache/if-reachable.ts';
import type { CallOptions } from '../events.ts';
import { createMatcher } from '../model/select-files.ts';
import type { Entry } from '../model/tree.ts';
import { absolutePath, realPath } from '../tree/real-path.ts';
import { readLink, scanFolder } from '../tree/scan.ts';
import { statThrough } from '../tree/stat-through.ts';

/** Entries of a folder, which is given by its real path. */
export interface Entries {
  readonly folder: string;
  readonly entries: readonly Entry[];
}

/**
 * Gives the entries that a path means: the folder is as much of it as there is outside of the cache, and the rest a name
 * or pattern in there. Gives nothing for what is no path.
 */
export async function entriesAt(
  path: string,
  isCached: (folder: string) => boolean,
  options: CallOptions,
): Promise<Entries | undefined> {
  if (path === '' || path.includes('\0')) return undefined;
  const rest: string[] = [];
  let at = absolutePath(path);
  // What a link leads to may be out of reach, and is still what it says.
  const isFolder = (place: string) =>
    ifReachable(() => statThrough(place)?.isDirectory() === true && !isCached(realPath(place)));
  for (; !(await isFolder(at)); at = dirname(at)) {
    if (dirname(at) === at) return undefined;
    rest.unshift(basename(at));
  }
  const folder = realPath(at);
  const named = rest.join('/');
  // One that is named needs no search: a shell may have made a thousand names of a pattern.
  const entry = named === '' ? undefined : entryAt(folder, named);
  if (entry !== undefined) return { folder, entries: [entry] };
  const matches = named === '' ? () => true : createMatcher(named);
  const tree = await scanFolder(folder, { ...options, sizes: false });
  return { folder, entries: tree.filter((entry) => matches(entry.path)) };
}

/** Gives a file or a symlink in a folder. */
function entryAt(folder: string, path: string): Entry | undefined {
  const place = join(folder, path);
  const stats = statIfThere(place);
  if (stats?.isSymbolicLink()) return { type: 'symlink', path, target: readLink(place) };
  return stats?.isFile() ? { type: 'file', path, size: stats.size } : undefined;
}
