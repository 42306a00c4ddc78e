import { readFile } from 'node:fs/promises';
import { isSystemError } from '../errors.ts';

/** Gives the text of a small file of the cache; nothing if it is not there. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
