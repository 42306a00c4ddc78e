import type { Buffer } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { isSystemError } from '../errors.ts';

/** Gives the text of a small file of the cache; nothing if it is not there. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return (await readBytesIfThere(path))?.toString('utf8');
}

/** Gives what a file of the cache holds; nothing if it is not there. */
export async function readBytesIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
