import { sameContent } from '../model/content.ts';
import { joinPath } from '../model/tree.ts';
import type { FolderTree, OwnEntry } from '../model/version-tree.ts';
import { createFolderPlanner } from './plan-folders.ts';
import { isLeftover } from './put-file.ts';
import { type LeftPath, type LeftState, type PlannedSteps, type Standing, stateOf } from './standing.ts';
import type { After, Step } from './step.ts';

export interface RestoreWish<S extends Standing> extends FolderTree {
  /** Those of the version's paths that are meant, in the order of `comparePaths`. */
  readonly paths: readonly string[];
  /** What stands there, and the folders around it, in that order. */
  readonly standing: readonly S[];
  readonly layOut: (path: string) => After;
  /** Whether something that holds the version's content at its path is what is to stand there. */
  readonly isLaidOut: (one: S) => boolean;
  /** Whether a symlink to elsewhere is one of the clone that has gone astray. */
  readonly isAstray: (one: S) => boolean;
  /** Restore also what was modified, replaced or deleted. */
  readonly force: boolean;
}

/**
 * Plans how files of a version become again what they were: what has the version's content stands as it is laid out then, and
 * symlinks to other files of the cache lead to their own again. What is replaced that holds anything else is kept.
 */
export function planRestoreSteps<S extends Standing>(wish: RestoreWish<S>): PlannedSteps {
  const { manifest, own, paths, standing, layOut, isLaidOut, isAstray, force } = wish;
  const at = new Map<string, S>();
  for (const one of standing) at.set(one.path, one);
  const steps: Step[] = standing
    .filter(({ path }) => isLeftover(path))
    .flatMap(({ path, before }) => (before === undefined ? [] : [{ path, before }]));
  const left: LeftPath[] = [];
  const makeFolders = createFolderPlanner(at, new Set(), steps);
  let unchanged = 0;
  for (const path of paths) {
    const one = at.get(path);
    const wanted = manifest[path];
    const ownEntry = own.get(path);
    if (ownEntry !== undefined) {
      const outcome = restoreOwn(ownEntry, one, force, makeFolders);
      if (outcome === 'unchanged') unchanged++;
      else if (typeof outcome === 'string') left.push({ path, state: outcome });
      else steps.push(...outcome);
      continue;
    }
    if (wanted === undefined) throw new Error(`${path} is no file of the version`);
    if (one === undefined) {
      if (!force) left.push({ path, state: 'deleted' });
      else if (makeFolders(path)) steps.push({ path, after: layOut(path) });
      else left.push({ path, state: 'blocked' });
      continue;
    }
    const { type, before, content } = one;
    if (type === 'directory') left.push({ path, state: 'blocked' });
    else if (before === undefined) left.push({ path, state: 'special' });
    else if (content !== undefined && sameContent(wanted, content)) {
      if (isLaidOut(one)) unchanged++;
      else steps.push({ path, before, after: layOut(path) });
    } else if (force || (type === 'symlink' && (content !== undefined || isAstray(one)))) {
      steps.push({ path, before, after: layOut(path), keep: true });
    } else left.push({ path, state: stateOf(one, true) });
  }
  return { steps, left, unchanged };
}

/** Says what becomes of what is a version's own beside files: steps, or why there are none. */
function restoreOwn(
  entry: OwnEntry,
  one: Standing | undefined,
  force: boolean,
  makeFolders: (path: string) => boolean,
): readonly Step[] | LeftState | 'unchanged' {
  const { path } = entry;
  const isSymlink = entry.type === 'symlink';
  if (one === undefined) {
    if (!force) return 'deleted';
    if (!makeFolders(isSymlink ? path : joinPath(path, '.'))) return 'blocked';
    return isSymlink ? [{ path, after: entry }] : [];
  }
  const { type, before } = one;
  if (type === 'directory') return isSymlink ? 'blocked' : 'unchanged';
  if (before === undefined) return 'special';
  if (one.isOwn === true) return 'unchanged';
  if (!force) return stateOf(one, true, isSymlink);
  if (isSymlink) return [{ path, before, after: entry, keep: true }];
  return [
    { path, before, keep: true },
    { path, after: { type: 'directory' } },
  ];
}
