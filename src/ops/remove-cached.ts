import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { formatRef, inScope } from '../model/refs.ts';
import { applyRemoval } from './apply-removal.ts';
import { describeKeeper, findKeepers, keeperHints } from './keepers.ts';
import { createRelease, type KeptVersion, type RemovalPlan, toKeep, toRemove } from './plan-removal.ts';
import { run } from './run.ts';
import { surveyCache } from './survey-cache.ts';
import { type CacheScope, versionsInScopes } from './versions-in-scopes.ts';

export interface RemoveCachedOptions extends CallOptions {
  /** Remove also what a clone needs, whose links dangle then until the version is saved again. @default false */
  force?: boolean;
  /** Say what would go, and remove nothing. @default false */
  dryRun?: boolean;
}

export interface RemovedFromCache extends RemovalPlan {
  readonly dryRun: boolean;
}

/**
 * Removes all versions in some scopes from the cache; the registry keeps them. Throws `not-found` for a scope of which it
 * has nothing, and `in-use` if a clone needs any of them: then nothing is removed.
 */
export async function removeCached(
  ctx: Context,
  given: readonly CacheScope[],
  options: RemoveCachedOptions = {},
): Promise<RemovedFromCache> {
  const { force = false, dryRun = false, signal, onEvent } = options;
  return run(ctx, options, async () => {
    const { scopes } = await versionsInScopes(ctx, given, options);
    const survey = await surveyCache(ctx.cache.layout, options);
    const versions = survey.versions.filter(({ ref }) => scopes.some((scope) => inScope(ref, scope)));
    const keepers = await findKeepers(ctx, { forgetMissing: false }, options);
    if (!force) {
      const kept = versions.map((version) => toKeep(version, keepers.of(version.ref)));
      refuseKept(kept.filter(({ keptBy }) => keptBy.length > 0));
    }
    const release = createRelease();
    const freed = versions.reduce((bytes, version) => bytes + release.add(version), 0);
    const nothing = { kept: [], leftovers: [], damaged: [], trash: [], forgotten: [] };
    const removed = versions.map((version) => toRemove(version, keepers.copiesOf(version.ref)));
    const plan = { ...nothing, versions: removed, blobs: release.blobs(), freed };
    return { ...(dryRun ? plan : await applyRemoval(ctx, plan, { force, signal, onEvent })), dryRun };
  });
}

function refuseKept(kept: readonly KeptVersion[]): void {
  if (kept.length === 0) return;
  const lines = kept.flatMap(({ keptBy, ...ref }) =>
    keptBy.map((keeper) => `  ${formatRef(ref)}: ${describeKeeper(keeper)}`),
  );
  throw new GypsumError('in-use', `Nothing was removed, since it is in use:\n${lines.join('\n')}`, {
    hint: [
      ...keeperHints(kept.flatMap(({ keptBy }) => keptBy)),
      'Remove the clones first, or add "force" (--force): their links dangle then until the version is saved again.',
    ].join(' '),
    details: { kept },
  });
}
