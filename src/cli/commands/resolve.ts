import { type Resolved, realpath } from '../../model/realpath.ts';
import { showText } from '../../model/text.ts';
import { nameInTree, pathError } from '../../ops/find-in-tree.ts';
import type { ReadTree } from '../../ops/read-tree.ts';
import type { Command } from '../command.ts';
import { openNamed, TREE_ARGUMENT } from '../open-tree.ts';

type Resolution = Pick<ReadTree, 'ref' | 'root'> & { readonly asked: string; readonly resolved: Resolved };

export const resolve: Command<Resolution> = {
  usage: `resolve ${TREE_ARGUMENT}`,
  summary: 'Show where a path in a version or a local folder leads, symlink by symlink',
  example: 'gypsum resolve my-project/my-asset/v1:/table.csv',
  async run(call) {
    const { tree, path } = await openNamed(call, 'trace');
    const { ref, root } = tree;
    return { ...(ref && { ref }), ...(root !== undefined && { root }), asked: path, resolved: realpath(tree, path) };
  },
  human(resolution) {
    const { asked, resolved } = resolution;
    const steps = resolved.steps.map(({ path, target, becomes }) => [
      `  /${showText(path)} -> ${showText(target)}`,
      `    ${showText(becomes)}`,
    ]);
    const end =
      resolved.kind === 'found' ? [`/${showText(resolved.path)} (${resolved.entry?.type ?? 'directory'})`] : [];
    return [nameInTree(resolution, asked), ...steps.flat(), ...end].join('\n');
  },
  check(resolution) {
    const { asked, resolved } = resolution;
    if (resolved.kind !== 'found') throw pathError(resolution, asked, resolved);
  },
};
