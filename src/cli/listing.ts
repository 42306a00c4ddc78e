import prettyBytes from 'pretty-bytes';
import { nameInTree } from '../ops/find-in-tree.ts';
import type { TreeListing } from '../ops/list-tree.ts';
import type { Call } from './command.ts';
import { showEntry, showMode, showTime } from './entry-text.ts';
import { table } from './table.ts';
import { filesAndBytes } from './text.ts';

/** Gives a folder's list with its sums; the names of folders end with "/". */
export function showListing(listing: TreeListing, { colors }: Pick<Call, 'colors'>): string {
  const { path, here, total, entries } = listing;
  const rows = entries.map((entry) => [
    showMode(entry.mode),
    prettyBytes(entry.size),
    showTime(entry.mtime),
    showEntry(entry.name, entry, colors) + (entry.type === 'directory' ? '/' : ''),
  ]);
  return [
    `${nameInTree(listing, path)}: ${filesAndBytes(here)}; with folders ${filesAndBytes(total)}`,
    ...(rows.length === 0 ? [] : [table(['mode', 'size', 'modified', 'name'], rows, [1])]),
  ].join('\n');
}
