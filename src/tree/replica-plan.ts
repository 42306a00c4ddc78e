import type { TargetType } from '../model/tree.ts';
import type { ReplicaFolder } from './replica-entry.ts';

/**
 * One change of a replica, as plain data. They are carried out in their order.
 *
 * Units: `mtime` is microseconds since 1970, `size` is bytes
 */
export type Operation =
  | MakeFolder
  | WriteFile
  | CopyFile
  | MakeLink
  | Move
  | ChangeMode
  | ChangeTime
  | Delete
  | RemoveFolder;

export interface MakeFolder {
  readonly op: 'mkdir';
  readonly path: string;
  readonly mode?: number;
  readonly mtime: number;
}

/** `create`: nothing stands there; `modify`: a file, symlink or special file does, and gives way at once. */
export interface WriteFile {
  readonly op: 'create' | 'modify';
  readonly path: string;
  readonly size: number;
  readonly mode?: number;
  readonly mtime: number;
  /** Known where somebody has read it. */
  readonly digest?: string;
}

/** The same as `create` or `modify`, of a file that the replica has already. */
export interface CopyFile {
  readonly op: 'copy';
  readonly path: string;
  readonly from: string;
  readonly size: number;
  readonly mode?: number;
  readonly mtime: number;
  readonly digest: string;
}

/** Makes a symlink, also in the place of another one, a file or a special file. */
export interface MakeLink {
  readonly op: 'link';
  readonly path: string;
  readonly target: string;
  readonly targetType?: TargetType;
  readonly mtime: number;
  /** Something stands there. */
  readonly replaces?: true;
}

export interface Move {
  readonly op: 'move';
  readonly type: 'file' | 'directory';
  readonly from: string;
  readonly path: string;
  /** The file that stands at `from` has it until another one takes its place. */
  readonly stays?: true;
  /** `path` is a name for a short time, until the way is free. */
  readonly parks?: true;
  /** What had such a name for a short time had this one before. */
  readonly of?: string;
  readonly size?: number;
  readonly digest?: string;
  /** What moves with a folder, seen from it. */
  readonly children?: readonly string[];
}

export interface ChangeMode {
  readonly op: 'chmod';
  readonly type: 'file' | 'directory';
  readonly path: string;
  readonly mode: number;
}

export interface ChangeTime {
  readonly op: 'touch';
  readonly type: 'file' | 'symlink' | 'directory';
  readonly path: string;
  readonly mtime: number;
}

export interface Delete {
  readonly op: 'delete';
  readonly type: 'file' | 'symlink' | 'special';
  readonly path: string;
}

export interface RemoveFolder {
  readonly op: 'rmdir';
  readonly path: string;
}

/** What makes a replica equal to its source. */
export interface ReplicaPlan {
  readonly operations: readonly Operation[];
  /**
   * The folders that are made, in which something changes, or whose mode or time does, as they are to be in the end. Their
   * modes may forbid changes in them, and changes in them set their times: they are given both behind all that is in them.
   */
  readonly folders: readonly ReplicaFolder[];
  /** What cannot be as it should, and why: the end of a sentence that begins with the path. */
  readonly blocked: readonly { readonly path: string; readonly why: string }[];
  /** How many entries of the replica go, those below folders that go too. */
  readonly removed: number;
  /** How many entries are as they are to be. */
  readonly unchanged: number;
}
