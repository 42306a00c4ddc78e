import { type Count, countFiles } from '../model/count.ts';
import type { VersionRef } from '../model/refs.ts';
import { type Entry, entriesBelow } from '../model/tree.ts';
import { findInTree } from './find-in-tree.ts';
import type { ReadTree } from './read-tree.ts';
import { describeEntry, sizeOf, type TreeNode } from './tree-node.ts';

/** What is in one folder of a tree. */
export interface TreeListing {
  readonly ref?: VersionRef;
  readonly root?: string;
  /** The folder, or the one file, without symlinks on the way; "/" for the root. */
  readonly path: string;
  /** What is there and is no folder. */
  readonly here: Count;
  /** What is there and below and is no folder. */
  readonly total: Count;
  /** In the order of names. */
  readonly entries: readonly TreeNode[];
}

/**
 * Lists a folder of a tree, empty folders too, or one file: each folder in it with how much it holds. Symlinks on the way are
 * followed, those that are listed are not. Throws `not-found` for a path that leads nowhere.
 */
export function listTree(tree: ReadTree, path = '/'): TreeListing {
  const { path: at, entry } = findInTree(tree, path);
  const shown = { ...(tree.ref && { ref: tree.ref }), ...(tree.root !== undefined && { root: tree.root }) };
  if (entry.type !== 'directory') {
    const count = { files: 1, bytes: sizeOf(entry) };
    return { ...shown, path: `/${at}`, here: count, total: count, entries: [describeEntry(entry)] };
  }
  const children: { entry: Entry; below: { files: number; bytes: number } }[] = [];
  const skip = at === '' ? 0 : at.length + 1;
  for (const one of entriesBelow(tree.entries, at)) {
    const isChild = !one.path.includes('/', skip);
    if (isChild) children.push({ entry: one, below: { files: 0, bytes: 0 } });
    const below = children.at(-1)?.below;
    if (isChild || one.type === 'directory' || below === undefined) continue;
    below.files++;
    below.bytes += sizeOf(one);
  }
  const here = countFiles(children.filter((child) => child.entry.type !== 'directory').map(toSized));
  const files = here.files + children.reduce((sum, { below }) => sum + below.files, 0);
  const bytes = here.bytes + children.reduce((sum, { below }) => sum + below.bytes, 0);
  const entries = children.map(({ entry, below }) => describeEntry(entry, below));
  return { ...shown, path: `/${at}`, here, total: { files, bytes }, entries };
}

function toSized({ entry }: { readonly entry: Entry }): { readonly size: number } {
  return { size: sizeOf(entry) };
}
