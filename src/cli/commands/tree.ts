import { drawTree } from '../../ops/draw-tree.ts';
import { nestTree } from '../../ops/render-tree.ts';
import type { NestedNode } from '../../ops/tree-node.ts';
import { argument, type Command } from '../command.ts';
import { showEntry } from '../entry-text.ts';
import { openNamed, TREE_ARGUMENT } from '../open-tree.ts';

export const tree: Command<NestedNode, { details?: boolean }> = {
  usage: `tree ${TREE_ARGUMENT}`,
  summary: 'Draw a folder of a version, or a local one, with all that is in it',
  example: 'gypsum tree my-project/my-asset/v1 --details',
  flags: [{ flags: '-d, --details', description: 'show modes, sizes and times' }],
  async run(call) {
    const opened = await openNamed(call);
    return nestTree(opened.tree, opened.path, argument(call.args, 0));
  },
  human: (root, { options, colors }) => drawTree(root, { ...options, show: (node) => showEntry(node, colors) }),
};
