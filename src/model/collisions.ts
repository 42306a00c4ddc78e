import { parentPath } from './tree.ts';

/** Two names that are one where a file system folds case or normalises Unicode. */
export interface Collision {
  readonly path: string;
  readonly other: string;
}

/**
 * Gives the files and folders of a list of paths that would meet on such a file system. What
 * meets has the same hash, and only names whose hash others have are kept. Those of a million would take 200 MiB.
 */
export function findCollisions(paths: readonly string[]): Collision[] {
  const suspects = hashesOfTwo(paths);
  if (suspects.size === 0) return [];
  const first = new Map<string, string>();
  const seen = new Set<string>();
  const collisions: Collision[] = [];
  for (const path of withFolders(paths)) {
    const folded = foldName(path);
    if (!suspects.has(hash(folded)) || seen.has(path)) continue;
    seen.add(path);
    const other = first.get(folded);
    if (other === undefined) first.set(folded, path);
    else collisions.push({ path, other });
  }
  return collisions;
}

/** Gives the hashes that more than one name has. */
function hashesOfTwo(paths: readonly string[]): Set<number> {
  let hashes = new Uint32Array(1024);
  let count = 0;
  for (const path of withFolders(paths)) {
    if (count === hashes.length) {
      const more = new Uint32Array(count * 2);
      more.set(hashes);
      hashes = more;
    }
    hashes[count++] = hash(foldName(path));
  }
  const sorted = hashes.subarray(0, count).sort();
  return new Set(sorted.filter((value, at) => value === sorted[at + 1]));
}

/** Gives paths, each after itself with the folders above it that were not given yet. */
function* withFolders(paths: readonly string[]): Generator<string> {
  const seen = new Set<string>();
  for (const file of paths) {
    yield file;
    // Whatever is above a folder that was seen has been seen too.
    for (let path = parentPath(file); path !== '' && !seen.has(path); path = parentPath(path)) {
      seen.add(path);
      yield path;
    }
  }
}

/** FNV-1a: good enough, since two names with one hash are looked at. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

/** Gives one text for all names that some file system takes for the same. */
function foldName(name: string): string {
  // Nearly all names are ASCII, and normalising is what costs.
  return /^[\x20-\x7e]*$/.test(name) ? name.toLowerCase() : name.normalize('NFD').toLowerCase().normalize('NFC');
}
