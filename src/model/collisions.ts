import { parentPath } from './tree.ts';

/** Two names that are one where a file system folds case or normalises Unicode. */
export interface Collision {
  readonly path: string;
  readonly other: string;
}

/** Gives the files and folders of a list of paths that would meet on such a file system. */
export function findCollisions(paths: Iterable<string>): Collision[] {
  const first = new Map<string, string>();
  const seen = new Set<string>();
  const collisions: Collision[] = [];
  for (const file of paths) {
    // Whatever is above a path that was seen has been seen too.
    for (let path = file; path !== '' && !seen.has(path); path = parentPath(path)) {
      seen.add(path);
      const folded = foldName(path);
      const other = first.get(folded);
      if (other === undefined) first.set(folded, path);
      else collisions.push({ path, other });
    }
  }
  return collisions;
}

/** Gives one text for all names that some file system takes for the same. */
function foldName(name: string): string {
  // Nearly all names are ASCII, and normalising is what costs.
  return /^[\x20-\x7e]*$/.test(name) ? name.toLowerCase() : name.normalize('NFD').toLowerCase().normalize('NFC');
}
