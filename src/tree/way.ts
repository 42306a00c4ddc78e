import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { parentPath } from '../model/tree.ts';

/** Leads to the entries of a folder, for whoever writes: through folders of its own only, never through a symlink. */
export interface Way {
  /** Gives where an entry is, or throws `file-changed` if a symlink stands on the way. */
  to(path: string): string;
  /** Looks at all folders again: others may have had their turn. */
  forget(): void;
}

export function createWay(root: string): Way {
  let known = '';
  const check = (folder: string): void => {
    if (folder === '' || folder === known) return;
    check(parentPath(folder));
    if (isSymlink(join(root, folder))) throw ledAway(root, folder);
  };
  return {
    to(path) {
      const folder = parentPath(path);
      check(folder);
      known = folder;
      return join(root, path);
    },
    forget() {
      known = '';
    },
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
