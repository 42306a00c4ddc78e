import { join, resolve } from 'node:path';
import { parentPath, type SymlinkEntry } from '../model/tree.ts';
import { liesIn } from '../tree/real-path.ts';
import type { Resolution } from '../tree/resolve-symlink.ts';
import { findAstray } from './astray-links.ts';
import type { Buckets } from './watch-buckets.ts';

/**
 * Whether a symlink of a folder is the folder's own: its text names a place in the folder, or in the clone that it lies in, whatever
 * stands there, or it leads into no cache in the end. One that led into a cache which is not there any more is none.
 */
export function isKept(
  folder: string,
  entry: SymlinkEntry,
  resolution: Resolution,
  buckets: Buckets,
  clone = folder,
): boolean {
  const named = resolve(join(folder, parentPath(entry.path)), entry.target);
  if (liesIn(named, clone) && !buckets.holds(named)) return true;
  return resolution.type !== 'inside' && findAstray(folder, entry, resolution) === undefined;
}
