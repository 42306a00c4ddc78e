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
  const how = (side: 'source' | 'destination') => ({
    ...options,
    digestOf: memory?.digestOf,
    before: memory?.before(side),
  });
  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  const source = await from.list(how('source'));
  const destination = (await to?.list(how('destination'))) ?? EMPTY;
  options.onEvent?.({ type: 'end', task: 'scan' });
  const unreadable = [...source.unreadable, ...destination.unreadable];
  const known = createFilter(unreadable.map(({ path }) => path));
  const trees = { source: source.entries.filter(known), destination: destination.entries.filter(known) };
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
    shared: new Set(trees.source.flatMap((entry) => (entry.type === 'file' ? (entry.inode ?? []) : []))),
  };
}

const EMPTY: Listing = { entries: [], left: [], unreadable: [], unfollowed: [], leftovers: [] };

/** Takes what is not below any of some folders. */
function createFilter(folders: readonly string[]): (entry: ReplicaEntry) => boolean {
  if (folders.length === 0) return () => true;
  const unknown = new Set(folders);
  return ({ path }) => {
    for (let at = parentPath(path); at !== ''; at = parentPath(at)) if (unknown.has(at)) return false;
    return true;
  };
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
  const same = destination.flatMap((entry) => {
    const path = entry.type === 'directory' ? folders.get(entry.inode ?? '') : undefined;
    return path === undefined ? [] : [{ path, destination: entry.path }];
  });
  const [first] = same;
  if (first === undefined) return;
  throw new GypsumError(
    'invalid-argument',
    `"${showText(first.path)}" of the source is "${showText(first.destination)}" of the destination: one folder, mounted twice.`,
    { hint: `Have them be two, or leave it out: ${showList(same.map(({ path }) => path))}`, details: { same } },
  );
}
