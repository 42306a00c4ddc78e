import { GypsumError } from '../errors.ts';
import { type DirectoryEntry, entriesBelow, isBelow } from '../model/tree.ts';
import { drawTree } from './draw-tree.ts';
import { findInTree, nameInTree } from './find-in-tree.ts';
import type { ReadTree } from './read-tree.ts';
import { describeEntry, type NestedNode, sizeOf } from './tree-node.ts';

export interface RenderOptions {
  /** The folder to show; symlinks are followed. @default '/' */
  path?: string;
  /** What stands above the tree. @default what the tree was read from */
  name?: string;
  /** Show modes, sizes and times. @default false */
  details?: boolean;
}

/** Draws a folder of a tree with all that is in it. Throws `not-found`, and `invalid-argument` for what is no folder. */
export function renderTree(
  tree: ReadTree,
  { path = '/', name = nameInTree(tree, path), ...rest }: RenderOptions = {},
): string {
  return drawTree(nestTree(tree, path, name), rest);
}

/** Gives a folder of a tree with all that is in it. */
export function nestTree(tree: ReadTree, path: string, name: string): NestedNode {
  const { path: at, entry } = findInTree(tree, path);
  if (entry.type !== 'directory') {
    throw new GypsumError('invalid-argument', `${nameInTree(tree, path)} is no folder.`, {
      hint: 'Give a folder, or have it listed with "gypsum ls".',
      details: { path },
    });
  }
  const open: OpenFolder[] = [{ entry, files: 0, bytes: 0, sub: [] }];
  for (const one of entriesBelow(tree.entries, at)) {
    while (open.length > 1 && !isBelow(one.path, open.at(-1)?.entry.path ?? '')) close(open);
    const folder = open.at(-1);
    if (one.type === 'directory') open.push({ entry: one, files: 0, bytes: 0, sub: [] });
    else if (folder !== undefined) {
      folder.files++;
      folder.bytes += sizeOf(one);
      folder.sub.push(describeEntry(one));
    }
  }
  while (open.length > 1) close(open);
  const [root] = open;
  if (root === undefined) throw new Error('the root was closed');
  return { ...finish(root), name };
}

/** A folder that has not been seen to its end. */
interface OpenFolder {
  readonly entry: DirectoryEntry;
  readonly sub: NestedNode[];
  files: number;
  bytes: number;
}

/** Puts the innermost folder into the one around it. */
function close(open: OpenFolder[]): void {
  const [inner, outer] = [open.pop(), open.at(-1)];
  if (inner === undefined || outer === undefined) throw new Error('there is no folder to close');
  outer.sub.push(finish(inner));
  outer.files += inner.files;
  outer.bytes += inner.bytes;
}

function finish({ entry, files, bytes, sub }: OpenFolder): NestedNode {
  return { ...describeEntry(entry, { files, bytes }), ...(sub.length > 0 && { sub }) };
}
