import { lstatSync } from 'node:fs';
import { isGypsumError, isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { parentPath } from '../model/tree.ts';
import { setReplicaFacts } from './replica-facts.ts';
import type { Way } from './way.ts';

/** Lets the owner write to folders for as long as it takes. */
export interface Unlocker {
  /** Does something to entries; if that is not permitted, once more with the folders that they are in, or are, unlocked. */
  with<T>(paths: readonly string[], work: () => Promise<T>): Promise<T>;
  /** Has been told what mode a folder is to have. */
  forget(folder: string): void;
  /** Gives all others back what they had. */
  close(): void;
}

const WRITABLE = 0o700;

export function createUnlocker(way: Way): Unlocker {
  const modes = new Map<string, number>();
  const unlock = (folder: string): boolean => {
    const place = way.to(folder);
    const stats = lstatSync(fsPath(place), { throwIfNoEntry: false });
    if (!stats?.isDirectory() || (stats.mode & WRITABLE) === WRITABLE) return false;
    if (!modes.has(folder)) modes.set(folder, stats.mode & 0o1777);
    setReplicaFacts(place, 'directory', { mode: (stats.mode & 0o1777) | WRITABLE });
    return true;
  };
  return {
    async with(paths, work) {
      try {
        return await work();
      } catch (error) {
        if (!isSystemError(error, 'EACCES', 'EPERM')) throw error;
        const folders = paths.flatMap((path) => [parentPath(path), path]);
        // Each of them counts.
        if (!folders.map(unlock).includes(true)) throw error;
        return work();
      }
    },
    forget: (folder) => void modes.delete(folder),
    close() {
      for (const [folder, mode] of [...modes].reverse()) {
        try {
          setReplicaFacts(way.to(folder), 'directory', { mode });
        } catch (error) {
          // It is not there any more.
          if (!isSystemError(error, 'ENOENT', 'ENOTDIR') && !isGypsumError(error, 'file-changed')) throw error;
        }
      }
      modes.clear();
    },
  };
}
