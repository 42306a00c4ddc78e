import { comparePaths, type Entry } from '../model/tree.ts';

/** What stands at one path in two trees; one side may have nothing there. */
export interface Pair<L, R> {
  readonly path: string;
  readonly left?: L;
  readonly right?: R;
}

/** Walks two trees side by side, each in the order of `comparePaths`, and gives every path that is in either, in order. */
export function* compareTrees<L extends HasPath, R extends HasPath>(
  left: Iterable<L>,
  right: Iterable<R>,
): Generator<Pair<L, R>> {
  const lefts = left[Symbol.iterator]();
  const rights = right[Symbol.iterator]();
  const next = <T>(entries: Iterator<T>): T | undefined => {
    const { done, value } = entries.next();
    return done ? undefined : value;
  };
  let a = next(lefts);
  let b = next(rights);
  while (a !== undefined || b !== undefined) {
    const order = a === undefined ? 1 : b === undefined ? -1 : comparePaths(a.path, b.path);
    if (order < 0 && a !== undefined) yield { path: a.path, left: a };
    else if (order > 0 && b !== undefined) yield { path: b.path, right: b };
    else if (a !== undefined && b !== undefined) yield { path: a.path, left: a, right: b };
    if (order <= 0) a = next(lefts);
    if (order >= 0) b = next(rights);
  }
}

interface HasPath {
  readonly path: string;
}

/** Whether two entries are the same thing: a folder, a symlink with the same text, or a file known to have the same content. */
export function sameEntry(a: Entry, b: Entry): boolean {
  if (a.type === 'directory') return b.type === 'directory';
  if (a.type === 'symlink') return b.type === 'symlink' && a.target === b.target;
  if (a.type === 'file' && b.type === 'file') {
    return a.digest !== undefined && a.digest.hex === b.digest?.hex && a.size === b.size;
  }
  return false;
}
