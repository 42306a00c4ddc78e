import { readFileSync } from 'node:fs';
import { fsPath } from '../model/local-path.ts';
import { MAX_TREE_RECORD, parseTreeRecord, recordTooLarge, type TreeRecord } from '../model/tree-record.ts';
import { statThrough } from '../tree/stat-through.ts';

/** Reads the tree record that stands in a folder, at a place there; throws `invalid-tree` for what is none. */
export function readStandingRecord(place: string): TreeRecord {
  const stats = statThrough(place);
  if (stats !== undefined && stats.size > MAX_TREE_RECORD) throw recordTooLarge(place);
  return parseTreeRecord(stats?.isFile() ? readFileSync(fsPath(place), 'utf8') : '', place);
}
