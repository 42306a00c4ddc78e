import type { FileMode } from '../model/clone-mode.ts';
import { type FileEntry, isBelow, type Tree } from '../model/tree.ts';
import type { Expected } from '../verify-stream.ts';
import { compareTrees, sameEntry } from './compare.ts';

/** One thing to do in a folder; it never replaces anything but a symlink that is to lead elsewhere. */
export type Step =
  | { readonly type: 'make-directory'; readonly path: string }
  | { readonly type: 'make-symlink'; readonly path: string; readonly target: string }
  | ChangeSymlink
  | MakeFile;

/** Has a symlink lead elsewhere. */
export interface ChangeSymlink {
  readonly type: 'change-symlink';
  readonly path: string;
  readonly before: string;
  readonly target: string;
}

/** Makes a real file of the one at `source`, which holds what is expected. */
export interface MakeFile extends Expected {
  readonly type: 'make-file';
  readonly mode: FileMode;
  readonly path: string;
  readonly source: string;
}

/** How real files are made: in which way, and of what. */
export interface FileLayout {
  readonly mode: FileMode;
  readonly source: (entry: FileEntry) => string;
}

/** What would make a folder hold a tree beside what it holds already. */
export interface LayoutPlan {
  readonly steps: readonly Step[];
  /** Paths where the folder holds something else; they are kept as they are, with all that lies below. */
  readonly conflicts: readonly string[];
  /** How many entries are there already as they must be, folders not counted. */
  readonly unchanged: number;
}

/**
 * Plans how a folder gets the folders, symlinks and files of `wanted`; what else it holds is left alone. Files are
 * there already where both trees know their digests, and they are equal.
 */
export function planLayout(wanted: Tree, actual: Tree, files?: FileLayout): LayoutPlan {
  const steps: Step[] = [];
  const conflicts: string[] = [];
  let unchanged = 0;
  let blocked: string | undefined;
  for (const { path, left, right } of compareTrees(wanted, actual)) {
    if (left === undefined) continue;
    if (blocked !== undefined && isBelow(path, blocked)) {
      if (left.type !== 'directory') conflicts.push(path);
      continue;
    }
    blocked = undefined;
    if (right !== undefined) {
      if (!sameEntry(left, right)) {
        if (left.type === 'directory') blocked = path;
        else conflicts.push(path);
      } else if (left.type !== 'directory') unchanged++;
    } else if (left.type === 'directory') {
      steps.push({ type: 'make-directory', path });
    } else if (left.type === 'symlink') {
      steps.push({ type: 'make-symlink', path, target: left.target });
    } else if (left.type === 'file' && left.digest !== undefined && files !== undefined) {
      const { size, digest } = left;
      steps.push({ type: 'make-file', mode: files.mode, path, source: files.source(left), size, digest });
    } else {
      throw new Error(`a ${left.type} cannot be laid out`);
    }
  }
  return { steps, conflicts, unchanged };
}
