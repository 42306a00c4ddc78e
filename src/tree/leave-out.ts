import { isBelow } from '../model/tree.ts';
import type { ReplicaEntry } from './replica-entry.ts';
import type { Listing, ListOptions } from './repository.ts';

/** Leaves out of a tree, in the order of `comparePaths`, what is to be skipped, with all that is below it. */
export function leaveOut<E extends ReplicaEntry>(
  entries: readonly E[],
  skip: ListOptions['skip'],
): { readonly entries: E[]; readonly left: Listing['left'] } {
  const left: string[] = [];
  const stay = entries.filter(({ path, type }) => {
    const above = left.at(-1);
    if (above !== undefined && isBelow(path, above)) return false;
    if (skip?.(path, type === 'directory') !== true) return true;
    left.push(path);
    return false;
  });
  return { entries: stay, left };
}
