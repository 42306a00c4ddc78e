import { comparePaths, entriesBelow, entryAt, joinPath, nameOf, parentPath } from '../model/tree.ts';
import { compareTrees } from './compare.ts';
import { pairByContent } from './pair-moved.ts';
import type { ReplicaEntry, ReplicaFile } from './replica-entry.ts';

/** A folder of a replica that has another path in the source. */
export interface MovedFolder {
  readonly from: string;
  readonly to: string;
}

type Entries = readonly ReplicaEntry[];

/**
 * Finds folders that have moved, the outermost ones: most files of one that is gone are known to be those of one that is
 * new. `isLeft` says of a folder that something in it is to stay where it is.
 */
export function findMovedFolders(
  source: Entries,
  destination: Entries,
  isLeft: (folder: string) => boolean,
): MovedFolder[] {
  // Of a replica that is looked at for the first time, nothing is known but what is in doubt, which is mostly nothing.
  if (!source.some(isKnown)) return [];
  const added: ReplicaFile[] = [];
  const removed: ReplicaFile[] = [];
  const fresh = new Set<string>();
  const gone = new Set<string>();
  for (const { path, left, right } of compareTrees(source, destination)) {
    if (left?.type === 'directory' && right === undefined) fresh.add(path);
    if (right?.type === 'directory' && left?.type !== 'directory') gone.add(path);
    if (left?.type === 'file' && right === undefined && left.digest !== undefined) added.push(left);
    if (right?.type === 'file' && left?.type !== 'file' && right.digest !== undefined) removed.push(right);
  }
  if (fresh.size === 0 || gone.size === 0) return [];
  const votes = new Map<string, { move: MovedFolder; files: number }>();
  for (const [to, from] of pairByContent(removed, added, contentOf)) {
    const move = outermost(to.path, from.path, fresh, gone);
    if (move === undefined) continue;
    const key = `${move.from}\0${move.to}`;
    const vote = votes.get(key);
    if (vote === undefined) votes.set(key, { move, files: 1 });
    else vote.files++;
  }
  const sources = new Apart();
  const targets = new Apart();
  const found: MovedFolder[] = [];
  for (const { move, files } of [...votes.values()].sort((a, b) => b.files - a.files)) {
    const { from, to } = move;
    const inIt = entriesBelow(destination, from).filter(({ type }) => type === 'file').length;
    if (files * 2 <= inIt || isLeft(from) || !isReachable(to, destination)) continue;
    if (!sources.isApart(from) || !targets.isApart(to)) continue;
    sources.add(from);
    targets.add(to);
    found.push(move);
  }
  return found.sort((a, b) => comparePaths(a.from, b.from));
}

function isKnown(entry: ReplicaEntry): boolean {
  return entry.type === 'file' && entry.digest !== undefined;
}

export function contentOf({ size, digest }: ReplicaFile): string {
  return `${digest}/${size}`;
}

/** Goes up as long as the names are the same. */
function outermost(to: string, from: string, fresh: ReadonlySet<string>, gone: ReadonlySet<string>) {
  let move: MovedFolder | undefined;
  let [above, before] = [parentPath(to), parentPath(from)];
  while (fresh.has(above) && gone.has(before)) {
    move = { from: before, to: above };
    if (nameOf(above) !== nameOf(before)) break;
    [above, before] = [parentPath(above), parentPath(before)];
  }
  return move;
}

/** Whether what stands above a path in the replica is folders alone, as far as there is anything. */
function isReachable(path: string, destination: Entries): boolean {
  for (let above = parentPath(path); above !== ''; above = parentPath(above)) {
    const there = entryAt(destination, above);
    if (there !== undefined) return there.type === 'directory';
  }
  return true;
}

/** Folders none of which lies in another. */
class Apart {
  readonly #folders = new Set<string>();
  readonly #above = new Set<string>();

  isApart(folder: string): boolean {
    if (this.#above.has(folder)) return false;
    for (let at = folder; at !== ''; at = parentPath(at)) if (this.#folders.has(at)) return false;
    return true;
  }

  add(folder: string): void {
    this.#folders.add(folder);
    for (let at = parentPath(folder); at !== ''; at = parentPath(at)) this.#above.add(at);
  }
}

/** Gives the tree as it is once its folders have moved; they are in the order of where they come from. */
export function relocate(tree: Entries, moves: readonly MovedFolder[]): ReplicaEntry[] {
  let at = 0;
  const moved = tree.map((entry) => {
    const { path } = entry;
    for (let move = moves[at]; move !== undefined; move = moves[++at]) {
      if (path === move.from || path.startsWith(`${move.from}/`)) {
        return { ...entry, path: joinPath(move.to, path.slice(move.from.length + 1)) };
      }
      if (comparePaths(path, move.from) < 0) return entry;
    }
    return entry;
  });
  return moved.sort((a, b) => comparePaths(a.path, b.path));
}
