import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { GypsumError, isSystemError } from './errors.ts';
import { fsPath } from './model/local-path.ts';
import { showText } from './model/text.ts';

/** How often a folder is tried to be made. */
const ATTEMPTS = 10;

/**
 * Makes a folder that somebody has named, with those above it that are missing; that it is there is fine. Throws
 * `invalid-argument` where the folder above is there and knows no new names, as in /proc and below automounts: Node's own
 * `recursive` tries for ever then.
 */
export function makeFolder(path: string, mode = 0o777): void {
  for (let attempt = 1; ; attempt++) {
    try {
      mkdirSync(fsPath(path), { mode });
      return;
    } catch (error) {
      if (isSystemError(error, 'EEXIST') && statSync(fsPath(path), { throwIfNoEntry: false })?.isDirectory()) return;
      const above = dirname(path);
      if (!isSystemError(error, 'ENOENT') || above === path) throw error;
      const isAbove = statSync(fsPath(above), { throwIfNoEntry: false }) !== undefined;
      // Others may make the folder above, or take it away, between two calls of ours: that it is there says little once.
      if (attempt === ATTEMPTS) throw isAbove ? refusesNames(path, error) : error;
      if (!isAbove) makeFolder(above, mode);
    }
  }
}

function refusesNames(path: string, cause: unknown): GypsumError {
  return new GypsumError(
    'invalid-argument',
    `The folder ${showText(path)} cannot be made: the one above it takes no new names.`,
    {
      hint: 'Name a folder on a disk, in which files can be made.',
      details: { path },
      cause,
    },
  );
}
