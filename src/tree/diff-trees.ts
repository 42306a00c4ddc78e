import { createPace } from '../give-way.ts';
import type { ChangeCounts, EntryCount, EntryState, FileChange, FileState } from '../model/file-change.ts';
import { isPlain, modeOf, sameMode } from '../model/modes.ts';
import { comparePaths, type DirectoryEntry, isBelow, type KnownFile, type SymlinkEntry } from '../model/tree.ts';
import { compareTrees, sameEntry } from './compare.ts';
import { pairMoved } from './pair-moved.ts';

/** How two trees differ. */
export interface TreeDiff {
  /** In the order of `comparePaths`. */
  readonly changes: readonly FileChange[];
  readonly counts: ChangeCounts;
}

type DiffEntry = KnownFile | SymlinkEntry | DirectoryEntry;

/** Compares two trees, each in the order of `comparePaths` and gone through twice; both have their folders, or none of both. */
export async function diffTrees(
  before: Iterable<DiffEntry>,
  after: Iterable<DiffEntry>,
  signal?: AbortSignal,
): Promise<TreeDiff> {
  const pace = createPace(signal);
  const full = [fullFolders(before), fullFolders(after)] as const;
  const added: DiffEntry[] = [];
  const removed: DiffEntry[] = [];
  const modified: { readonly left: DiffEntry; readonly right: DiffEntry }[] = [];
  const unchanged = createCounter();
  for (const pair of compareTrees(before, after)) {
    if (pace.due()) await pace.rest();
    const left = shown(pair.left, pair.right, full[0]);
    const right = shown(pair.right, pair.left, full[1]);
    if (right === undefined) removed.push(...(left === undefined ? [] : [left]));
    else if (left === undefined) added.push(right);
    else if (!isSame(left, right)) modified.push({ left, right });
    else if (!full[1].has(right.path)) unchanged.add(right);
  }
  const moved = pairMoved(removed.filter(isFile), added.filter(isFile));
  const gone = new Set<DiffEntry>(moved.values());
  const lost = removed.filter((entry) => !gone.has(entry));
  const fresh = added.filter((entry) => !isFile(entry) || !moved.has(entry));
  const changes = [
    ...modified.map(toModified),
    ...lost.map((entry) => ({ type: 'removed', path: entry.path, before: stateOf(entry) }) as const),
    ...fresh.map((entry) => ({ type: 'added', path: entry.path, after: stateOf(entry) }) as const),
    ...[...moved].map(([to, from]) => toMoved(from, to)),
  ].sort((a, b) => comparePaths(a.path, b.path));
  const counts = {
    added: countEntries(fresh),
    removed: countEntries(lost),
    modified: countEntries(modified.map(({ right }) => right)),
    moved: countEntries(moved.keys()),
    unchanged: unchanged.count(),
  };
  return { changes, counts };
}

function isFile(entry: DiffEntry): entry is KnownFile {
  return entry.type === 'file';
}

/** Gives the folders with something in them. */
function fullFolders(entries: Iterable<DiffEntry>): ReadonlySet<string> {
  const full = new Set<string>();
  let previous: DiffEntry | undefined;
  for (const entry of entries) {
    if (previous?.type === 'directory' && isBelow(entry.path, previous.path)) full.add(previous.path);
    previous = entry;
  }
  return full;
}

/** Leaves out a folder of which all is told by what is in it: it does not stand beside another folder, or a symlink. */
function shown(
  entry: DiffEntry | undefined,
  other: DiffEntry | undefined,
  full: ReadonlySet<string>,
): DiffEntry | undefined {
  const isTold =
    entry !== undefined && full.has(entry.path) && other?.type !== 'directory' && other?.type !== 'symlink';
  return isTold ? undefined : entry;
}

function isSame(left: DiffEntry, right: DiffEntry): boolean {
  if (!sameEntry(left, right)) return false;
  return left.type === 'symlink' || right.type === 'symlink' || sameMode(left, right);
}

function toModified({ left, right }: { readonly left: DiffEntry; readonly right: DiffEntry }): FileChange {
  return { type: 'modified', path: right.path, before: stateOf(left, right), after: stateOf(right, left) };
}

function toMoved(from: KnownFile, to: KnownFile): FileChange {
  return { type: 'moved', path: to.path, from: from.path, before: fileStateOf(from, to), after: fileStateOf(to, from) };
}

/** Says what an entry is; its mode where that is another one than `other` has, or is to be told by itself. */
function stateOf(entry: DiffEntry, other?: DiffEntry): EntryState {
  if (entry.type === 'symlink') return { type: entry.type, target: entry.target };
  return entry.type === 'file' ? fileStateOf(entry, other) : { type: entry.type, ...modeIn(entry, other) };
}

function fileStateOf(file: KnownFile, other?: DiffEntry): FileState {
  return { size: file.size, md5sum: file.digest.hex, ...modeIn(file, other) };
}

function modeIn(entry: KnownFile | DirectoryEntry, other: DiffEntry | undefined): { readonly mode?: number } {
  const isOfKind = other?.type !== 'symlink' && other?.type === entry.type;
  const isTold = isOfKind ? !sameMode(entry, other) : !isPlain(entry);
  return isTold ? { mode: modeOf(entry) } : {};
}

/** Counts files, symlinks and folders. */
export function countEntries(entries: Iterable<DiffEntry>): EntryCount {
  const counter = createCounter();
  for (const entry of entries) counter.add(entry);
  return counter.count();
}

/** Counts entries one after the other, so that none of a million has to be kept for that. */
function createCounter(): { add(entry: DiffEntry): void; count(): EntryCount } {
  const of = { file: 0, symlink: 0, directory: 0 };
  let bytes = 0;
  return {
    add(entry) {
      of[entry.type]++;
      if (entry.type === 'file') bytes += entry.size;
    },
    count: () => ({
      files: of.file,
      bytes,
      ...(of.symlink > 0 && { symlinks: of.symlink }),
      ...(of.directory > 0 && { folders: of.directory }),
    }),
  };
}
