import { type Dirent, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * Gives all that is below a folder, and goes through no symlink: from Node 22 on `readdirSync` with `recursive` goes through those that lead
 * to folders, around and around where one leads to a folder above it.
 */
export function entriesBelow(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry, ...entriesBelow(join(folder, entry.name))] : [entry],
  );
}

/** Gives the paths of all that is below a folder, as seen from it. */
export function pathsBelow(folder: string): string[] {
  return entriesBelow(folder).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
