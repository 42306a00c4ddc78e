import type { VersionRef } from '../model/refs.ts';

/** What is wrong with something in the cache. */
export type CacheFault =
  /** A file of a version that is said to be complete is not there. */
  | 'missing'
  /** A file has not the size or the digest that it must have: it was edited, or the disk has changed it. */
  | 'wrong-content'
  /** A symlink, a folder or something else stands where a file or folder of the version must be. */
  | 'wrong-type'
  /** A file that is shared by versions can be written to. */
  | 'wrong-mode'
  /** A file that the system does not let us read. */
  | 'unreadable'
  /** A manifest, a summary or a receipt that cannot be read. */
  | 'invalid-document'
  /** A document without the one that it belongs to, or the other clients' copy of one that does not say the same. */
  | 'stale-document'
  /** A version is said to be complete, and nothing of it is there. */
  | 'unfounded-claim'
  /** Something of which no manifest knows. */
  | 'foreign'
  /** Something half-made, whose process has ended. */
  | 'leftover'
  /** A lock that nobody holds. */
  | 'stale-lock';

export interface CacheProblem {
  /** Where it is; an absolute path. */
  readonly path: string;
  readonly fault: CacheFault;
  readonly message: string;
  /** The version that it belongs to. */
  readonly ref?: VersionRef;
  /** The path in that version of what is wrong there. */
  readonly file?: string;
  /** Of what is there, or should be. Units: bytes */
  readonly size?: number;
  /** The files of registered clones that are this one: who edited it did so there. */
  readonly clones?: readonly string[];
  /** Absent unless it was to be repaired. */
  readonly repaired?: boolean;
  /** Where it was moved to. */
  readonly movedTo?: string;
  /** Why it was not repaired. */
  readonly reason?: string;
}
