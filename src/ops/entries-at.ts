import { join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { CallOptions } from '../events.ts';
import { createMatcher } from '../model/select-files.ts';
import type { Entry } from '../model/tree.ts';
import { readLink, scanFolder } from '../tree/scan.ts';
import { takeApart } from './take-apart.ts';
import type { Buckets } from './watch-buckets.ts';

/** Entries of a folder, which is given by its real path. */
export interface Entries {
  readonly folder: string;
  readonly entries: readonly Entry[];
}

/** Gives the entries that a path means; nothing for what is no path. */
export async function entriesAt(path: string, buckets: Buckets, options: CallOptions): Promise<Entries | undefined> {
  const apart = await takeApart(path, buckets);
  if (apart === undefined) return undefined;
  const { folder, named } = apart;
  // One that is named needs no search: a shell may have made a thousand names of a pattern.
  const entry = named === '' ? undefined : entryAt(folder, named);
  if (entry !== undefined) return { folder, entries: [entry] };
  const matches = named === '' ? () => true : createMatcher(named);
  const tree = await scanFolder(folder, { ...options, sizes: false });
  return { folder, entries: tree.filter((entry) => matches(entry.path)) };
}

/** Gives a file or a symlink in a folder. */
export function entryAt(folder: string, path: string): Entry | undefined {
  const place = join(folder, path);
  const stats = statIfThere(place);
  if (stats?.isSymbolicLink()) return { type: 'symlink', path, target: readLink(place) };
  return stats?.isFile() ? { type: 'file', path, size: stats.size } : undefined;
}
