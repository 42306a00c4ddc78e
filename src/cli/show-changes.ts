import prettyBytes from 'pretty-bytes';
import {
  type ChangeCounts,
  type EntryCount,
  type EntryState,
  type FileChange,
  type FileState,
  fileState,
} from '../model/file-change.ts';
import { formatMode } from '../model/modes.ts';
import { showText } from '../model/text.ts';
import type { ShownChange } from '../ops/add-patches.ts';
import { count } from './text.ts';

/** The ways in which an entry can have changed, in the order in which they are told. */
const CHANGES = ['added', 'removed', 'modified', 'moved'] as const satisfies readonly FileChange['type'][];

/** Tells how many entries changed in which way: `2 files and 1 symlink added (24 B), 1 file moved (3 B)`. */
export function showCounts(counts: ChangeCounts): string {
  const told = CHANGES.flatMap((type) => {
    if (!isAny(counts[type])) return [];
    const bytes = counts[type].files > 0 ? ` (${prettyBytes(counts[type].bytes)})` : '';
    return `${showCount(counts[type])} ${type}${bytes}`;
  });
  return told.length === 0 ? 'no file changed' : told.join(', ');
}

/** Tells how many files there are, and what else is beside them: `2 files and 1 symlink`. */
export function showCount({ files, symlinks = 0, folders = 0 }: EntryCount): string {
  const others = [
    ...(symlinks > 0 ? [count(symlinks, 'symlink')] : []),
    ...(folders > 0 ? [count(folders, 'folder')] : []),
  ];
  const all = files > 0 || others.length === 0 ? [count(files, 'file'), ...others] : others;
  return all.length === 1 ? all.join() : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

/** Whether anything differs. */
export function isChanged({ unchanged: _, ...counts }: ChangeCounts): boolean {
  return Object.values(counts).some(isAny);
}

function isAny({ files, symlinks = 0, folders = 0 }: EntryCount): boolean {
  return files + symlinks + folders > 0;
}

/** Gives the line that tells of a change, and the patch if there is one. */
export function showChange(change: ShownChange): string {
  const line = [
    labelOf(change).padEnd('modified'.length),
    ...describe(change),
    ...(change.noPatch === undefined ? [] : [`(${NO_PATCH[change.noPatch]})`]),
  ].join('  ');
  return change.patch === undefined ? line : `${line}\n${showPatch(change.patch)}`;
}

/** Says what has changed of an entry. */
function labelOf(change: FileChange): string {
  if (change.type !== 'modified') return change.type;
  const { before, after } = change;
  if (kindOf(before) !== kindOf(after)) return 'type';
  return kindOf(before) !== 'symlink' && isSame(before, after) ? 'mode' : change.type;
}

function isSame(before: EntryState, after: EntryState): boolean {
  const [left, right] = [fileState(before), fileState(after)];
  return left?.md5sum === right?.md5sum && left?.size === right?.size;
}

function describe(change: FileChange): string[] {
  const name = showText(change.path);
  switch (change.type) {
    case 'added':
      return describeOne(name, change.after);
    case 'removed':
      return describeOne(name, change.before);
    case 'moved':
      return [
        `${showText(change.from)} -> ${name}`,
        prettyBytes(change.after.size),
        showDigest(change.after),
        ...(change.after.mode === undefined ? [] : [showBoth(change, showMode)]),
      ];
    case 'modified':
      return describeBoth(name, change);
  }
}

function describeOne(name: string, state: EntryState): string[] {
  if ('target' in state) return [`${name} -> ${showText(state.target)}`];
  const mode = state.mode === undefined ? [] : [showMode(state)];
  return 'type' in state ? [`${name}/`, ...mode] : [name, prettyBytes(state.size), showDigest(state), ...mode];
}

/** Two states of what may be of two kinds. */
interface States<State extends EntryState = EntryState> {
  readonly before: State;
  readonly after: State;
}

function describeBoth(name: string, { before, after }: States): string[] {
  if (kindOf(before) !== kindOf(after)) return [name, `${describeKind(before)}, now ${describeKind(after)}`];
  if ('target' in before || 'target' in after) return [`${name} ${targetOf(before)}, now ${targetOf(after)}`];
  const modes = after.mode === undefined ? [] : [showBoth({ before, after }, showMode)];
  if ('type' in before || 'type' in after) return [`${name}/`, ...modes];
  const states = { before, after };
  if (isSame(before, after)) return [name, ...modes];
  return [name, showBoth(states, ({ size }) => prettyBytes(size)), showBoth(states, showDigest), ...modes];
}

function showBoth<State extends EntryState>({ before, after }: States<State>, show: (state: State) => string): string {
  return `${show(before)} -> ${show(after)}`;
}

function kindOf(state: EntryState): 'file' | 'symlink' | 'directory' {
  return 'type' in state ? state.type : 'file';
}

function describeKind(state: EntryState): string {
  if (!('type' in state)) return `file (${prettyBytes(state.size)})`;
  return state.type === 'symlink' ? `symlink ${targetOf(state)}` : 'folder';
}

function targetOf(state: EntryState): string {
  return 'target' in state ? `-> ${showText(state.target)}` : '';
}

function showMode({ mode }: { readonly mode?: number }): string {
  return mode === undefined ? '' : formatMode(mode);
}

const NO_PATCH: Readonly<Record<NonNullable<ShownChange['noPatch']>, string>> = {
  binary: 'not text',
  large: 'larger than what is shown line by line',
  many: 'not shown line by line: the files before it are enough',
};

/** The beginning of a digest is enough to tell two apart. */
function showDigest({ md5sum }: FileState): string {
  return md5sum.slice(0, 8);
}

/** Gives a patch that is safe to show: but for tabs and for carriage returns at the end, control characters stand as escapes. */
function showPatch(patch: string): string {
  return patch
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const [, text = '', end = ''] = /^(.*?)(\r?)$/s.exec(line) ?? [];
      return text.split('\t').map(showText).join('\t') + end;
    })
    .join('\n');
}
