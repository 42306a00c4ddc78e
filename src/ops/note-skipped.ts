import { lstatSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fsPath } from '../model/local-path.ts';
import { joinPath } from '../model/tree.ts';
import { formatTreeRecord, type RecordSymlink, TREE_RECORD } from '../model/tree-record.ts';
import { freshName, removeIfThere } from '../tree/put-file.ts';
import { createWay } from '../tree/way.ts';

/**
 * Writes a tree record of symlinks that could not be made into the folder that they belong into, unless there is something of
 * that name: who puts the folder finds them there, so that they stay symlinks. No other record of a folder stands for what is not there.
 */
export function noteSkipped(root: string, folder: string, symlinks: readonly RecordSymlink[]): void {
  const way = createWay(root);
  try {
    const place = way.to(joinPath(folder, TREE_RECORD));
    if (lstatSync(fsPath(place), { throwIfNoEntry: false }) !== undefined) return;
    const fresh = freshName(dirname(place));
    try {
      writeFileSync(fsPath(fresh), formatTreeRecord({ entries: symlinks, notMade: true }), { flag: 'wx' });
      renameSync(fsPath(fresh), fsPath(place));
    } finally {
      removeIfThere(fresh);
    }
  } finally {
    way.close();
  }
}
