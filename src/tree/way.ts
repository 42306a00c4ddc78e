import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { isBelow, parentPath } from '../model/tree.ts';
import { createPlaces } from './places.ts';

/** Leads to the entries of a folder, for whoever writes: through folders of its own only, never through a symlink. */
export interface Way {
  /** Gives where an entry is, or throws `file-changed` if a symlink stands on the way. */
  to(path: string): string;
  /** Looks at all folders again, and finds them again: others may have had their turn, or have had it for long. */
  forget(isLong?: boolean): void;
  /** Lets go of what is open. */
  close(): void;
}

export function createWay(root: string): Way {
  let known = '';
  // Units: milliseconds
  let since = performance.now();
  let spent = 0;
  const places = createPlaces(root);
  const check = (folder: string): void => {
    // What lies above a folder that was looked at was looked at, too.
    if (folder === '' || folder === known || isBelow(known, folder)) return;
    check(parentPath(folder));
    if (isSymlink(places.to(folder))) throw ledAway(root, folder);
  };
  return {
    to(path) {
      const folder = parentPath(path);
      if (folder !== known) {
        const start = performance.now();
        check(folder);
        spent += performance.now() - start;
        known = folder;
      }
      return places.to(path);
    },
    forget(isLong = false) {
      const now = performance.now();
      // Thousands of folders in one another take longer to look at than others have their turn.
      if (!isLong && now - since < 10 * spent) return;
      [since, spent] = [now, 0];
      known = '';
      places.close();
    },
    close: () => places.close(),
  };
}

function isSymlink(path: string): boolean {
  try {
    return lstatSync(fsPath(path), { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch (error) {
    // Nothing can be written below a file; whoever tries is told.
    if (isSystemError(error, 'ENOTDIR')) return false;
    throw error;
  }
}

function ledAway(root: string, folder: string): GypsumError {
  return new GypsumError(
    'file-changed',
    `${showText(join(root, folder))} is a symlink by now: it was a folder before.`,
    {
      hint: 'Nothing was written through it. Say what is to be done once more: it is planned anew.',
      details: { directory: root, path: folder },
    },
  );
}
