import type { CloneMode } from '../model/clone-mode.ts';
import { freshName, isRefusal, type PutFile, putFile, removeIfThere } from './put-file.ts';

/** Those that cost no space come first; a copy works anywhere. */
const BY_PREFERENCE = ['symlink', 'reflink', 'hardlink'] as const;

/** Says which is the best way to put a file into a folder: each is tried there once, in turn, until one works. */
export function chooseMode(folder: string, source: string, put: PutFile = putFile): CloneMode {
  return BY_PREFERENCE.find((mode) => works(mode, folder, source, put)) ?? 'copy';
}

/** Says whether a folder can have symlinks. */
export function takesSymlinks(folder: string, put: PutFile = putFile): boolean {
  // What one leads to does not matter.
  return works('symlink', folder, folder, put);
}

function works(mode: (typeof BY_PREFERENCE)[number], folder: string, source: string, put: PutFile): boolean {
  const probe = freshName(folder);
  try {
    put[mode](source, probe);
  } catch (error) {
    if (isRefusal(mode, error)) return false;
    throw error;
  } finally {
    removeIfThere(probe);
  }
  return true;
}
