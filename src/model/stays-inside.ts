import type { PathResolver } from './realpath.ts';
import { parentPath } from './tree.ts';

/**
 * Whether a symlink leads to something in its tree, or to nothing there: never out of it, whatever is made in the tree later.
 * One that leads to itself is taken for one that leads out: a kernel follows more symlinks than we do.
 */
export function staysInside(resolver: PathResolver, { path, target }: { path: string; target: string }): boolean {
  const { kind } = resolver.resolve(`/${path}`);
  if (kind === 'found') return true;
  return (kind === 'missing' || kind === 'not-directory') && !ascends(parentPath(path), target);
}

/** Whether a text has more ".." than there are folders before them. */
function ascends(folder: string, target: string): boolean {
  let depth = folder === '' ? 0 : folder.split('/').length;
  for (const part of target.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
