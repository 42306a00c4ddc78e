import { drawTree } from './draw-tree.ts';
import type { ReadTree } from './read-tree.ts';
import { folderOf } from './tree-folder.ts';

export interface RenderOptions {
  /** The folder to show; symlinks are followed. @default '/' */
  path?: string;
  /** What stands above the tree. @default what the tree was read from */
  name?: string;
  /** Show modes, sizes and times. @default false */
  details?: boolean;
}

/** Draws a folder of a tree with all that is in it. Throws `not-found`, and `invalid-argument` for what is no folder. */
export function renderTree(tree: ReadTree, { path = '/', name, ...rest }: RenderOptions = {}): string {
  return drawTree(folderOf(tree, path, name), rest);
}
