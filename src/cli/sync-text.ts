import { showText } from '../model/text.ts';
import { isParking } from '../ops/operation-log.ts';
import type { ReplicateResult, SyncResult } from '../ops/sync-result.ts';
import type { Operation } from '../tree/replica-plan.ts';
import { count } from './text.ts';

/** What operations are called when they are counted. */
const DONE: Readonly<Record<Operation['op'], string>> = {
  mkdir: 'made',
  create: 'created',
  modify: 'modified',
  move: 'moved',
  copy: 'copied',
  link: 'linked',
  chmod: 'given another mode',
  touch: 'given another time',
  delete: 'deleted',
  rmdir: 'removed',
};

/** Gives the lines of a run: each operation if none was done, else what went wrong, and the sum. */
export function syncText(result: SyncResult): string {
  const { operations, failures, skipped, dryRun, stopped } = result;
  return [
    ...(dryRun ? operations.filter((operation) => !isParking(operation)).map(operationText) : []),
    ...skipped.map(({ path, why }) => `skipped  ${showText(path)}  (it ${showText(why)})`),
    ...failures.map(({ path, message }) => `failed  ${showText(path)}  (${showText(message)})`),
    `${syncSum(result)}${stopped ? '; stopped there' : ''}`,
  ].join('\n');
}

/** Gives the same of a replica that is kept, and what is in order again. */
export function replicateText(result: ReplicateResult): string {
  return [
    ...(result.isAfterError ? ['What had ended it is in order again.'] : []),
    ...result.recovered.map(({ path }) => `in order again  ${showText(path)}`),
    syncText(result),
  ].join('\n');
}

/** Gives how much a run has done, in one line. */
export function syncSum({ operations, failures, unchanged, dryRun }: SyncResult): string {
  const counts = new Map<string, number>();
  for (const operation of operations) {
    if (isParking(operation)) continue;
    const what = DONE[operation.op];
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const failed = failures.length === 0 ? [] : [`${failures.length.toLocaleString('en')} failed`];
  const done = [...counts].map(([what, number]) => `${number.toLocaleString('en')} ${what}`);
  const all = [...done, ...failed, `${unchanged.toLocaleString('en')} unchanged`].join(', ');
  const changes = [...counts.values()].reduce((sum, number) => sum + number, 0);
  return `${count(changes, 'change')}${dryRun ? ' to make' : ''}: ${all}`;
}

function operationText(operation: Operation): string {
  const path = showText(operation.path);
  if (operation.op === 'move') {
    const from = showText(operation.of ?? operation.from);
    const inIt = operation.children === undefined ? '' : `/  (${count(operation.children.length, 'entry')} in it)`;
    return `move  ${from} -> ${path}${inIt}`;
  }
  if (operation.op === 'copy') return `copy  ${showText(operation.from)} -> ${path}`;
  if (operation.op === 'link') return `link  ${path} -> ${showText(operation.target)}`;
  if (operation.op === 'chmod') return `chmod  ${path}  (${operation.mode.toString(8)})`;
  return `${operation.op}  ${path}${operation.op === 'mkdir' || operation.op === 'rmdir' ? '/' : ''}`;
}
