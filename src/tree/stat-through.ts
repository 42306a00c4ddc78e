import { type Stats, statSync } from 'node:fs';
import { isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';

/** Gives the stats of what a path leads to, through every symlink; nothing if that is nothing. */
export function statThrough(path: string): Stats | undefined {
  try {
    return statSync(fsPath(path), { throwIfNoEntry: false });
  } catch (error) {
    if (isSystemError(error, 'ELOOP', 'ENOTDIR')) return undefined;
    throw error;
  }
}
