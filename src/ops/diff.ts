import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { ChangeCounts } from '../model/file-change.ts';
import { meantMode } from '../model/modes.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import { compareTrees } from '../tree/compare.ts';
import { diffTrees } from '../tree/diff-trees.ts';
import { addPatches, type PatchOptions, type ShownChange } from './add-patches.ts';
import { checkFolder } from './check-folder.ts';
import { findClone } from './find-clone.ts';
import { type LoadedTree, loadTree } from './load-tree.ts';
import { type Comparable, comparableVersion, readComparable, type Skipped } from './read-comparable.ts';
import { run } from './run.ts';

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

/** How two sides differ. */
export interface Diff {
  readonly before: DiffSide;
  readonly after: DiffSide;
  /** In the order of `comparePaths`. */
  readonly changes: readonly ShownChange[];
  readonly counts: ChangeCounts;
  /** What stands in a folder, and cannot be compared since no version could hold it. */
  readonly skipped: readonly Skipped[];
}

/** Says how two versions differ, by their manifests and tree records. Throws `not-found` and `version-unfinished`. */
export async function diffVersions(
  ctx: Context,
  before: VersionRef,
  after: VersionRef,
  options: DiffOptions = {},
): Promise<Diff> {
  const refs = [checkVersionRef(before), checkVersionRef(after)] as const;
  checkLimit(options);
  return run(ctx, options, async () => {
    const before = await readVersion(ctx, refs[0], options);
    return compare(ctx, before, await readVersion(ctx, refs[1], options), options);
  });
}

/**
 * Says how a folder differs from a version: by default the clone that it is or lies in, from its own version. A folder is
 * compared as it would be published; its symlinks are what they are where it or the version has a tree record. Throws
 * `invalid-argument` if it is no clone that the cache knows of and no version is named.
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
    const published = await readVersion(ctx, ref, options);
    const { documents, record } = published.loaded;
    const reading = { ...options, keepSymlinks: record !== undefined, loaded: [documents] };
    const folder = {
      side: { directory: root },
      what: asMeant(await readComparable(ctx, root, reading), published.what),
    };
    return reverse ? compare(ctx, folder, published, options) : compare(ctx, published, folder, options);
  });
}

/**
 * Says how two folders differ. Their files are compared as they would be published, and symlinks that do not lead into the cache
 * by their text.
 */
export async function diffFolders(
  ctx: Context,
  before: string,
  after: string,
  options: DiffOptions = {},
): Promise<Diff> {
  const roots = [before, after].map((folder) => checkFolder(folder, 'Give a folder.')) as [string, string];
  checkLimit(options);
  return run(ctx, options, async () => {
    const read = (root: string) => readComparable(ctx, root, { ...options, keepSymlinks: true });
    const before = { side: { directory: roots[0] }, what: await read(roots[0]) };
    return compare(ctx, before, { side: { directory: roots[1] }, what: await read(roots[1]) }, options);
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

interface Side {
  readonly side: DiffSide;
  readonly what: Comparable;
}

/** Reads a version; what its record says and its files do not bear out is told of, and left out. */
async function readVersion(
  ctx: Context,
  ref: VersionRef,
  options: DiffOptions,
): Promise<Side & { readonly loaded: LoadedTree }> {
  const loaded = await loadTree(ctx, ref, options);
  const { stale } = loaded.tree;
  if (stale.length > 0) options.onEvent?.({ type: 'left-out', ref, entries: stale });
  return { side: ref, what: comparableVersion(loaded), loaded };
}

/** Has permissions of a folder that nobody has said be those of a version. */
function asMeant(folder: Comparable, version: Comparable): Comparable {
  const entries: VersionEntry[] = [];
  for (const { left, right } of compareTrees(version.entries, folder.entries)) {
    if (right !== undefined) entries.push(toMeant(right, left));
  }
  return { ...folder, entries };
}

function toMeant(entry: VersionEntry, before: VersionEntry | undefined): VersionEntry {
  if (entry.type === 'symlink' || before?.type === 'symlink' || before?.type !== entry.type) return entry;
  const meant = meantMode(entry.mode, before);
  if (meant === entry.mode) return entry;
  const { mode: _, ...rest } = entry;
  return meant === undefined ? rest : { ...rest, mode: meant };
}

async function compare(
  ctx: Context,
  before: Side,
  after: Side,
  { patch = false, ...options }: DiffOptions,
): Promise<Diff> {
  const [left, right] = [before.what, after.what];
  const { changes, counts } = await diffTrees(left.entries, right.entries, options.signal);
  return {
    before: before.side,
    after: after.side,
    changes: patch ? await addPatches(ctx, left, right, changes, options) : changes,
    counts,
    skipped: [...left.skipped, ...right.skipped],
  };
}
