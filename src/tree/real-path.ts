import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { isSystemError } from '../errors.ts';
import { decodePath, fsPath } from '../model/local-path.ts';

/** Gives an absolute path, also where the current folder's name is not UTF-8. */
export function absolutePath(path: string): string {
  if (isAbsolute(path) || !process.cwd().includes('\ufffd')) return resolve(path);
  return join(decodePath(realpathSync.native('.', 'buffer')), path);
}

/** Gives the real path of a file or folder, also where its last parts do not exist yet. */
export function realPath(path: string): string {
  const missing: string[] = [];
  for (let at = absolutePath(path); ; at = dirname(at)) {
    try {
      return join(decodePath(realpathSync.native(fsPath(at), 'buffer')), ...missing);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT') || dirname(at) === at) throw error;
      missing.unshift(basename(at));
    }
  }
}

/** Whether two real paths are the same, or one lies in the other. */
export function overlaps(a: string, b: string): boolean {
  const from = a.endsWith(sep) ? a : a + sep;
  const to = b.endsWith(sep) ? b : b + sep;
  return from.startsWith(to) || to.startsWith(from);
}
