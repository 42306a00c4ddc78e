import { type BigIntStats, lstatSync } from 'node:fs';
import { isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { readTargetType } from './entry-facts.ts';
import type { ReplicaEntry } from './replica-entry.ts';
import { inodeOf, microseconds, replicaEntry } from './replica-stats.ts';
import { readLink } from './scan.ts';

/** Gives what a replica has of an entry that is reached by `place`. */
export function readReplicaEntry(place: string, path: string, stats: BigIntStats): ReplicaEntry {
  return replicaEntry(path, stats) ?? readReplicaSymlink(place, path, stats);
}

export function readReplicaSymlink(place: string, path: string, stats: BigIntStats): ReplicaEntry {
  const targetType = process.platform === 'win32' ? { targetType: readTargetType(place) } : {};
  return {
    type: 'symlink',
    path,
    target: readLink(place),
    ...targetType,
    mtime: microseconds(stats.mtimeNs),
    ...inodeOf(stats),
  };
}

/** What vanishes meanwhile is not there. */
export function lookIfThere(place: string): BigIntStats | undefined {
  try {
    return lstatSync(fsPath(place), { bigint: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
