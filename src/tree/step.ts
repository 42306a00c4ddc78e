import type { FileMode } from '../model/clone-mode.ts';
import type { Fingerprint } from '../model/fingerprint.ts';
import type { TargetType } from '../model/tree.ts';
import type { Expected } from '../verify-stream.ts';

/**
 * One change at one path of a folder. It is plain data, so that a plan can be printed, kept and carried out later.
 *
 * A folder is made before what is in it, and removed after it: the order of steps says so.
 */
export interface Step {
  readonly path: string;
  /** What stands there; nothing does where it is absent. */
  readonly before?: Before;
  /** What is to stand there; nothing is where it is absent. */
  readonly after?: After;
  /** Keep what stood there in another folder, which whoever carries it out names. @default false */
  readonly keep?: boolean;
}

export type Before = Directory | SymlinkText | SeenFile;
export type After = Directory | SymlinkTo | FileOf;

export interface Directory {
  readonly type: 'directory';
  /** Given by whoever has made all that is in it: they may forbid to make anything. */
  readonly permissions?: number;
}

export interface SymlinkText {
  readonly type: 'symlink';
  readonly target: string;
}

/** A file as it looked when the change was planned. */
export interface SeenFile {
  readonly type: 'file';
  readonly seen: Fingerprint;
  /** It is a hard link to a file of the cache, whose ctime changes with each of its other names. @default false */
  readonly shared?: boolean;
}

/** A symlink; with `seen`, it must lead to the file that looked so. */
export interface SymlinkTo extends SymlinkText {
  readonly seen?: Fingerprint;
  /** Of a symlink that is a version's own: what it led to. Where such symlinks are refused, it is left out. */
  readonly targetType?: TargetType;
}

/** A real file made of the one at `source`, an absolute path, which holds what is expected. */
export interface FileOf extends Expected {
  readonly type: 'file';
  readonly mode: FileMode;
  readonly source: string;
  /** Of a copy or reflink, less what the umask takes. @default 0o644 */
  readonly permissions?: number;
  /** The permissions are those of a version: the umask takes nothing. @default false */
  readonly exact?: boolean;
}

/** Makes what was not there. */
export interface MakeStep {
  readonly path: string;
  readonly before?: never;
  readonly after: After;
}

/** Puts a file in the place of a symlink. */
export interface FillSymlink {
  readonly path: string;
  readonly before: SymlinkText;
  readonly after: FileOf;
}

/** Has a symlink lead elsewhere. */
export interface ChangeSymlink {
  readonly path: string;
  readonly before: SymlinkText;
  readonly after: SymlinkText;
}

/** Whether what is to stand somewhere is a symlink that is a version's own. */
export function isOwnSymlink(after: After | undefined): boolean {
  return after?.type === 'symlink' && after.targetType !== undefined;
}
