import { readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { createPace, type Pace } from '../give-way.ts';
import { decodePath, fsPath } from '../model/local-path.ts';
import { statIfThere } from './blobs.ts';

export interface RemoveTreeOptions {
  signal?: AbortSignal | undefined;
  /** Names of files whose bytes are not to be counted. @default none */
  uncounted?: ReadonlySet<string>;
}

/**
 * Removes what stands at a path with all that is below, and gives the bytes that are free then: a file that has other
 * names is not. That another process does the same is fine.
 */
export function removeTree(path: string, { signal, uncounted = new Set() }: RemoveTreeOptions = {}): Promise<number> {
  return remove(path, uncounted, createPace(signal));
}

async function remove(path: string, uncounted: ReadonlySet<string>, pace: Pace): Promise<number> {
  if (pace.due()) await pace.rest();
  const stats = statIfThere(path);
  if (stats === undefined) return 0;
  try {
    if (!stats.isDirectory()) {
      unlinkSync(fsPath(path));
      return stats.isFile() && stats.nlink === 1 && !uncounted.has(basename(path)) ? stats.size : 0;
    }
    let freed = 0;
    for (const name of readdirSync(fsPath(path), { encoding: 'buffer' })) {
      freed += await remove(join(path, decodePath(name)), uncounted, pace);
    }
    rmdirSync(fsPath(path));
    return freed;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0;
    throw error;
  }
}
