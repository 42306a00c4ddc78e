import type { Stats } from 'node:fs';
import { fingerprintOf } from '../model/fingerprint.ts';
import { isPlaceIn } from '../model/local-path.ts';
import type { Look } from './scan-list.ts';
import { statThrough } from './stat-through.ts';

/** Looks at the files that symlinks lead to which have their own path in a folder. */
export function createLook(home: string): Look {
  return ({ path, target }) => {
    const stats = isPlaceIn(target, home, path) ? statIfPossible(target) : undefined;
    return stats?.isFile() ? fingerprintOf(stats) : undefined;
  };
}

/** Whoever needs more looks at it once more, and learns why. */
function statIfPossible(path: string): Stats | undefined {
  try {
    return statThrough(path);
  } catch {
    return undefined;
  }
}
