import { randomUUID } from 'node:crypto';
import { renameSync } from 'node:fs';
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

/** Moves what is not what it must be out of the way; a symlink holds nothing and is left to be replaced. */
export function moveAside(layout: Layout, path: string): string | undefined {
  const stats = statIfThere(path);
  return stats === undefined || stats.isSymbolicLink() ? undefined : setAside(layout, path);
}
