import { isBelow, type Tree } from '../model/tree.ts';
import { compareTrees, sameEntry } from './compare.ts';

/** One thing to do in a folder; it never replaces anything. */
export type Step =
  | { readonly type: 'make-directory'; readonly path: string }
  | { readonly type: 'make-symlink'; readonly path: string; readonly target: string };

/** What would make a folder hold a tree beside what it holds already. */
export interface LayoutPlan {
  readonly steps: readonly Step[];
  /** Paths where the folder holds something else; they are kept as they are, with all that lies below. */
  readonly conflicts: readonly string[];
  /** How many entries are there already as they must be, folders not counted. */
  readonly unchanged: number;
}

/** Plans how a folder gets the folders and symlinks of `wanted`; what else it holds is left alone. */
export function planLayout(wanted: Tree, actual: Tree): LayoutPlan {
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
    } else {
      throw new Error(`a ${left.type} cannot be laid out as a link`);
    }
  }
  return { steps, conflicts, unchanged };
}
