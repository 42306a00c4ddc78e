import { createPace, type Pace } from '../give-way.ts';
import { entriesBelow, isBelow, parentPath } from '../model/tree.ts';
import { compareTrees, type Pair } from './compare.ts';
import { contentOf, findMovedFolders, type MovedFolder, relocate } from './find-moved-folders.ts';
import { orderMoves } from './move-files.ts';
import { pairByContent } from './pair-moved.ts';
import { createFolderMaker, makeFolder } from './plan-made-folders.ts';
import { type ReplicaEntry, type ReplicaFile, type ReplicaFolder, sameFacts, sameTime } from './replica-entry.ts';
import type { MakeFolder, Move, Operation, ReplicaPlan } from './replica-plan.ts';
import { sameReplica } from './same-replica.ts';
import { touchedFolders } from './touched-folders.ts';

export interface ReplicaPlanOptions {
  /** Remove what the source does not have. @default true */
  remove?: boolean;
  /** The replica can give files and folders other names. @default true */
  moves?: boolean;
  /** The replica can copy a file that it has. @default true */
  copies?: boolean;
  /** Paths of the replica that stand in neither tree, and stay as they are. */
  left?: readonly string[];
  /** Inodes of the source's files with several names: a replica's that is one of them is not independent. */
  shared?: ReadonlySet<string>;
  signal?: AbortSignal | undefined;
}

type Entries = readonly ReplicaEntry[];
type Found = Pair<ReplicaEntry, ReplicaEntry>;

/**
 * Plans how a replica becomes equal to its source; both are trees in the order of `comparePaths`. Files of one size and time
 * count as the same unless their digests are known and differ; nothing but digests tells that a file has moved.
 *
 * Folders move first, then files; then goes what has to go, and then comes what is missing, from the top down.
 */
export async function planReplica(
  source: Entries,
  destination: Entries,
  { remove = true, moves = true, copies = true, left = [], shared = new Set(), signal }: ReplicaPlanOptions = {},
): Promise<ReplicaPlan> {
  const pace = createPace(signal);
  const above = new Set(left.flatMap(pathsAbove));
  const isLeft = (folder: string) => above.has(folder);
  const folderMoves = moves && remove ? findMovedFolders(source, destination, isLeft) : [];
  const there = folderMoves.length === 0 ? destination : relocate(destination, folderMoves);
  const found = await sortOut(source, there, { remove, isLeft, left, shared, pace });
  const moved = pairByContent(moves ? found.displaced : [], found.wanted, contentOf);
  const made = new Set<string>();
  const makeAbove = createFolderMaker(source, there, made);
  const operations: Operation[] = folderMoves.flatMap((move) => moveFolder(move, destination, makeAbove(move.to)));
  const order = orderMoves(moved, { source, destination: there, makeAbove });
  operations.push(...order.operations);
  const gone = new Set<ReplicaEntry>(moved.values());
  for (const entry of found.extra.reverse()) if (!gone.has(entry)) operations.push(removal(entry));
  const removed = operations.filter(({ op }) => op === 'delete' || op === 'rmdir').length;
  const local = copies ? byContent(found.kept, found.wanted) : new Map<string, string>();
  for (const pair of found.open) {
    if (pace.due()) await pace.rest();
    const before = pair.left?.type === 'file' ? moved.get(pair.left) : undefined;
    operations.push(...forward(pair, { made, before, parked: order.parked.get(pair.path), local }));
  }
  for (const { left, right } of found.folders.reverse()) operations.push(...changeFacts(left, right));
  return {
    operations,
    folders: foldersToEnd(source, operations),
    blocked: found.blocked,
    removed,
    unchanged: found.unchanged,
  };
}

interface Sorted {
  /** What is to be done at the paths of the source, in their order. */
  readonly open: Found[];
  /** What goes, in the order of the tree. */
  readonly extra: ReplicaEntry[];
  readonly wanted: ReplicaFile[];
  /** Files of the replica whose content does not stay at its path. */
  readonly displaced: ReplicaFile[];
  /** Files of the replica that stay, and whose content is known. */
  readonly kept: ReplicaFile[];
  /** Folders that are on both sides, and differ. */
  readonly folders: { left: ReplicaFolder; right: ReplicaFolder }[];
  readonly blocked: { path: string; why: string }[];
  unchanged: number;
}

interface Rules {
  readonly remove: boolean;
  readonly isLeft: (folder: string) => boolean;
  readonly left: readonly string[];
  readonly shared: ReadonlySet<string>;
  readonly pace: Pace;
}

async function sortOut(source: Entries, destination: Entries, rules: Rules): Promise<Sorted> {
  const sorted: Sorted = {
    open: [],
    extra: [],
    wanted: [],
    displaced: [],
    kept: [],
    folders: [],
    blocked: [],
    unchanged: 0,
  };
  const staying = new Set(rules.left);
  const block = (path: string, why: string) => sorted.blocked.push({ path, why });
  for (const pair of compareTrees(source, destination)) {
    if (rules.pace.due()) await rules.pace.rest();
    const { path, left, right } = pair;
    if (left === undefined) {
      if (rules.remove && right !== undefined) remove(right, sorted, rules);
    } else if (isBelow(path, sorted.blocked.at(-1)?.path ?? path)) {
      // Nothing can be made there.
    } else if (staying.has(path)) {
      block(path, 'is something else there that is left out');
    } else if (right?.type === 'directory' && left.type !== 'directory') {
      const why = obstacle(path, destination, rules);
      if (why !== undefined) block(path, why);
      else {
        sorted.extra.push(right);
        add(pair, sorted);
      }
    } else if (left.type === 'directory') {
      if (right !== undefined && right.type !== 'directory') {
        sorted.extra.push(right);
        if (isMovable(right)) sorted.displaced.push(right);
      }
      if (right?.type !== 'directory') sorted.open.push(pair);
      else if (sameFacts(left, right)) sorted.unchanged++;
      else sorted.folders.push({ left, right });
    } else if (right === undefined) add(pair, sorted);
    else compare(left, right, pair, sorted, rules);
  }
  return sorted;
}

function compare(left: ReplicaEntry, right: ReplicaEntry, pair: Found, sorted: Sorted, { shared }: Rules): void {
  const state = sameReplica(left, right, shared);
  if (state === 'same') sorted.unchanged++;
  else if (state === 'other-facts') sorted.open.push(pair);
  else {
    if (isMovable(right)) sorted.displaced.push(right);
    add(pair, sorted);
    return;
  }
  if (right.type === 'file' && right.digest !== undefined) sorted.kept.push(right);
}

function add(pair: Found, { open, wanted }: Sorted): void {
  open.push(pair);
  if (pair.left?.type === 'file' && pair.left.digest !== undefined) wanted.push(pair.left);
}

function remove(entry: ReplicaEntry, { extra, displaced }: Sorted, { isLeft }: Rules): void {
  if (entry.type === 'directory' && isLeft(entry.path)) return;
  extra.push(entry);
  if (isMovable(entry)) displaced.push(entry);
}

/** Another name of its inode may be outside of the replica, where it would change with this one. */
function isMovable(entry: ReplicaEntry): entry is ReplicaFile {
  return entry.type === 'file' && entry.inode === undefined && entry.digest !== undefined;
}

/** Why a folder cannot become something else. */
function obstacle(path: string, destination: Entries, { remove, isLeft }: Rules): string | undefined {
  if (isLeft(path)) return 'is a folder there that holds what is left out';
  if (remove || entriesBelow(destination, path).length === 0) return undefined;
  return 'is a folder there that holds something, and nothing is to be removed';
}

/** Gives the paths of files by their contents, as far as those are wanted: of a replica that is kept, nearly none is. */
function byContent(files: readonly ReplicaFile[], wanted: readonly ReplicaFile[]): Map<string, string> {
  const paths = new Map<string, string>();
  if (wanted.length === 0) return paths;
  const contents = new Set(wanted.map(contentOf));
  for (const file of files) if (contents.has(contentOf(file))) paths.set(contentOf(file), file.path);
  return paths;
}

function moveFolder({ from, to }: MovedFolder, destination: Entries, above: MakeFolder[] | undefined): Operation[] {
  if (above === undefined) throw new Error(`the way to ${to} is not free`);
  const children = entriesBelow(destination, from).map(({ path }) => path.slice(from.length + 1));
  return [...above, { op: 'move', type: 'directory', path: to, from, children }];
}

function removal({ type, path }: ReplicaEntry): Operation {
  return type === 'directory' ? { op: 'rmdir', path } : { op: 'delete', type, path };
}

interface Ways {
  readonly made: ReadonlySet<string>;
  /** What a file of the source was before. */
  readonly before: ReplicaFile | undefined;
  readonly parked: Move | undefined;
  /** Paths of the replica by contents that it has. */
  readonly local: ReadonlyMap<string, string>;
}

/** Gives what is to be done at a path once nothing of another type stands there. */
function forward({ left, right }: Found, { made, before, parked, local }: Ways): Operation[] {
  if (left === undefined || left.type === 'special') throw new Error('a source has no special files');
  if (left.type === 'directory') return made.has(left.path) ? [] : [makeFolder(left)];
  if (before !== undefined) return [...(parked === undefined ? [] : [parked]), ...changeFacts(left, before)];
  if (right?.type === left.type && sameReplica(left, right, new Set()) === 'other-facts') {
    return changeFacts(left, right);
  }
  const { path, mtime } = left;
  const isFree = right === undefined || right.type === 'directory';
  if (left.type === 'symlink') {
    const { target, targetType } = left;
    const replaces = isFree ? {} : ({ replaces: true } as const);
    return [{ op: 'link', path, target, ...(targetType !== undefined && { targetType }), mtime, ...replaces }];
  }
  const { size, digest } = left;
  const facts = { size, ...(left.mode !== undefined && { mode: left.mode }), mtime };
  const from = digest === undefined ? undefined : local.get(contentOf(left));
  if (digest !== undefined && from !== undefined && size > 0) return [{ op: 'copy', path, from, ...facts, digest }];
  const op = isFree ? 'create' : 'modify';
  const { mode } = left;
  // Nearly all of a first copy are such, and spreads take more memory.
  if (mode !== undefined && digest === undefined) return [{ op, path, size, mode, mtime }];
  return [{ op, path, ...facts, ...(digest !== undefined && { digest }) }];
}

function changeFacts(left: ReplicaEntry, right: ReplicaEntry): Operation[] {
  if (left.type === 'special' || right.type === 'special') throw new Error('a special file has no facts');
  const { type, path, mode, mtime } = left;
  return [
    ...(mode !== undefined && mode !== right.mode && type !== 'symlink'
      ? [{ op: 'chmod', type, path, mode } as const]
      : []),
    ...(sameTime(mtime, right.mtime) ? [] : [{ op: 'touch', type, path, mtime } as const]),
  ];
}

/** Gives the folders of the source that are made, in which something changes, or whose own mode or time does. */
function foldersToEnd(source: Entries, operations: readonly Operation[]): ReplicaFolder[] {
  const touched = new Set<string>();
  for (const operation of operations) {
    for (const folder of touchedFolders(operation)) touched.add(folder);
    if (operation.op === 'chmod' || operation.op === 'touch') touched.add(operation.path);
  }
  return source.filter((entry): entry is ReplicaFolder => entry.type === 'directory' && touched.has(entry.path));
}

function pathsAbove(path: string): string[] {
  const above: string[] = [];
  for (let at = parentPath(path); at !== ''; at = parentPath(at)) above.push(at);
  return above;
}
