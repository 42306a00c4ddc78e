import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { ChangeCounts } from '../model/file-change.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import { diffTrees } from '../tree/diff-trees.ts';
import { addPatches, type PatchOptions, type ShownChange } from './add-patches.ts';
import { checkFolder } from './check-folder.ts';
import { findClone } from './find-clone.ts';
import { type Comparable, comparableVersion, readComparable, type Skipped } from './read-comparable.ts';
import { run } from './run.ts';
import { loadVersion } from './version-documents.ts';

export interface DiffOptions extends PatchOptions {
  /** Compare text files line by line, too. @default false */
  patch?: boolean;
}

export interface DiffCloneOptions extends DiffOptions {
  /** Say what turns the folder into the version, not the version into the folder. @default false */
  reverse?: boolean;
}

/** What is compared: a version, or a folder by its real path. */
export type DiffSide = VersionRef | { readonly directory: string };

/** How two sides differ in their files. */
export interface Diff {
  readonly before: DiffSide;
  readonly after: DiffSide;
  /** In the order of `comparePaths`. */
  readonly changes: readonly ShownChange[];
  readonly counts: ChangeCounts;
  /** What stands in a folder, and cannot be compared since no version could hold it. */
  readonly skipped: readonly Skipped[];
}

/** Says how the files of two versions differ, by their manifests. Throws `not-found` and `version-unfinished`. */
export async function diffVersions(
  ctx: Context,
  before: VersionRef,
  after: VersionRef,
  options: DiffOptions = {},
): Promise<Diff> {
  const refs = [checkVersionRef(before), checkVersionRef(after)] as const;
  checkLimit(options);
  return run(ctx, options, async () => {
    const [left, right] = [await loadVersion(ctx, refs[0], options), await loadVersion(ctx, refs[1], options)];
    return compare(ctx, [refs[0], comparableVersion(left)], [refs[1], comparableVersion(right)], options);
  });
}

/**
 * Says how a folder differs from a version: by default the clone that it is or lies in, from its own version. A folder is
 * compared as it would be published. Throws `invalid-argument` if it is no clone that the cache knows of and no version is
 * named.
 */
export async function diffClone(
  ctx: Context,
  directory: string,
  version?: VersionRef,
  { reverse = false, ...options }: DiffCloneOptions = {},
): Promise<Diff> {
  const given = version === undefined ? undefined : checkVersionRef(version);
  checkLimit(options);
  return run(ctx, options, async () => {
    const { root, ref } = await findSides(ctx, directory, given, options);
    const documents = await loadVersion(ctx, ref, options);
    const folder = [{ directory: root }, await readComparable(ctx, root, { ...options, loaded: [documents] })] as const;
    const published = [ref, comparableVersion(documents)] as const;
    return reverse ? compare(ctx, folder, published, options) : compare(ctx, published, folder, options);
  });
}

/** Says how the files of two folders differ. Folders are compared as they would be published. */
export async function diffFolders(
  ctx: Context,
  before: string,
  after: string,
  options: DiffOptions = {},
): Promise<Diff> {
  const roots = [before, after].map((folder) => checkFolder(folder, 'Give a folder.')) as [string, string];
  checkLimit(options);
  return run(ctx, options, async () => {
    const left = [{ directory: roots[0] }, await readComparable(ctx, roots[0], options)] as const;
    const right = [{ directory: roots[1] }, await readComparable(ctx, roots[1], options)] as const;
    return compare(ctx, left, right, options);
  });
}

function checkLimit({ maxText = 0 }: DiffOptions): void {
  if (Number.isSafeInteger(maxText) && maxText >= 0) return;
  throw new GypsumError('invalid-argument', `${maxText} is not a number of bytes.`, {
    hint: 'Leave it out for 1 MiB.',
    details: { maxText },
  });
}

/** Gives the folder that is meant: the clone that it is or lies in; where a version is named, any other one is as good. */
async function findSides(
  ctx: Context,
  directory: string,
  given: VersionRef | undefined,
  options: DiffOptions,
): Promise<{ root: string; ref: VersionRef }> {
  const root = checkFolder(directory, 'Give the folder of a clone, or one in it.');
  try {
    const clone = await findClone(ctx, root, options);
    return { root: clone.root, ref: given ?? clone.ref };
  } catch (error) {
    if (given === undefined || !isGypsumError(error, 'invalid-argument')) throw error;
    return { root, ref: given };
  }
}

type Side = readonly [DiffSide, Comparable];

async function compare(
  ctx: Context,
  before: Side,
  after: Side,
  { patch = false, ...options }: DiffOptions,
): Promise<Diff> {
  const { changes, counts } = await diffTrees(before[1].files, after[1].files, options.signal);
  return {
    before: before[0],
    after: after[0],
    changes: patch ? await addPatches(ctx, before[1], after[1], changes, options) : changes,
    counts,
    skipped: [...before[1].skipped, ...after[1].skipped],
  };
}
