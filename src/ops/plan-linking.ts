import { relative, sep } from 'node:path';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { comparePaths, type Entry, type Tree } from '../model/tree.ts';
import { compareTrees, type Pair } from '../tree/compare.ts';
import { isLeftover, isShortLived } from '../tree/put-file.ts';
import { overlaps } from '../tree/real-path.ts';
import { scanFolder } from '../tree/scan.ts';
import type { Step } from '../tree/step.ts';
import { type CheckedFolders, checkLinkFolders } from './check-link-folders.ts';
import { createLinkJudge, type Judgement } from './judge-link.ts';
import { removalOf } from './leftovers.ts';
import type { LinkedFile, LinkPlan, LinkType } from './link-plan.ts';

export interface LinkOptions extends CallOptions {
  /** How links name their files. @default those that are right stay as they are, and new ones are relative */
  linkType?: LinkType | undefined;
  /** Make what the destination does not have: itself, folders, and links for files that are missing. @default false */
  createDst?: boolean;
  /** Put links in the place of symlinks that lead nowhere, too. @default false */
  relink?: boolean;
  /**
   * Of the files that are linked to: take the right to write to them away from all, or, if false, give it back to their
   * owner. @default permissions stay as they are
   */
  protect?: boolean | undefined;
  /** End it all at the first file that cannot be linked. @default false */
  failFast?: boolean;
}

/**
 * Plans which files of a folder become symlinks to equal ones, of the same path, in another folder; throws
 * `invalid-argument` if the folders lie in each other so that files would be linked to themselves. Nothing is changed.
 */
export async function planLinking(
  source: string,
  destination: string,
  { linkType, createDst = false, relink = false, protect, failFast = false, signal, onEvent }: LinkOptions = {},
): Promise<LinkPlan> {
  const folders = checkLinkFolders(source, destination, createDst);
  const call = { signal, onEvent };
  const { tree, failed } = await scanSource(folders, call);
  const there = await scanDestination(folders, tree, call);
  const pace = createPace(signal);
  const judge = createLinkJudge(folders, { linkType, createDst, relink }, there.unreadable, pace);
  const files: LinkedFile[] = [...failed];
  const steps: Step[] = [];
  let stopped = failFast && failed.length > 0;
  let seen = 0;
  let reported = 0;
  const report = () => {
    onEvent?.({ type: 'progress', task: 'verify', files: seen - reported, bytes: 0 });
    reported = seen;
  };
  onEvent?.({ type: 'start', task: 'verify', files: tree.length, bytes: 0 });
  for (const pair of compareTrees(tree, there.tree)) {
    if (stopped) break;
    if (pair.left === undefined) {
      steps.push(...removalOf(pair.right, folders.destination));
      continue;
    }
    seen++;
    const { file, step } = await judgeOrFail(pair, judge, signal);
    if (file !== undefined) files.push(file);
    if (step !== undefined) steps.push(step);
    stopped = failFast && file?.state === 'failed';
    if (pace.due()) {
      report();
      await pace.rest();
    }
  }
  report();
  onEvent?.({ type: 'end', task: 'verify' });
  return {
    source: folders.source,
    destination: folders.destination,
    linkType: linkType ?? 'relative',
    ...(protect !== undefined && { protect }),
    createDst,
    stopped,
    files: files.sort((a, b) => comparePaths(a.path, b.path)),
    steps: stopped ? [] : steps,
  };
}

/** Judges a pair; whatever keeps it from being looked at is a failure of this one alone. */
async function judgeOrFail(
  pair: Pair<Entry, Entry>,
  judge: (pair: Pair<Entry, Entry>) => Promise<Judgement>,
  signal: AbortSignal | undefined,
): Promise<Judgement> {
  try {
    return await judge(pair);
  } catch (error) {
    signal?.throwIfAborted();
    return { file: { path: pair.path, state: 'failed', message: (error as Error).message } };
  }
}

/** Reads the source, without the destination if that lies in it; folders that cannot be read are failures. */
async function scanSource(
  { realSource, destination }: CheckedFolders,
  call: CallOptions,
): Promise<{ tree: Tree; failed: LinkedFile[] }> {
  const nested = overlaps(realSource, destination) ? relative(realSource, destination).split(sep).join('/') : undefined;
  const failed: LinkedFile[] = [];
  const tree = await scanFolder(realSource, {
    ...call,
    sizes: false,
    skip: (path) => path === nested || isShortLived(path),
    onFailure: (path, { message }) => void failed.push({ path, state: 'failed', message }),
  });
  return { tree, failed };
}

/** Reads the destination where the source has something, too; says which of its folders cannot be read, and why. */
async function scanDestination(
  { destination, isMissing }: CheckedFolders,
  source: Tree,
  call: CallOptions,
): Promise<{ tree: Tree; unreadable: ReadonlyMap<string, string> }> {
  const unreadable = new Map<string, string>();
  if (isMissing) return { tree: [], unreadable };
  const paths = new Set(source.map(({ path }) => path));
  const tree = await scanFolder(destination, {
    ...call,
    sizes: false,
    skip: (path, isFolder) => (isFolder ? !paths.has(path) : isShortLived(path) && !isLeftover(path)),
    onFailure: (path, { message }) => void unreadable.set(path, message),
  });
  return { tree, unreadable };
}
