import { lstatSync, statSync } from 'node:fs';
import { isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { formatMtime } from '../model/mtime.ts';
import type { EntryFacts, TargetType } from '../model/tree.ts';

/** Gives what a folder keeps of an entry beside its content, and its size; no mode where the system has none, as for symlinks. */
export function readFacts(place: string): { readonly size: number; readonly facts: EntryFacts } {
  const stats = lstatSync(fsPath(place), { bigint: true });
  const mtime = formatMtime(stats.mtimeNs);
  const hasMode = process.platform !== 'win32' && !stats.isSymbolicLink();
  const facts = { ...(hasMode && { mode: Number(stats.mode & 0o777n) }), ...(mtime !== undefined && { mtime }) };
  return { size: Number(stats.size), facts };
}

/** Follows a symlink to see what it leads to now. */
export function readTargetType(place: string): TargetType {
  try {
    return statSync(fsPath(place)).isDirectory() ? 'dir' : 'file';
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG', 'EPERM')) return 'unknown';
    throw error;
  }
}
