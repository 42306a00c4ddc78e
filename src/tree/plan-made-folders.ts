import { entryAt, parentPath } from '../model/tree.ts';
import type { ReplicaEntry } from './replica-entry.ts';
import type { MakeFolder } from './replica-plan.ts';

/** Gives what makes the folders above a path, given which of them are there; nothing if something else is in the way. */
export function createFolderMaker(
  source: readonly ReplicaEntry[],
  destination: readonly ReplicaEntry[],
  made: Set<string>,
): (path: string) => MakeFolder[] | undefined {
  return (path) => {
    const missing: MakeFolder[] = [];
    for (let above = parentPath(path); above !== '' && !made.has(above); above = parentPath(above)) {
      const there = entryAt(destination, above);
      if (there?.type === 'directory') break;
      const folder = entryAt(source, above);
      if (there !== undefined || folder?.type !== 'directory') return undefined;
      missing.unshift(makeFolder(folder));
    }
    for (const { path: folder } of missing) made.add(folder);
    return missing;
  };
}

export function makeFolder({ path, mode, mtime }: Omit<MakeFolder, 'op'>): MakeFolder {
  return { op: 'mkdir', path, ...(mode !== undefined && { mode }), mtime };
}
