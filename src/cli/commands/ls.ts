import type { TreeListing } from '../../ops/list-tree.ts';
import { listTree } from '../../ops/list-tree.ts';
import type { Command } from '../command.ts';
import { showListing } from '../listing.ts';
import { openNamed, TREE_ARGUMENT } from '../open-tree.ts';

export const ls: Command<TreeListing> = {
  usage: `ls ${TREE_ARGUMENT}`,
  summary: 'List what is in a folder of a version, or in a local one, with symlinks and empty folders',
  example: 'gypsum ls my-project/my-asset/v1',
  async run(call) {
    const { tree, path } = await openNamed(call);
    return listTree(tree, path);
  },
  human: showListing,
};
