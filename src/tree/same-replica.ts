import { type ReplicaEntry, sameFacts, sameTime } from './replica-entry.ts';

/**
 * What an entry of a replica is to that of its source. `other-facts`: its content is the same, and its mode or time can be
 * given to it where it stands. `shared` are the source's inodes that have several names.
 */
export function sameReplica(
  left: ReplicaEntry,
  right: ReplicaEntry,
  shared: ReadonlySet<string>,
): 'same' | 'other-facts' | 'other' {
  if (left.type === 'special' || right.type === 'special' || !sameContent(left, right)) return 'other';
  // A replica is nothing if it changes with its source.
  if (right.inode !== undefined && right.type !== 'directory' && shared.has(right.inode)) return 'other';
  if (sameFacts(left, right)) return 'same';
  // The other names of its inode may be outside of the replica.
  return right.inode !== undefined && right.type !== 'directory' ? 'other' : 'other-facts';
}

function sameContent(left: ReplicaEntry, right: ReplicaEntry): boolean {
  if (left.type === 'directory') return right.type === 'directory';
  if (left.type === 'symlink') return right.type === 'symlink' && left.target === right.target;
  if (left.type !== 'file' || right.type !== 'file' || left.size !== right.size) return false;
  // All empty files are the same.
  if (left.size === 0) return true;
  if (left.digest === undefined || right.digest === undefined) return sameTime(left.mtime, right.mtime);
  return left.digest === right.digest;
}
