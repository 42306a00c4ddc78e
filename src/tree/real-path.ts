import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';
import { isSystemError } from '../errors.ts';
import { decodePath, fsPath } from '../model/local-path.ts';
import { createSymlinkResolver } from './resolve-symlink.ts';
import { statThrough } from './stat-through.ts';

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
      const deep = isSystemError(error, 'ENAMETOOLONG') ? followAll(at) : undefined;
      if (deep !== undefined) return join(deep, ...missing);
      if (!isSystemError(error, 'ENOENT') || dirname(at) === at) throw error;
      missing.unshift(basename(at));
    }
  }
}

/** Follows every symlink of a path that is too long for the kernel, or leads to one that is; nothing if it leads nowhere. */
function followAll(path: string): string | undefined {
  const to = createSymlinkResolver().resolve(parse(path).root, path);
  return to.type === 'outside' && to.exists && statThrough(to.path) !== undefined ? to.path : undefined;
}

/** Whether a real path is that of a folder, or lies in it. */
export function liesIn(path: string, folder: string): boolean {
  return withEnd(path).startsWith(withEnd(folder));
}

/** Whether two real paths are the same, or one lies in the other. */
export function overlaps(a: string, b: string): boolean {
  return liesIn(a, b) || liesIn(b, a);
}

function withEnd(path: string): string {
  return path.endsWith(sep) ? path : path + sep;
}
