import { createPace } from '../give-way.ts';
import { type Count, countFiles } from '../model/count.ts';
import type { ChangeCounts, FileChange, FileState } from '../model/file-change.ts';
import { comparePaths, type KnownFile } from '../model/tree.ts';
import { compareTrees, sameEntry } from './compare.ts';
import { pairMoved } from './pair-moved.ts';

/** How the files of two trees differ. */
export interface TreeDiff {
  /** In the order of `comparePaths`. */
  readonly changes: readonly FileChange[];
  readonly counts: ChangeCounts;
}

/** Compares two lists of files, each in the order of `comparePaths`. */
export async function diffTrees(
  before: readonly KnownFile[],
  after: readonly KnownFile[],
  signal?: AbortSignal,
): Promise<TreeDiff> {
  const pace = createPace(signal);
  const added: KnownFile[] = [];
  const removed: KnownFile[] = [];
  const modified: FileChange[] = [];
  const unchanged: KnownFile[] = [];
  for (const { path, left, right } of compareTrees(before, after)) {
    if (pace.due()) await pace.rest();
    if (right === undefined) removed.push(...(left === undefined ? [] : [left]));
    else if (left === undefined) added.push(right);
    else if (sameEntry(left, right)) unchanged.push(right);
    else modified.push({ type: 'modified', path, before: stateOf(left), after: stateOf(right) });
  }
  const moved = pairMoved(removed, added);
  const gone = new Set(moved.values());
  const changes = [
    ...modified,
    ...removed.filter((file) => !gone.has(file)).map((file) => change('removed', file)),
    ...added.map((file) => {
      const from = moved.get(file);
      return from === undefined ? change('added', file) : move(from, file);
    }),
  ].sort((a, b) => comparePaths(a.path, b.path));
  return { changes, counts: { ...countChanges(changes), unchanged: countFiles(unchanged) } };
}

function stateOf({ size, digest }: KnownFile): FileState {
  return { size, md5sum: digest.hex };
}

function change(type: 'added' | 'removed', file: KnownFile): FileChange {
  const state = stateOf(file);
  return type === 'added' ? { type, path: file.path, after: state } : { type, path: file.path, before: state };
}

function move(from: KnownFile, to: KnownFile): FileChange {
  return { type: 'moved', path: to.path, from: from.path, before: stateOf(from), after: stateOf(to) };
}

function countChanges(changes: readonly FileChange[]): Readonly<Record<FileChange['type'], Count>> {
  const of = (type: FileChange['type']) =>
    countFiles(changes.filter((one) => one.type === type).map((one) => ('after' in one ? one.after : one.before)));
  return { added: of('added'), removed: of('removed'), modified: of('modified'), moved: of('moved') };
}
