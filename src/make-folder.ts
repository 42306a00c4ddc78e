import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { GypsumError, isSystemError } from './errors.ts';
import { fsPath } from './model/local-path.ts';
import { showText } from './model/text.ts';

/**
 * Makes a folder that somebody has named, with those above it that are missing; that it is there is fine. Throws
 * `invalid-argument` where the folder above is there and knows no new names, as in /proc and below automounts: Node's own
 * `recursive` tries for ever then.
 */
export function makeFolder(path: string, mode = 0o777): void {
  try {
    mkdirSync(fsPath(path), { mode });
  } catch (error) {
    if (isSystemError(error, 'EEXIST') && statSync(fsPath(path), { throwIfNoEntry: false })?.isDirectory()) return;
    const above = dirname(path);
    if (!isSystemError(error, 'ENOENT') || above === path) throw error;
    if (statSync(fsPath(above), { throwIfNoEntry: false }) !== undefined) throw refusesNames(path, error);
    makeFolder(above, mode);
    // What was made just now may be taken away again by somebody else; that is an error like any other.
    mkdirSync(fsPath(path), { recursive: true, mode });
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
