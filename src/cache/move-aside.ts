import { randomUUID } from 'node:crypto';
import { renameSync, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fsPath } from '../model/local-path.ts';
import { statIfThere } from './blobs.ts';
import { makeCacheFolder } from './folders.ts';
import type { Layout } from './layout.ts';

/** Moves what stands at a path, whatever it is, to `damaged/`, and gives where it is then. It does not pause in between. */
export function setAside(layout: Layout, path: string): string {
  const target = layout.damaged(randomUUID(), basename(path));
  makeCacheFolder(layout, dirname(target));
  renameSync(fsPath(path), fsPath(target));
  return target;
}

/**
 * Moves what was found wrong out of the way: nothing else that somebody has put there since. A symlink holds nothing and is
 * left to be replaced.
 */
export function moveAside(layout: Layout, path: string, wrong = statIfThere(path)): string | undefined {
  if (wrong === undefined || wrong.isSymbolicLink() || !isStill(path, wrong)) return undefined;
  return setAside(layout, path);
}

/** Whether what stands at a path is what had these stats. */
export function isStill(path: string, { dev, ino, mtimeMs }: Stats): boolean {
  const stats = statIfThere(path);
  return stats?.dev === dev && stats.ino === ino && stats.mtimeMs === mtimeMs;
}
