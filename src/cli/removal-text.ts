import prettyBytes from 'pretty-bytes';
import { formatRef } from '../model/refs.ts';
import { showList, showText } from '../model/text.ts';
import { describeKeeper, type Keeper, keeperHints } from '../ops/keepers.ts';
import type { KeptVersion, RemovalPlan, RemovedVersion } from '../ops/plan-removal.ts';
import { count, day, filesAndBytes } from './text.ts';

/** Says what went, or would go, from the cache, and what keeps the rest. */
export function removalText(plan: RemovalPlan & { readonly dryRun: boolean }): string {
  const { versions, kept, blobs, leftovers, damaged, trash, forgotten, freed, dryRun } = plan;
  const removed = dryRun ? 'Would remove' : 'Removed';
  const rubbish = [
    `${count(blobs.length, 'content')} of no version`,
    ...(leftovers.length > 0 ? [count(leftovers.length, 'leftover')] : []),
    ...(damaged.length > 0 ? [`${count(damaged.length, 'thing')} moved aside`] : []),
    ...(trash.length > 0 ? [`what ${count(trash.length, 'change')} in clones had kept`] : []),
  ];
  return [
    ...versions.flatMap((version) => [`${removed} ${describe(version)}`, ...copiesLine(version)]),
    ...keptLines(kept).map((line) => `${dryRun ? 'Would keep' : 'Kept'} ${line}`),
    ...keeperHints(kept.flatMap(({ keptBy }) => keptBy)),
    ...forgotten.map((place) => `${dryRun ? 'Would forget' : 'Forgot'} the clone ${showText(place)}`),
    `${removed} ${[count(versions.length, 'version'), ...rubbish].join(', ')}: ${prettyBytes(freed)}.`,
  ].join('\n');
}

function describe({ lastUsed, files, bytes, copies: _, ...ref }: RemovedVersion): string {
  const used = lastUsed === undefined ? '' : `, last used ${day(lastUsed)}`;
  return `${formatRef(ref)}: ${filesAndBytes({ files, bytes })}${used}`;
}

function copiesLine({ copies = [] }: RemovedVersion): string[] {
  if (copies.length === 0) return [];
  return [`  Clones of copies stay as they are, and can be published: ${showList(copies)}`];
}

/** How many keepers of one version are named. */
const NAMED = 5;

/** Says what keeps what. A receipt that cannot be read may keep all versions, and stands in one line. */
function keptLines(kept: readonly KeptVersion[]): string[] {
  const receipts = new Set(kept.flatMap(({ keptBy }) => keptBy.flatMap(receiptPath)));
  return [
    ...kept.flatMap(clonesLines),
    ...[...receipts].map((path) => {
      const versions = kept.filter(({ keptBy }) => keptBy.flatMap(receiptPath).includes(path));
      return `${showList(versions.map(formatRef))}: ${describeKeeper({ type: 'receipt', path })}`;
    }),
  ];
}

function receiptPath(keeper: Keeper): string[] {
  return keeper.type === 'receipt' ? [keeper.path] : [];
}

function clonesLines({ keptBy, ...ref }: KeptVersion): string[] {
  const others = keptBy.filter(({ type }) => type !== 'receipt');
  const more = others.length - NAMED;
  return [
    ...others.slice(0, NAMED).map((keeper) => `${formatRef(ref)}: ${describeKeeper(keeper)}`),
    ...(more > 0 ? [`${formatRef(ref)}: ${count(more, 'more clone')} ${more === 1 ? 'needs' : 'need'} it`] : []),
  ];
}
