import { join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { foldsNames } from '../tree/folds-names.ts';
import { checkCollisions } from './check-collisions.ts';
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
  const paths = trees.source.map(({ path }) => path);
  await checkCollisions('The source', paths, destination, async () => true);
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
