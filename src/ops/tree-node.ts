import type { Count } from '../model/count.ts';
import { type Entry, type EntryFacts, nameOf, type TargetType } from '../model/tree.ts';
import type { Writable } from '../model/writable.ts';

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
  const { type } = entry;
  const node: Writable<TreeNode> = { name: nameOf(entry.path), type, size: 0 };
  if (type === 'special') return node;
  if (type === 'file') {
    node.size = entry.size;
    if (entry.digest !== undefined) node.md5sum = entry.digest.hex;
  } else if (type === 'symlink') {
    node.target = entry.target;
    node.targetType = entry.targetType ?? 'unknown';
  } else {
    node.size = below.bytes;
    node.files = below.files;
  }
  if (entry.mode !== undefined) node.mode = entry.mode;
  if (entry.mtime !== undefined) node.mtime = entry.mtime;
  return node;
}

/** Gives the size of what is no folder; symlinks and such have none. */
export function sizeOf(entry: Entry): number {
  return entry.type === 'file' ? entry.size : 0;
}
