import { readdirSync } from 'node:fs';
import { isSystemError } from '../errors.ts';

/** Gives what stands in a folder, each with its type; nothing if it is not there, or has been tidied away meanwhile. */
export function entriesIn(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
