import { parentPath } from '../model/tree.ts';
import type { Standing } from './standing.ts';
import type { Step } from './step.ts';

/**
 * Plans the folders of paths that come: gives a function that adds to `steps`, once, each folder above a path that is not there
 * or `goes`. It says whether they can be made: nothing is added where something stands in the place of one.
 */
export function createFolderPlanner(
  at: ReadonlyMap<string, Standing>,
  goes: ReadonlySet<string>,
  steps: Step[],
): (path: string) => boolean {
  const made = new Set<string>();
  return (path) => {
    const missing = foldersAbove(path).filter((folder) => at.get(folder)?.type !== 'directory' || goes.has(folder));
    if (missing.some((folder) => at.has(folder) && !goes.has(folder))) return false;
    for (const folder of missing.filter((one) => !made.has(one))) {
      made.add(folder);
      steps.push({ path: folder, after: { type: 'directory' } });
    }
    return true;
  };
}

/** Gives the folders that a path lies in, from the outmost. */
function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = parentPath(path); at !== ''; at = parentPath(at)) folders.unshift(at);
  return folders;
}
