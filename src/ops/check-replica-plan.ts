import { join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { findCollisions } from '../model/collisions.ts';
import { showLines, showText } from '../model/text.ts';
import { foldsNames } from '../tree/folds-names.ts';
import type { ReplicaFolders } from './check-replica-folders.ts';
import type { PreparedReplica } from './prepare-replica.ts';
import type { SyncOptions } from './sync-options.ts';

/** Throws `destination-refused` before anything is lost. */
export async function checkReplicaPlan(
  { destination, isMissing }: ReplicaFolders,
  { trees, plan }: PreparedReplica,
  { force = false, dryRun = false }: SyncOptions,
): Promise<void> {
  const total = trees.destination.length;
  if (!force && plan.removed * 2 > total) {
    throw new GypsumError(
      'destination-refused',
      `${plan.removed.toLocaleString('en')} of the ${total.toLocaleString('en')} entries of ${showText(destination)} would go, more than half: nothing was done.`,
      {
        hint: 'Are these the folders that you mean? Then say so with force (--force).',
        details: { removed: plan.removed, total },
      },
    );
  }
  const isNew = plan.operations.some(({ op }) => op === 'create' || op === 'mkdir' || op === 'link');
  // To find out, something has to be made there.
  if (!isNew || dryRun || !(await foldsNamesIn(isMissing ? join(destination, '..') : destination))) return;
  const collisions = findCollisions(trees.source.map(({ path }) => path));
  if (collisions.length === 0) return;
  const names = collisions.map(({ path, other }) => `${showText(other)} and ${showText(path)}`);
  throw new GypsumError(
    'destination-refused',
    `The source has names that the file system of ${showText(destination)} takes for the same:${showLines(names, 5)}`,
    { hint: 'Use a folder on a file system that tells upper from lower case.', details: { destination, collisions } },
  );
}

async function foldsNamesIn(folder: string): Promise<boolean> {
  try {
    return await foldsNames(folder);
  } catch (error) {
    // It cannot be found out before the folder is made writable.
    if (isSystemError(error, 'EACCES', 'EPERM')) return false;
    throw error;
  }
}
