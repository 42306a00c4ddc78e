import type { Count } from '../model/count.ts';
import { type Entry, type EntryFacts, nameOf, type TargetType } from '../model/tree.ts';

/** An entry of a tree as it is listed. */
export interface TreeNode extends EntryFacts {
  readonly name: string;
  readonly type: Entry['type'];
  /** Units: bytes. Of a folder, all that is in it; 0 for a symlink. */
  readonly size: number;
  /** How much is in a folder that is no folder itself; absent for all else. */
  readonly files?: number;
  /** Known of files of versions. */
  readonly md5sum?: string;
  /** The text of a symlink. */
  readonly target?: string;
  readonly targetType?: TargetType;
}

/** A folder with all that is in it, or what is none. */
export interface NestedNode extends TreeNode {
  /** In the order of names; absent for what is no folder or is empty. */
  readonly sub?: readonly NestedNode[];
}

/** Describes an entry; a folder with what is in it. */
export function describeEntry(entry: Entry, below: Count = { files: 0, bytes: 0 }): TreeNode {
  const name = nameOf(entry.path);
  if (entry.type === 'special') return { name, type: 'special', size: 0 };
  const facts = {
    ...(entry.mode !== undefined && { mode: entry.mode }),
    ...(entry.mtime !== undefined && { mtime: entry.mtime }),
  };
  if (entry.type === 'directory') return { name, type: entry.type, size: below.bytes, files: below.files, ...facts };
  if (entry.type === 'symlink') {
    const { target, targetType = 'unknown' } = entry;
    return { name, type: entry.type, size: 0, target, targetType, ...facts };
  }
  const { size, digest } = entry;
  return { name, type: entry.type, size, ...(digest !== undefined && { md5sum: digest.hex }), ...facts };
}

/** Gives the size of what is no folder; symlinks and such have none. */
export function sizeOf(entry: Entry): number {
  return entry.type === 'file' ? entry.size : 0;
}
