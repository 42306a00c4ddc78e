import type { FileMode } from '../model/clone-mode.ts';
import { type Entry, type FileEntry, isBelow, type Tree } from '../model/tree.ts';
import { compareTrees, sameEntry } from './compare.ts';
import type { FileOf, FillSymlink, MakeStep } from './step.ts';

/** How real files are made: in which way, and of what. */
export interface FileLayout {
  readonly mode: FileMode;
  readonly source: (entry: FileEntry) => string;
}

/** What would make a folder hold a tree beside what it holds already. */
export interface LayoutPlan {
  readonly steps: readonly (MakeStep | FillSymlink)[];
  /** Paths where the folder holds something else; they are kept as they are, with all that lies below. */
  readonly conflicts: readonly string[];
  /** How many entries are there already as they must be, folders not counted. */
  readonly unchanged: number;
}

/**
 * Plans how a folder gets the folders, symlinks and files of `wanted`; what else it holds is left alone. Files are
 * there already where both trees know their digests, and they are equal; a symlink to what a file is to be made of gives
 * way to it.
 */
export function planLayout(wanted: Tree, actual: Tree, files?: FileLayout): LayoutPlan {
  const steps: (MakeStep | FillSymlink)[] = [];
  const conflicts: string[] = [];
  let unchanged = 0;
  let blocked: string | undefined;
  let before = 0;
  const unblock = () => {
    // An empty folder has nothing below it that would be in conflict.
    if (blocked !== undefined && conflicts.length === before) conflicts.push(blocked);
    blocked = undefined;
  };
  for (const { path, left, right } of compareTrees(wanted, actual)) {
    if (left === undefined) continue;
    if (blocked !== undefined && isBelow(path, blocked)) {
      if (left.type !== 'directory') conflicts.push(path);
      continue;
    }
    unblock();
    if (left.type === 'file' && (right === undefined || isStandIn(right, left, files))) {
      const before = right?.type === 'symlink' ? { before: right } : {};
      steps.push({ path, ...before, after: fileOf(left, files) });
    } else if (right !== undefined) {
      if (!sameEntry(left, right)) {
        if (left.type === 'directory') [blocked, before] = [path, conflicts.length];
        else conflicts.push(path);
      } else if (left.type !== 'directory') unchanged++;
    } else if (left.type === 'directory' || left.type === 'symlink') {
      // The entry is what is to stand there: a hundred thousand links need no second object each.
      steps.push({ path, after: left });
    } else {
      throw new Error(`a ${left.type} cannot be laid out`);
    }
  }
  unblock();
  return { steps, conflicts, unchanged };
}

function isStandIn(there: Entry, wanted: FileEntry, files: FileLayout | undefined): boolean {
  return there.type === 'symlink' && there.target === files?.source(wanted);
}

function fileOf(entry: FileEntry, files: FileLayout | undefined): FileOf {
  const { size, digest, mode: permissions } = entry;
  if (digest === undefined || files === undefined) throw new Error(`a file cannot be laid out at ${entry.path}`);
  const own = permissions === undefined ? {} : { permissions, exact: true };
  return { type: 'file', mode: files.mode, source: files.source(entry), size, digest, ...own };
}
