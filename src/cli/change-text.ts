import prettyBytes from 'pretty-bytes';
import { formatRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { ChangeResult } from '../ops/apply-change-plan.ts';
import type { ChangePlan } from '../ops/change-plan.ts';
import type { LeftPath, LeftState } from '../tree/standing.ts';
import type { Step } from '../tree/step.ts';
import { count } from './text.ts';

/** Why something is left as it is. */
const WHY: Readonly<Record<LeftState, string>> = {
  modified: 'modified',
  deleted: 'deleted',
  added: 'added',
  blocked: 'something else stands there, or above',
  retargeted: 'a link to something else than before',
  foreign: 'a symlink to elsewhere',
  own: 'a symlink of the version itself',
  special: 'neither a file nor a folder nor a link',
  edited: 'edited in the cache, through the link',
};

/** Says what would be done, step by step. */
export function showChangePlan({ steps, left, edits = [], unchanged, ...ref }: ChangePlan): string {
  return [
    ...steps.map(showStep),
    ...edits.map((path) => `take back ${showText(path)} (its edit is kept in the trash; "--plan" leaves it)`),
    ...left.filter(({ path }) => !edits.includes(path)).map(showLeft),
    `${formatRef(ref)}: ${count(steps.length + edits.length, 'change')} to make, ${count(unchanged, 'file')} unchanged.`,
  ].join('\n');
}

function showStep({ path, before, after, keep }: Step): string {
  const name = showText(path);
  if (after === undefined) return `remove    ${name}${before?.type === 'directory' ? '/' : ''}`;
  if (after.type === 'directory') return `make      ${name}/`;
  const kept = keep ? ' (what is there is kept in the trash)' : '';
  return after.type === 'symlink' ? `link      ${name}${kept}` : `file      ${name}${kept}`;
}

export function showLeft({ path, state, conflict }: LeftPath): string {
  return `${(conflict ? 'conflict' : 'left').padEnd(8)}  ${showText(path)} (${WHY[state]})`;
}

/** Says what was fetched, and where that is kept which was replaced. */
export function showMeans({ fetched, trash }: ChangeResult): string[] {
  return [
    ...(fetched.contents > 0 ? [`Fetched ${prettyBytes(fetched.bytes)}.`] : []),
    ...(trash === undefined ? [] : [`What was replaced is kept in ${showText(trash)} until "gypsum cache prune".`]),
  ];
}
