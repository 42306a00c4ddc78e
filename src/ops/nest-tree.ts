import { type DirectoryEntry, isBelow } from '../model/tree.ts';
import type { TreeFolder } from './tree-folder.ts';
import { describeEntry, type NestedNode, sizeOf } from './tree-node.ts';

/** Gives a folder of a tree with all that is in it. */
export function nestTree({ name, entry, entries }: TreeFolder): NestedNode {
  const open: OpenFolder[] = [{ entry, files: 0, bytes: 0, sub: [] }];
  for (const one of entries) {
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
