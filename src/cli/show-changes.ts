import prettyBytes from 'pretty-bytes';
import type { ChangeCounts, FileChange } from '../model/file-change.ts';
import { count } from './text.ts';

/** The ways in which a file can have changed, in the order in which they are told. */
const CHANGES = ['added', 'removed', 'modified', 'moved'] as const satisfies readonly FileChange['type'][];

/** Tells how many files changed in which way: `2 files added (24 B), 1 file moved (3 B)`. */
export function showCounts(counts: ChangeCounts): string {
  const told = CHANGES.filter((type) => counts[type].files > 0).map(
    (type) => `${count(counts[type].files, 'file')} ${type} (${prettyBytes(counts[type].bytes)})`,
  );
  return told.length === 0 ? 'no file changed' : told.join(', ');
}
