import type { TargetType } from '../model/tree.ts';

/** What stands at a path of a folder that is replicated, or of its replica. */
export type ReplicaEntry = ReplicaFile | ReplicaSymlink | ReplicaFolder | ReplicaSpecial;

/** What an entry has beside its content. */
export interface ReplicaFacts {
  readonly path: string;
  /** Permission bits, of folders the sticky bit too; none where the system has none. */
  readonly mode?: number;
  /** Units: microseconds since 1970 */
  readonly mtime: number;
}

export interface ReplicaFile extends ReplicaFacts {
  readonly type: 'file';
  /** Units: bytes */
  readonly size: number;
  /** Names its inode where that has other names as well: what is done to it in place is seen there, too. */
  readonly inode?: string;
  /** Another one as soon as anything was done to it; where it was asked for. */
  readonly stamp?: string;
  /** Names its content; found out where something depends on it. */
  readonly digest?: string;
}

export interface ReplicaSymlink extends ReplicaFacts {
  readonly type: 'symlink';
  /** The text of the link, as it is. */
  readonly target: string;
  readonly targetType?: TargetType;
  /** The same as of a file. */
  readonly inode?: string;
}

export interface ReplicaFolder extends ReplicaFacts {
  readonly type: 'directory';
  /** Names its inode, where it has one. */
  readonly inode?: string;
}

/** A FIFO, a socket or a device. */
export interface ReplicaSpecial {
  readonly type: 'special';
  readonly path: string;
}

/** The last time that seconds of 32 bits have: behind it, a time that a file is given may come out a little off. */
const EXACT_UNTIL = 2 ** 31 * 1e6;

/** How far off: twice what seconds as a double tell apart. Units: microseconds */
function offAt(mtime: number): number {
  return Math.max(2, 2 * mtime * Number.EPSILON);
}

/** Whether something that is to have a time has it; as exact as times can be given (see `fileTime`). */
export function sameTime(wanted: number, there: number): boolean {
  if (wanted === there) return true;
  // Before 1970, a time that is given has milliseconds.
  if (wanted < 0) return Math.abs(Math.floor(wanted / 1000) * 1000 - there) <= offAt(0);
  return wanted > EXACT_UNTIL && Math.abs(wanted - there) <= offAt(wanted);
}

/** Whether an entry has the time and mode that it is to have. */
export function sameFacts(wanted: ReplicaFacts, there: ReplicaFacts): boolean {
  return (wanted.mode === undefined || wanted.mode === there.mode) && sameTime(wanted.mtime, there.mtime);
}
