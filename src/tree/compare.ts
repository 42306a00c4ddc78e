import { comparePaths, type Entry } from '../model/tree.ts';

/** What stands at one path in two trees; one side may have nothing there. */
export interface Pair<E> {
  readonly path: string;
  readonly left?: E;
  readonly right?: E;
}

/** Walks two trees side by side and gives every path that is in either, in order. */
export function* compareTrees<E extends Entry>(left: readonly E[], right: readonly E[]): Generator<Pair<E>> {
  let l = 0;
  let r = 0;
  for (;;) {
    const a = left[l];
    const b = right[r];
    if (a === undefined && b === undefined) return;
    const order = a === undefined ? 1 : b === undefined ? -1 : comparePaths(a.path, b.path);
    if (order <= 0) l++;
    if (order >= 0) r++;
    if (order < 0 && a) yield { path: a.path, left: a };
    else if (order > 0 && b) yield { path: b.path, right: b };
    else if (a && b) yield { path: a.path, left: a, right: b };
  }
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
