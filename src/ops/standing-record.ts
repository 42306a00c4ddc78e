import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fsPath } from '../model/local-path.ts';
import {
  MAX_TREE_RECORD,
  parseTreeRecord,
  type RecordSymlink,
  recordTooLarge,
  TREE_RECORD,
  type TreeRecord,
} from '../model/tree-record.ts';
import { statThrough } from '../tree/stat-through.ts';

/** Reads the tree record that stands in a folder, at a place there; throws `invalid-tree` for what is none. */
export function readStandingRecord(place: string): TreeRecord {
  const stats = statThrough(place);
  if (stats !== undefined && stats.size > MAX_TREE_RECORD) throw recordTooLarge(place);
  return parseTreeRecord(stats?.isFile() ? readFileSync(fsPath(place), 'utf8') : '', place);
}

/** Gives the symlinks that could not be made in a folder, as its record says; nothing is known of one that is a link to what is not there. */
export function notMadeIn(root: string): RecordSymlink[] {
  const place = join(root, TREE_RECORD);
  const record = statThrough(place)?.isFile() ? readStandingRecord(place) : undefined;
  return record?.notMade === true ? record.entries.filter((entry) => entry.type === 'symlink') : [];
}
