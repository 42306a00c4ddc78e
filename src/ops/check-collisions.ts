import { GypsumError } from '../errors.ts';
import { findCollisions } from '../model/collisions.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import { showLines, showText } from '../model/text.ts';
import { foldsNames } from '../tree/folds-names.ts';

/** How many names a message shows; `details` has all. */
const NAMED = 5;

/** Throws `destination-refused` if names of a version, of a folder made of it, or of a source are one and the same on the file system of a folder. */
export async function checkCollisions(
  owner: VersionRef | 'The source',
  paths: readonly string[],
  folder: string,
  folds: (folder: string) => Promise<boolean> = foldsNames,
): Promise<void> {
  const collisions = findCollisions(paths);
  if (collisions.length === 0 || !(await folds(folder))) return;
  const named = collisions.map(({ path, other }) => `${showText(other)} and ${showText(path)}`);
  throw new GypsumError(
    'destination-refused',
    `${typeof owner === 'string' ? owner : formatRef(owner)} has names that the file system of ${showText(folder)} takes for the same:${showLines(named, NAMED)}`,
    { hint: 'Use a folder on a file system that tells upper from lower case.', details: { folder, collisions } },
  );
}
