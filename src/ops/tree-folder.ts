import { GypsumError } from '../errors.ts';
import { type DirectoryEntry, type Entry, entriesBelow } from '../model/tree.ts';
import { findInTree, nameInTree } from './find-in-tree.ts';
import type { ReadTree } from './read-tree.ts';

/** A folder of a tree, by the name that it is shown with. */
export interface TreeFolder {
  readonly name: string;
  readonly entry: DirectoryEntry;
  /** All that is in it and below, in the order of `comparePaths`. */
  readonly entries: readonly Entry[];
}

/** Finds a folder in a tree; symlinks are followed. Throws `not-found`, and `invalid-argument` for what is no folder. */
export function folderOf(tree: ReadTree, path: string, name = nameInTree(tree, path)): TreeFolder {
  const { path: at, entry } = findInTree(tree, path);
  if (entry.type !== 'directory') {
    throw new GypsumError('invalid-argument', `${nameInTree(tree, path)} is no folder.`, {
      hint: 'Give a folder, or have it listed with "gypsum ls".',
      details: { path },
    });
  }
  return { name, entry, entries: entriesBelow(tree.entries, at) };
}
