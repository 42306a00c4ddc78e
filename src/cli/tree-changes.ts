import prettyBytes from 'pretty-bytes';
import type { TreeChange } from '../model/merge-trees.ts';
import { formatRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { ChangedTree } from '../ops/publish-tree.ts';
import type { Call, Flag } from './command.ts';
import { table } from './table.ts';

/** What all commands take that make a version by changing the latest one. */
export interface ChangeFlags {
  dryRun?: boolean;
  ignoreErrors?: boolean;
  probation?: boolean;
  wait?: boolean;
}

export const changeFlags: readonly Flag[] = [
  { flags: '--dry-run', description: 'show what would change, and do nothing' },
  { flags: '--probation', description: 'publish on probation, to be approved by an owner' },
  { flags: '--wait', description: 'wait for as long as another upload to the project is in progress' },
];

/** A result that says whether anything was meant to be published. */
export type Foreseen<Result> = Result & { readonly dryRun?: boolean };

/** Shows what has changed, or would, and what was made of it. */
export function showChanged({ dryRun = false, ...result }: Foreseen<ChangedTree>): string {
  const { changes } = result;
  const rows = changes.map((change) => [change.sign, nameOf(change), detailOf(change)]);
  const lines = rows.length === 0 ? [] : [table(['', '', ''], rows, []).trimStart()];
  return [...lines, summaryOf(result, dryRun)].join('\n');
}

/** Exits with 1 where something was wrong, unless that was not to matter. */
export function changeExitCode({ changes }: ChangedTree, { options }: Pick<Call<ChangeFlags>, 'options'>): number {
  return changes.some(({ sign }) => sign === 'E') && !options.ignoreErrors ? 1 : 0;
}

function nameOf({ path, type, target }: TreeChange): string {
  const name = showText(path) + (type === 'directory' ? '/' : '');
  return target === undefined ? name : `${name} -> ${showText(target)}`;
}

function detailOf({ size, why }: TreeChange): string {
  return why ?? (size === undefined ? '' : prettyBytes(size));
}

function summaryOf({ published, unchanged, changes, sent, linked, ...ref }: ChangedTree, dryRun: boolean): string {
  const wrong = changes.filter(({ sign }) => sign === 'E').length;
  const counted = [
    ['added', '+'],
    ['changed', '*'],
    ['removed', '-'],
  ].flatMap(([word = '', sign]) => {
    const number = changes.filter((change) => change.sign === sign).length;
    return number === 0 ? [] : `${number} ${word}`;
  });
  const name = formatRef(ref);
  if (unchanged) return `Nothing has changed since ${name}; nothing ${dryRun ? 'would be' : 'was'} published.`;
  if (!published && !dryRun) {
    return `Nothing was published: ${wrong} of the entries cannot be. With --ignore-errors, the rest is.`;
  }
  const sums = `sent ${sent.files} (${prettyBytes(sent.bytes)}), linked ${linked.files} (${prettyBytes(linked.bytes)})`;
  const what = counted.length === 0 ? 'nothing in it' : counted.join(', ');
  return `${dryRun ? 'Would publish' : 'Published'} ${name}: ${what}; ${sums}.`;
}
