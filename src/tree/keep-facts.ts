import { closeSync, constants, fchmodSync, lutimesSync, openSync } from 'node:fs';
import type { Pace } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';
import { parseMtime } from '../model/mtime.ts';
import type { EntryFacts } from '../model/tree.ts';
import { fileTime } from './file-time.ts';
import { createWay } from './way.ts';

/** An entry of a folder, and what it is to have beside its content. */
export interface Kept extends EntryFacts {
  readonly path: string;
  readonly type: 'file' | 'symlink' | 'directory';
}

/**
 * Gives the entries of a folder their modes and times, of symlinks their own: the last ones first, so that what is in a folder has
 * its own before the folder, whose time that would change and whose mode may forbid it.
 */
export async function keepFacts(root: string, entries: readonly Kept[], pace: Pace): Promise<void> {
  const way = createWay(root);
  try {
    for (const entry of entries.toReversed()) {
      setFacts(way.to(entry.path), entry);
      if (!pace.due()) continue;
      await pace.rest();
      way.forget();
    }
  } finally {
    way.close();
  }
}

function setFacts(place: string, { type, mode, mtime }: Kept): void {
  const isModeKept = mode !== undefined && type !== 'symlink' && process.platform !== 'win32';
  if (isModeKept) setMode(place, type, mode);
  const since = mtime === undefined ? undefined : parseMtime(mtime);
  if (since === undefined) return;
  const time = fileTime(since);
  lutimesSync(fsPath(place), time, time);
}

/** No symlink that somebody has put there meanwhile is followed. */
function setMode(place: string, type: 'file' | 'directory', mode: number): void {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | (type === 'directory' ? constants.O_DIRECTORY : 0);
  const fd = openSync(fsPath(place), flags);
  try {
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}
