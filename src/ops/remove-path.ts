import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { describeChange, type MergedTree } from '../model/merge-trees.ts';
import { checkPath } from '../model/names.ts';
import { formatRef, type Ref, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { isBelow, withDirectories } from '../model/tree.ts';
import { fetchLatest } from './fetch-latest.ts';
import type { LoadedTree } from './load-tree.ts';
import { type ChangedTree, type ChangeTreeOptions, findNext, publishTree } from './publish-tree.ts';
import { run } from './run.ts';

export interface RemovePathOptions extends Omit<ChangeTreeOptions, 'ignoreErrors'> {
  /** Remove a folder with all that is in it. @default false */
  recursive?: boolean;
}

/**
 * Makes the next version of an asset of its latest one without a file, a symlink, an empty folder, or with `recursive` a folder with
 * all that is in it. No symlink is followed: one that is named goes itself. Throws `not-found` if there is no such thing, and
 * `invalid-argument` for a folder that is not empty.
 */
export async function removePath(
  ctx: Context,
  ref: Ref,
  path: string,
  { recursive = false, ...options }: RemovePathOptions = {},
): Promise<ChangedTree> {
  const wanted = checkPath(path.replace(/^\/|\/$/g, ''));
  return run(ctx, options, async () => {
    const next = await findNext(ctx, ref, options);
    // Whoever has mistyped the asset learns it from this.
    if (next.base === undefined) throw notThere(await fetchLatest(ctx, ref, options), wanted);
    return publishTree(ctx, next, without(next.base, wanted, recursive), new Map(), options);
  });
}

function without({ ref, tree, record }: LoadedTree, path: string, recursive: boolean): MergedTree {
  const gone = tree.entries.filter((entry) => entry.path === path || isBelow(entry.path, path));
  if (gone.length === 0) throw notThere(ref, path);
  if (gone.length > 1 && !recursive) {
    throw new GypsumError(
      'invalid-argument',
      `"${showText(path)}" of ${formatRef(ref)} is a folder that is not empty.`,
      {
        hint: 'Use -r (in programs: recursive) to remove it with all that is in it.',
        details: { ...ref, path },
      },
    );
  }
  const left = tree.entries.filter((entry) => entry.path !== path && !isBelow(entry.path, path));
  // Without a record, folders are there for the files in them.
  const entries = record === undefined ? withDirectories(left.filter(({ type }) => type !== 'directory')) : left;
  return { entries, changes: gone.map((entry) => ({ sign: '-', ...describeChange(entry) })) };
}

function notThere(ref: VersionRef, path: string): GypsumError {
  return new GypsumError('not-found', `There is no "${showText(path)}" in ${formatRef(ref)}.`, {
    hint: `See what there is with "gypsum tree ${formatRef(ref)}".`,
    details: { ...ref, path },
  });
}
