import { GypsumError } from '../errors.ts';
import { createPathResolver, type PathFault } from './realpath.ts';
import { type DirectoryEntry, entriesBelow, factsOf, isBelow, joinPath, type KnownFile } from './tree.ts';
import type { VersionEntry } from './version-tree.ts';

/** An entry of a version, and where in the version it comes from: the two paths differ where symlinks were followed. */
export type FollowedEntry = (KnownFile | DirectoryEntry) & { readonly from: string };

/** A symlink that cannot be followed. */
export interface Unfollowed {
  readonly path: string;
  /** The end of a sentence that begins with the path. */
  readonly why: string;
}

/** More than that nobody has asked for: a few symlinks to folders of symlinks stand for any number of entries. */
const MAX_ENTRIES = 2_000_000;

/**
 * Puts what they lead to in the place of the symlinks below a folder of a version; symlinks that lead out of the version, to
 * nothing, or to a folder that they stand in are told of.
 */
export function followTree(
  tree: readonly VersionEntry[],
  root: string,
): { readonly entries: FollowedEntry[]; readonly unfollowed: Unfollowed[] } {
  const resolver = createPathResolver(tree);
  const known = new Map(tree.map((entry) => [entry.path, entry]));
  const entries: FollowedEntry[] = [];
  const unfollowed: Unfollowed[] = [];

  /** `walked` are the folders that are being shown already. */
  const add = (from: string, to: string, walked: readonly string[]): void => {
    for (const entry of entriesBelow(tree, from)) {
      const path = joinPath(to, from === '' ? entry.path : entry.path.slice(from.length + 1));
      if (entry.type === 'symlink') follow(entry.path, path, walked);
      else push({ ...entry, path, from: entry.path });
    }
  };
  const follow = (at: string, path: string, walked: readonly string[]): void => {
    const resolved = resolver.resolve(`/${at}`);
    if (resolved.kind !== 'found') {
      leave(path, WHY[resolved.kind]);
      return;
    }
    const { path: folder } = resolved;
    const found = known.get(folder);
    if (found?.type === 'file') {
      push({ ...found, path, from: folder });
      return;
    }
    if ([at, ...walked].some((one) => one === folder || isBelow(one, folder))) {
      leave(path, 'is a symlink to a folder that it stands in');
      return;
    }
    push({ type: 'directory', path, from: folder, ...(found?.type === 'directory' && factsOf(found)) });
    add(folder, path, [...walked, folder]);
  };
  const push = (entry: FollowedEntry): void => {
    entries.push(entry);
    if (entries.length + unfollowed.length > MAX_ENTRIES) throw tooMany();
  };
  const leave = (path: string, why: string): void => {
    unfollowed.push({ path, why });
    if (entries.length + unfollowed.length > MAX_ENTRIES) throw tooMany();
  };

  add(root, '', [root]);
  return { entries, unfollowed };
}

function tooMany(): GypsumError {
  return new GypsumError('invalid-argument', `The symlinks stand for more than ${MAX_ENTRIES} files and folders.`, {
    hint: 'Keep them as symlinks.',
  });
}

const WHY: Readonly<Record<PathFault, string>> = {
  missing: 'is a symlink to nothing',
  'not-directory': 'is a symlink to nothing',
  loop: 'is a symlink that leads to itself, or through too many others',
  escape: 'is a symlink that leads out of the version',
  absolute: 'is a symlink with an absolute target, which leads nowhere in a version',
  corrupt: 'is a symlink without a target',
  invalid: 'is a symlink to nothing',
};
