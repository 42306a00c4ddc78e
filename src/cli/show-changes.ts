import prettyBytes from 'pretty-bytes';
import type { ChangeCounts, FileChange, FileState } from '../model/file-change.ts';
import { showText } from '../model/text.ts';
import type { ShownChange } from '../ops/add-patches.ts';
import { count } from './text.ts';

/** The ways in which a file can have changed, in the order in which they are told. */
const CHANGES = ['added', 'removed', 'modified', 'moved'] as const satisfies readonly FileChange['type'][];

/** Tells how many files changed in which way: `2 files added (24 B), 1 file moved (3 B)`. */
export function showCounts(counts: ChangeCounts): string {
  const told = CHANGES.filter((type) => counts[type].files > 0).map(
    (type) => `${count(counts[type].files, 'file')} ${type} (${prettyBytes(counts[type].bytes)})`,
  );
  return told.length === 0 ? 'no file changed' : told.join(', ');
}

/** Gives the line that tells of a change, and the patch if there is one. */
export function showChange(change: ShownChange): string {
  const states = ['before' in change ? change.before : undefined, 'after' in change ? change.after : undefined];
  const told = change.type === 'moved' ? [change.after] : states.filter((state) => state !== undefined);
  const line = [
    change.type.padEnd('modified'.length),
    change.type === 'moved' ? `${showText(change.from)} -> ${showText(change.path)}` : showText(change.path),
    told.map(({ size }) => prettyBytes(size)).join(' -> '),
    told.map(showDigest).join(' -> '),
    ...(change.noPatch === undefined ? [] : [`(${NO_PATCH[change.noPatch]})`]),
  ].join('  ');
  return change.patch === undefined ? line : `${line}\n${showPatch(change.patch)}`;
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
