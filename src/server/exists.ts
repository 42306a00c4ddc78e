import { stat } from 'node:fs/promises';
import { isSystemError } from '../errors.ts';

/** Whether anything is at a path; what cannot be looked at is an error. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
