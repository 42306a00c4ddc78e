import prettyBytes from 'pretty-bytes';
import { formatRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { describeKeeper } from '../ops/keepers.ts';
import type { RemovalPlan, RemovedVersion } from '../ops/plan-removal.ts';
import { count, day, filesAndBytes } from './text.ts';

/** Says what went, or would go, from the cache, and what keeps the rest. */
export function removalText(plan: RemovalPlan & { readonly dryRun: boolean }): string {
  const { versions, kept, blobs, leftovers, damaged, forgotten, freed, dryRun } = plan;
  const removed = dryRun ? 'Would remove' : 'Removed';
  const rubbish = [
    `${count(blobs.length, 'content')} of no version`,
    ...(leftovers.length > 0 ? [count(leftovers.length, 'leftover')] : []),
    ...(damaged.length > 0 ? [`${count(damaged.length, 'thing')} moved aside`] : []),
  ];
  return [
    ...versions.map((version) => `${removed} ${describe(version)}`),
    ...kept.flatMap(({ keptBy, ...ref }) =>
      keptBy.map((keeper) => `${dryRun ? 'Would keep' : 'Kept'} ${formatRef(ref)}: ${describeKeeper(keeper)}`),
    ),
    ...forgotten.map((place) => `${dryRun ? 'Would forget' : 'Forgot'} the clone ${showText(place)}`),
    `${removed} ${[count(versions.length, 'version'), ...rubbish].join(', ')}: ${prettyBytes(freed)}.`,
  ].join('\n');
}

function describe({ lastUsed, files, bytes, ...ref }: RemovedVersion): string {
  const used = lastUsed === undefined ? '' : `, last used ${day(lastUsed)}`;
  return `${formatRef(ref)}: ${filesAndBytes({ files, bytes })}${used}`;
}
