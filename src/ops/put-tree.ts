import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { type MergedTree, mergeTrees, type TreeChange } from '../model/merge-trees.ts';
import { pathFault } from '../model/names.ts';
import { createPathResolver } from '../model/realpath.ts';
import type { Ref } from '../model/refs.ts';
import { createMatcher } from '../model/select-files.ts';
import { staysInside } from '../model/stays-inside.ts';
import { showText } from '../model/text.ts';
import { comparePaths, isBelow, parentPath, withDirectories } from '../model/tree.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import { IGNORE_FILE, readIgnoreFile } from '../tree/ignore-file.ts';
import type { LoadedTree } from './load-tree.ts';
import { type ChangedTree, type ChangeTreeOptions, checkAbove, findNext, publishTree } from './publish-tree.ts';
import { findPutSource, type PutSource } from './put-source.ts';
import { type PutReading, readPut } from './read-put.ts';
import { rescueEdits } from './rescue-edits.ts';
import { run } from './run.ts';

/** What becomes of symlinks that do not lead into the cache; `safe` keeps those that do not lead out of the version. */
export type PutSymlinks = 'keep' | 'follow' | 'safe' | 'refuse';

export interface PutOptions extends ChangeTreeOptions {
  /** Where it goes in the version; with a slash at the end, into the folder of that name. @default '/' */
  path?: string;
  /** @default 'keep' */
  symlinks?: PutSymlinks;
  /** With `follow`: follow no symlink out of the folder. @default false */
  noOutside?: boolean;
  /** Remove what the version has where the folder goes and the folder has not. @default false */
  delete?: boolean;
  /** Patterns of what is left out, by paths in the folder; what the version has of that stays. */
  exclude?: readonly string[];
  /**
   * Make a file of the folder of each link whose cached file was edited through it, and give the cache its content back; not in
   * a dry run, nor where something else is wrong that keeps all from being published. @default false
   */
  rescue?: boolean;
}

export interface PutResult extends ChangedTree {
  /** Symlinks that were followed out of the folder. */
  readonly outside: number;
}

/**
 * Makes the next version of an asset of its latest one and a local folder or file: with the folder's symlinks, empty folders, modes
 * and times. A location that ends with a slash means what is in the folder. Nothing changed, nothing is published; nor is anything
 * where an entry is wrong, which `changes` say, unless `ignoreErrors` is given.
 *
 * Throws `invalid-argument`, `invalid-tree`, `version-exists`, and what publishing throws.
 */
export async function putTree(
  ctx: Context,
  ref: Ref,
  location: string,
  {
    path = '/',
    symlinks = 'keep',
    noOutside = false,
    exclude = [],
    rescue = false,
    delete: isRemoving = false,
    ...options
  }: PutOptions = {},
): Promise<PutResult> {
  options.signal?.throwIfAborted();
  const source = findPutSource(location, path, symlinks === 'follow');
  if (isRemoving && source.name !== undefined) {
    throw new GypsumError(
      'invalid-argument',
      `"${showText(location)}" is no folder, and nothing else can be removed for it.`,
      {
        hint: 'Leave out "--delete", or give a folder.',
      },
    );
  }
  const matchers = exclude.map(createMatcher);
  const isExcluded = (at: string) => matchers.some((matches) => matches(at));
  return putSource(ctx, ref, source, { ...options, symlinks, noOutside, rescue, delete: isRemoving, isExcluded });
}

export interface PutSourceOptions extends Omit<PutOptions, 'path' | 'exclude'> {
  /** Says of paths below the folder that they are left out, with all below; what the version has of that stays. */
  isExcluded: (path: string, isFolder: boolean) => boolean;
  /** Have the version say times and permissions as they are, where others need no tree record or are as usual, too. @default false */
  exact?: boolean;
  /** Hears of what would be published before it is, and throws where that is not to be. */
  check?: (tree: MergedTree, base: LoadedTree | undefined) => void;
}

/** The same of what has been found. */
export async function putSource(
  ctx: Context,
  ref: Ref,
  source: PutSource,
  {
    symlinks = 'keep',
    noOutside = false,
    rescue = false,
    delete: isRemoving = false,
    isExcluded,
    check,
    ...options
  }: PutSourceOptions,
): Promise<PutResult> {
  return run(ctx, options, async () => {
    const next = await findNext(ctx, ref, options);
    checkAbove(next.base, source.path);
    const { signal, onEvent } = options;
    const followLinks = symlinks === 'follow';
    const read = () => readPut(ctx, source, { followLinks, noOutside, isExcluded, signal, onEvent });
    let reading = await read();
    const { rescuable } = reading;
    const isOnlyEdited = reading.faults.length === rescuable.length;
    if (rescue && !options.dryRun && rescuable.length > 0 && (isOnlyEdited || options.ignoreErrors)) {
      await rescueEdits(ctx, source.root, rescuable, { signal, onEvent });
      // An edit that comes in between is found, and refused.
      reading = await read();
    }
    const { entries, faults } = checkNames(reading, source.path);
    const merge = (own: readonly VersionEntry[], wrong: readonly TreeChange[]) =>
      mergeTrees(next.base?.tree.entries ?? [], own, {
        ...(isRemoving && { removeBelow: source.path }),
        exact: options.exact === true,
        isKept: keeper(source, isExcluded, wrong),
      });
    const merged = merge(entries, faults);
    const unwanted = findUnwanted(merged, entries, symlinks);
    const all = [...faults, ...unwanted];
    const left = new Set(unwanted.map((one) => one.path));
    const tree =
      left.size === 0
        ? merged
        : merge(
            entries.filter((one) => !left.has(one.path)),
            all,
          );
    const changes = [...tree.changes, ...all].sort((a, b) => comparePaths(a.path, b.path));
    check?.(tree, next.base);
    const done = await publishTree(ctx, next, { ...tree, changes }, reading.origins, options);
    return { ...done, outside: reading.outside };
  });
}

/** Sorts out what has a name that no version can have, with all below, and puts in the folders that paths below `top` imply. */
function checkNames({ entries, faults }: PutReading, top: string): { entries: VersionEntry[]; faults: TreeChange[] } {
  const wrong = new Map(faults.map((fault) => [fault.path, fault]));
  let above: string | undefined;
  const sound = entries
    .toSorted((a, b) => comparePaths(a.path, b.path))
    .filter(({ path, type }) => {
      if (above !== undefined && isBelow(path, above)) return false;
      const why = pathFault(path);
      if (why === undefined) return true;
      if (type === 'directory') above = path;
      wrong.set(path, { sign: 'E', path, type, why });
      return false;
    });
  const all = [...wrong.values()];
  const folders = all.filter((fault) => fault.type === 'directory');
  return {
    entries: withDirectories(sound).filter(({ path }) => !isBelow(top, path)),
    faults: all.filter(({ path }) => !folders.some((folder) => isBelow(path, folder.path))),
  };
}

/** Says what of the base stays although the folder has it not: what is left out of the folder, and what is wrong there. */
function keeper(
  { root, name, path: top }: PutSource,
  isExcluded: PutSourceOptions['isExcluded'],
  faults: readonly TreeChange[],
) {
  const rules = name === undefined ? readIgnoreFile(root) : undefined;
  const wrong = new Set(faults.map(({ path }) => path));
  return (path: string): boolean => {
    const below = top === '' ? path : path.slice(top.length + 1);
    if (isExcluded(below, false) || (below !== IGNORE_FILE && rules?.ignores(below, false))) return true;
    for (let at = path; at !== ''; at = parentPath(at)) if (wrong.has(at)) return true;
    return false;
  };
}

/** Finds symlinks that are not to be in the version. */
function findUnwanted({ entries }: MergedTree, own: readonly VersionEntry[], rule: PutSymlinks): TreeChange[] {
  if (rule === 'keep' || rule === 'follow') return [];
  const resolver = createPathResolver(entries);
  return own.flatMap((entry): TreeChange[] => {
    if (entry.type !== 'symlink' || (rule === 'safe' && staysInside(resolver, entry))) return [];
    const why = rule === 'refuse' ? 'is a symlink' : 'is a symlink that leads out of the version';
    const { type, path, target } = entry;
    return [{ sign: 'E', type, path, target, why }];
  });
}
