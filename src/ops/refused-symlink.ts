import type { StaleEntry } from '../model/version-tree.ts';

/** Says of a symlink that could not be made why it is not laid out. */
export function refusedSymlink(path: string, { message }: Error): StaleEntry {
  return { path, why: `is a symlink: ${message}` };
}
