import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { showList, showText } from '../model/text.ts';
import { parentPath } from '../model/tree.ts';
import type { ReplicaEntry } from '../tree/replica-entry.ts';
import type { Listing, Repository } from '../tree/repository.ts';
import { failureOf } from './sync-failure.ts';
import type { SyncFailure, SyncResult } from './sync-result.ts';

/** Two trees that can be compared, and what is to be told of them. */
export interface BothTrees {
  readonly source: readonly ReplicaEntry[];
  readonly destination: readonly ReplicaEntry[];
  /** Paths of the destination that stand in neither tree, and stay as they are. */
  readonly left: readonly string[];
  readonly skipped: SyncResult['skipped'];
  readonly failures: readonly SyncFailure[];
  /** What killed processes have left in the destination. */
  readonly leftovers: readonly string[];
  /** Inodes of the source's files that have several names. */
  readonly shared: ReadonlySet<string>;
}

export interface ListBothOptions extends CallOptions {
  /** Says what is left out on both sides. */
  skip: (path: string, isFolder: boolean) => boolean;
  /** Give files their stamps. @default false */
  stamps?: boolean;
  /** Has digests of files, and what was seen the time before. */
  memory?: TreeMemory | undefined;
}

/** What is known of both trees from the time before. */
export interface TreeMemory {
  digestOf(stamp: string): string | undefined;
  /** Gives what was seen of one of them. */
  before(side: 'source' | 'destination'): readonly ReplicaEntry[];
}

/**
 * Lists a source and its replica; the latter may not be there yet. What cannot be read on one side is left alone on the other.
 * Throws `invalid-argument` if a folder is in both.
 */
export async function listBoth(
  from: Repository,
  to: Repository | undefined,
  { memory, ...options }: ListBothOptions,
): Promise<BothTrees> {
  const how = { ...options, digestOf: memory?.digestOf };
  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  // While a source is read, its replica may be read, too: nearly all of its folders are those.
  const onFolder = options.stamps ? undefined : (path: string, entries: number) => to?.expect?.(path, entries);
  const source = await from.list({ ...how, before: memory?.before('source'), onFolder });
  const there = memory?.before('destination') ?? [];
  // Of a replica that is seen for the first time, most is what its source has.
  const destination = (await to?.list({ ...how, before: there.length === 0 ? source.entries : there })) ?? EMPTY;
  options.onEvent?.({ type: 'end', task: 'scan' });
  const unreadable = [...source.unreadable, ...destination.unreadable];
  const known = createFilter(unreadable.map(({ path }) => path));
  const trees = { source: known(source.entries), destination: known(destination.entries) };
  checkApart(trees);
  const special = trees.source.filter(({ type }) => type === 'special');
  return {
    source: special.length === 0 ? trees.source : trees.source.filter(({ type }) => type !== 'special'),
    destination: trees.destination,
    left: destination.left,
    skipped: [
      ...special.map(({ path }) => ({ path, why: 'is a FIFO, a socket or a device' })),
      ...source.unfollowed.map(({ path, why }) => ({ path, why: `is not followed: it ${why}` })),
    ],
    failures: unreadable.map(({ path, error }) => failureOf(path, error)),
    leftovers: destination.leftovers,
    shared: sharedInodes(trees.source),
  };
}

const EMPTY: Listing = { entries: [], left: [], unreadable: [], unfollowed: [], leftovers: [] };

/** Gives what takes from a tree what is not below any of some folders. */
function createFilter(folders: readonly string[]): (tree: readonly ReplicaEntry[]) => readonly ReplicaEntry[] {
  if (folders.length === 0) return (tree) => tree;
  const unknown = new Set(folders);
  const isKnown = ({ path }: ReplicaEntry) => {
    for (let at = parentPath(path); at !== ''; at = parentPath(at)) if (unknown.has(at)) return false;
    return true;
  };
  return (tree) => tree.filter(isKnown);
}

function sharedInodes(tree: readonly ReplicaEntry[]): ReadonlySet<string> {
  const inodes = new Set<string>();
  for (const entry of tree) if (entry.type === 'file' && entry.inode !== undefined) inodes.add(entry.inode);
  return inodes;
}

/** A mount can have a folder be in two places: what is written in one of them is in the other, too. */
function checkApart({
  source,
  destination,
}: {
  source: readonly ReplicaEntry[];
  destination: readonly ReplicaEntry[];
}): void {
  const folders = new Map<string, string>();
  for (const entry of source) if (entry.type === 'directory' && entry.inode) folders.set(entry.inode, entry.path);
  const same: { path: string; destination: string }[] = [];
  for (const entry of destination) {
    const path = entry.type === 'directory' ? folders.get(entry.inode ?? '') : undefined;
    if (path !== undefined) same.push({ path, destination: entry.path });
  }
  const [first] = same;
  if (first === undefined) return;
  throw new GypsumError(
    'invalid-argument',
    `"${showText(first.path)}" of the source is "${showText(first.destination)}" of the destination: one folder, mounted twice.`,
    { hint: `Have them be two, or leave it out: ${showList(same.map(({ path }) => path))}`, details: { same } },
  );
}
