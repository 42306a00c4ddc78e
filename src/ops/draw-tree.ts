import { formatMode } from '../model/modes.ts';
import { showText } from '../model/text.ts';
import type { NestedNode, TreeNode } from './tree-node.ts';

export interface DrawOptions {
  /** Put modes, sizes and times before the names. @default false */
  details?: boolean;
  /** Gives an entry as it is shown. */
  show?: (node: TreeNode) => string;
}

/** Draws a folder with all that is in it, as the command `tree` of Unix does; a symlink to a folder counts as a folder. */
export function drawTree(root: NestedNode, { details = false, show = showNode }: DrawOptions = {}): string {
  const counts = { folders: 0, files: 0 };
  const lines = [showText(root.name)];
  const sizes = details ? String(root.size).length : 0;
  const draw = ({ sub = [] }: NestedNode, margin: string): void => {
    for (const [at, node] of sub.entries()) {
      const isLast = at === sub.length - 1;
      counts[isFolder(node) ? 'folders' : 'files']++;
      const facts = details ? showFacts(node, sizes) : '';
      lines.push(`${margin}${isLast ? '└── ' : '├── '}${facts}${show(node)}`);
      if (node.sub !== undefined) draw(node, margin + (isLast ? '    ' : '│   '));
    }
  };
  draw(root, '');
  const folders = counts.folders === 1 ? '1 directory' : `${counts.folders} directories`;
  return [...lines, '', `${folders}, ${counts.files === 1 ? '1 file' : `${counts.files} files`}`].join('\n');
}

/** Gives the name of an entry, and of a symlink the text. */
function showNode({ name, target }: TreeNode): string {
  return target === undefined ? showText(name) : `${showText(name)} -> ${showText(target)}`;
}

function isFolder({ type, targetType }: TreeNode): boolean {
  return type === 'directory' || targetType === 'dir';
}

function showFacts({ mode, size, mtime = '' }: TreeNode, sizes: number): string {
  const permissions = mode === undefined ? '----' : formatMode(mode);
  return `[${permissions} ${String(size).padStart(sizes)} ${mtime.slice(0, 'yyyy-mm-ddThh:mm:ss'.length).padEnd(19, '-')}] `;
}
