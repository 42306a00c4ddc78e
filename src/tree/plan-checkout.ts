import { sameContent } from '../model/content.ts';
import type { ManifestEntry } from '../model/manifest.ts';
import { comparePaths, joinPath, parentPath, sortPaths } from '../model/tree.ts';
import { type FolderTree, isSymlinkTo, type OwnEntry } from '../model/version-tree.ts';
import { sameEntry } from './compare.ts';
import { createFolderPlanner } from './plan-folders.ts';
import { isLeftover } from './put-file.ts';
import { type LeftPath, type LeftState, type PlannedSteps, type Standing, stateOf } from './standing.ts';
import type { After, Step } from './step.ts';

export interface CheckoutWish<S extends Standing> {
  /** The versions that the folder is of: more than one if it was on its way from one to the other. */
  readonly bases: readonly FolderTree[];
  /** The version that it is to be of. */
  readonly target: FolderTree;
  /** What stands in it, in the order of `comparePaths`. */
  readonly standing: readonly S[];
  /** Gives what is to stand at a path of the target. */
  readonly layOut: (path: string) => After;
  /** Whether something that holds the target's content at its path is what is to stand there. */
  readonly isLaidOut: (one: S) => boolean;
}

/**
 * Plans how a folder goes over to another version. What it has as one of its versions has it changes or goes; what somebody
 * has made of it since is left, and is a conflict where the target differs from what it was made of.
 *
 * A folder that was half on its way is planned for like any other: what has come already is there, and what has gone is not
 * taken for somebody's deletion where one of its versions does not have it.
 */
export function planCheckoutSteps<S extends Standing>(wish: CheckoutWish<S>): PlannedSteps {
  const { bases, target, standing, layOut } = wish;
  const left: LeftPath[] = [];
  const leave = (path: string, state: LeftState) => {
    const conflict = bases.some((base) => !isSame(itemOf(base, path), itemOf(target, path)));
    left.push({ path, state, ...(conflict && { conflict: true }) });
  };
  const { goes, changes, unchanged } = sortOut(wish, leave);
  const at = new Map(standing.map((one) => [one.path, one]));
  const isFolder = (path: string) => target.own.get(path)?.type === 'directory';
  // What the target has and nothing but a folder stands at, or what goes from where a folder is to be.
  const open = sortPaths([...Object.keys(target.manifest), ...target.own.keys()]).filter(
    (path) => (at.get(path)?.type ?? 'directory') === 'directory' || (goes.has(path) && isFolder(path)),
  );
  const removals = planRemovals(
    wish,
    goes,
    foldersOf(open.map((path) => (isFolder(path) ? joinPath(path, '.') : path))),
  );
  const isFree = (path: string) => !at.has(path) || goes.has(path);
  const makeFolders = createFolderPlanner(at, goes, changes);
  for (const path of open) {
    const isDeleted =
      !at.has(path) && bases.every((base) => itemOf(base, path) !== undefined) && !isTakenApart(bases, path);
    if (isDeleted) leave(path, 'deleted');
    else if (isFolder(path)) {
      if (!makeFolders(joinPath(path, '.'))) leave(path, 'blocked');
    } else if (isFree(path) && makeFolders(path)) changes.push({ path, after: layOut(path) });
    else leave(path, 'blocked');
  }
  changes.sort((a, b) => comparePaths(a.path, b.path));
  left.sort((a, b) => comparePaths(a.path, b.path));
  return { steps: [...removals, ...changes], left, unchanged };
}

/** Says what of the files and links that stand in the folder goes, what changes and what is left. */
function sortOut<S extends Standing>(
  { bases, target, standing, layOut, isLaidOut }: CheckoutWish<S>,
  leave: (path: string, state: LeftState) => void,
): { goes: Set<string>; changes: Step[]; unchanged: number } {
  const goes = new Set<string>();
  const changes: Step[] = [];
  let unchanged = 0;
  for (const one of standing) {
    const { path, type, before, content } = one;
    if (type === 'directory') continue;
    const wanted = itemOf(target, path);
    const was = bases.flatMap((base) => itemOf(base, path) ?? []);
    const isOurs = was.some((item) => isAs(one, item));
    const wasLink = was.some((item) => 'type' in item && item.type === 'symlink');
    if (before === undefined) {
      if (wanted !== undefined || was.length > 0) leave(path, 'special');
    } else if (isLeftover(path)) goes.add(path);
    else if (wanted !== undefined && isAs(one, wanted)) {
      // A copy that was staged stays one.
      if (content === undefined || isLaidOut(one) || (type === 'file' && isOurs)) unchanged++;
      else changes.push({ path, before, after: layOut(path) });
    } else if (isOurs) {
      if (wanted === undefined || ('type' in wanted && wanted.type === 'directory')) goes.add(path);
      else changes.push({ path, before, after: layOut(path) });
    } else if (wanted !== undefined || was.length > 0) leave(path, stateOf(one, was.length > 0, wasLink));
  }
  return { goes, changes, unchanged };
}

/** Takes away what goes, and the folders of the versions that are empty then; these are added to what goes. */
function planRemovals<S extends Standing>(
  { bases, standing }: CheckoutWish<S>,
  goes: Set<string>,
  needed: ReadonlySet<string>,
): Step[] {
  const ours = foldersOf(bases.flatMap(({ manifest, own }) => [...Object.keys(manifest), ...own.keys()]));
  for (const { own } of bases) for (const { path, type } of own.values()) if (type === 'directory') ours.add(path);
  const occupied = new Set<string>();
  const steps: Step[] = [];
  // What is in a folder stands behind it.
  for (const { path, type, before } of standing.toReversed()) {
    if (type === 'directory' && ours.has(path) && !needed.has(path) && !occupied.has(path)) goes.add(path);
    if (goes.has(path) && before !== undefined) steps.push({ path, before });
    else occupied.add(parentPath(path));
  }
  return steps;
}

/** What a version has at a path: a file, or what is its own beside files. */
type Item = ManifestEntry | OwnEntry;

function itemOf({ manifest, own }: FolderTree, path: string): Item | undefined {
  return manifest[path] ?? own.get(path);
}

function isSame(a: Item | undefined, b: Item | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if ('type' in a && 'type' in b) return sameEntry(a, b);
  return !('type' in a || 'type' in b) && sameContent(a, b);
}

/** Whether an interrupted change may have left nothing at a path: a folder goes before something else comes, and the other way round. */
function isTakenApart(bases: readonly FolderTree[], path: string): boolean {
  const folders = bases.filter(({ own }) => own.get(path)?.type === 'directory');
  return folders.length > 0 && folders.length < bases.length;
}

/** Whether what stands in the folder is what a version has there. */
function isAs({ content, before }: Standing, item: Item): boolean {
  if ('type' in item) return before?.type === 'symlink' && isSymlinkTo(item, before.target);
  return content !== undefined && sameContent(item, content);
}

/** Gives all folders that paths lie in. */
function foldersOf(paths: readonly string[]): Set<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let at = parentPath(path); at !== '' && !folders.has(at); at = parentPath(at)) folders.add(at);
  }
  return folders;
}
