import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { exists } from './exists.ts';

/**
 * Gives the folder that stays in the folder of objects also where there is no object: a disk that is not mounted leaves
 * a folder with nothing in it, and so the two are told apart.
 */
export function lastingFolder(objects: string): string {
  return join(objects, '..logs');
}

/** Throws `unavailable` where a storage has lost its objects: they were moved away, or their disk is not mounted. */
export async function checkObjects(folder: string): Promise<void> {
  const objects = join(folder, 'objects');
  // What was copied from a bucket has objects, and no folder that is empty.
  if ((await exists(lastingFolder(objects))) || (await holdsAnything(objects))) return;
  // It is an answer of the registry too: the path is for its administrator.
  throw new GypsumError(
    'unavailable',
    'The objects of the registry are gone: its folder "objects" is missing or empty.',
    {
      hint: `See whether the disk is mounted that has ${objects}, or bring that back from a backup.`,
      details: { objects },
    },
  );
}

async function holdsAnything(path: string): Promise<boolean> {
  try {
    const folder = await opendir(path);
    try {
      return (await folder.read()) !== null;
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
