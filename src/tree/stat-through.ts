import { type Stats, statSync } from 'node:fs';
import { isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { reach } from './places.ts';

/** Gives the stats of what a path leads to, through every symlink; nothing if that is nothing. */
export function statThrough(path: string): Stats | undefined {
  try {
    return reach(path, (place) => statSync(fsPath(place), { throwIfNoEntry: false }));
  } catch (error) {
    if (isSystemError(error, 'ELOOP', 'ENOTDIR')) return undefined;
    throw error;
  }
}
