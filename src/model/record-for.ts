import { isPlain } from './modes.ts';
import { type DirectoryEntry, type FileEntry, factsOf, parentPath } from './tree.ts';
import type { RecordEntry, RecordSymlink, TreeRecord } from './tree-record.ts';

/** What a record is made of: of files, the content does not matter. */
export type RecordSource = FileEntry | RecordSymlink | DirectoryEntry;

/**
 * Gives the record that a version with this tree needs: none where its files alone say all, but for times. One that has had a
 * record goes on with one.
 */
export function recordFor(entries: readonly RecordSource[], hadOne: boolean): TreeRecord | undefined {
  const full = new Set(entries.map(({ path }) => parentPath(path)));
  const isImplied = (entry: RecordSource) =>
    entry.type !== 'symlink' && isPlain(entry) && (entry.type !== 'directory' || full.has(entry.path));
  return hadOne || !entries.every(isImplied) ? { entries: entries.flatMap(toRecord) } : undefined;
}

function toRecord(entry: RecordSource): RecordEntry[] {
  if (entry.type !== 'file') return [entry];
  const { type, path, mode, mtime } = entry;
  return mode === undefined && mtime === undefined ? [] : [{ type, path, ...factsOf(entry) }];
}
