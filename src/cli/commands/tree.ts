import { drawTree } from '../../ops/draw-tree.ts';
import { nestTree } from '../../ops/nest-tree.ts';
import { folderOf, type TreeFolder } from '../../ops/tree-folder.ts';
import { argument, type Command } from '../command.ts';
import { showEntry } from '../entry-text.ts';
import { openNamed, TREE_ARGUMENT } from '../open-tree.ts';

export const tree: Command<TreeFolder, { details?: boolean }> = {
  usage: `tree ${TREE_ARGUMENT}`,
  summary: 'Draw a folder of a version, or a local one, with all that is in it',
  example: 'gypsum tree my-project/my-asset/v1 --details',
  flags: [{ flags: '-d, --details', description: 'show modes, sizes and times' }],
  async run(call) {
    const opened = await openNamed(call);
    return folderOf(opened.tree, opened.path, argument(call.args, 0));
  },
  json: nestTree,
  human: (folder, { options, colors }) =>
    drawTree(folder, { ...options, show: (name, entry) => showEntry(name, entry, colors) }),
};
