import prettyBytes from 'pretty-bytes';
import { showText } from '../../model/text.ts';
import { findInTree, nameInTree } from '../../ops/find-in-tree.ts';
import { listTree } from '../../ops/list-tree.ts';
import type { ReadTree } from '../../ops/read-tree.ts';
import { describeEntry, type TreeNode } from '../../ops/tree-node.ts';
import type { Command } from '../command.ts';
import { showMode, showTime } from '../entry-text.ts';
import { openNamed, TREE_ARGUMENT } from '../open-tree.ts';
import { count } from '../text.ts';

type Stat = Pick<ReadTree, 'ref' | 'root'> & { readonly path: string } & TreeNode;

export const stat: Command<Stat> = {
  usage: `stat ${TREE_ARGUMENT}`,
  summary: 'Show one file, folder or symlink of a version or a local folder; a symlink itself, not what it leads to',
  example: 'gypsum stat my-project/my-asset/v1:/table.csv',
  async run(call) {
    const { tree, path } = await openNamed(call, 'show');
    const { path: at, entry } = findInTree(tree, path, { keepLast: true });
    const below = entry.type === 'directory' ? listTree(tree, `/${at}`).total : undefined;
    const { ref, root } = tree;
    return { ...(ref && { ref }), ...(root !== undefined && { root }), path: `/${at}`, ...describeEntry(entry, below) };
  },
  human(stat) {
    const { path, type, size, files, md5sum, target, targetType, mode, mtime } = stat;
    const rows = [
      ['type', type],
      ['target', target === undefined ? '' : `${showText(target)} (${LED_TO[targetType ?? 'unknown']})`],
      ['files', files === undefined ? '' : count(files, 'file')],
      ['size', target === undefined ? prettyBytes(size) : ''],
      ['MD5', md5sum ?? ''],
      ['mode', showMode(mode)],
      ['modified', showTime(mtime)],
    ];
    const lines = rows.filter(([, value]) => value !== '').map(([name = '', value]) => `  ${name.padEnd(8)}  ${value}`);
    return [nameInTree(stat, path), ...lines].join('\n');
  },
};

const LED_TO = { dir: 'a folder', file: 'a file', unknown: 'leads nowhere' };
