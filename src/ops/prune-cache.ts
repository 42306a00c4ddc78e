import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { countFiles } from '../model/count.ts';
import { inScope } from '../model/refs.ts';
import { applyRemoval } from './apply-removal.ts';
import { findKeepers } from './keepers.ts';
import { createRelease, findRubbish, findUnused, type RemovalPlan, toKeep, toRemove } from './plan-removal.ts';
import { run } from './run.ts';
import { type SurveyedVersion, surveyCache } from './survey-cache.ts';
import { type CacheScope, versionsInScopes } from './versions-in-scopes.ts';

export interface PruneOptions extends CallOptions {
  /** Versions in these projects, assets or versions, or of these clones, only. @default all */
  scopes?: readonly CacheScope[];
  /** Versions that have not been saved or cloned for so long. Units: milliseconds */
  olderThan?: number | undefined;
  /** All versions that no clone needs. @default false */
  unused?: boolean;
  /** No more versions than it takes to come down to this size, those first that were used longest ago. Units: bytes */
  maxSize?: number | undefined;
  /** Let go what only clones need that cannot be found. @default false */
  forgetMissing?: boolean;
  /** Remove what was moved aside, too: it may hold somebody's edits. @default false */
  damaged?: boolean;
  /** Say what would go, and remove nothing. @default false */
  dryRun?: boolean;
}

export interface PruneResult extends RemovalPlan {
  /** What is left of the cache's contents, or would be. Units: bytes */
  readonly stored: number;
  readonly dryRun: boolean;
}

/**
 * Removes versions that no registered clone needs, and in any case contents that no version has, what was left behind
 * half-made, and what was kept when it was replaced in clones. Without scopes, `olderThan`, `unused` or `maxSize`, no version goes; of several, all must hold.
 */
export async function pruneCache(ctx: Context, options: PruneOptions = {}): Promise<PruneResult> {
  const { dryRun = false, signal, onEvent } = options;
  return run(ctx, options, async () => {
    const { plan, stored } = await planPrune(ctx, options);
    if (dryRun) return { ...plan, stored, dryRun };
    const applied = await applyRemoval(ctx, plan, { force: false, signal, onEvent });
    return { ...applied, stored: stored + plan.freed - applied.freed, dryRun };
  });
}

async function planPrune(ctx: Context, options: PruneOptions): Promise<{ plan: RemovalPlan; stored: number }> {
  const { olderThan, unused = false, maxSize, forgetMissing = false, damaged = false } = options;
  const { scopes } = await versionsInScopes(ctx, options.scopes ?? [], options);
  const survey = await surveyCache(ctx.cache.layout, options);
  const keepers = await findKeepers(ctx, { forgetMissing }, options);
  const rubbish = await findRubbish(ctx, { damaged }, options);
  const orphans = await findUnused(ctx, survey);
  const choosing = scopes.length > 0 || olderThan !== undefined || unused || maxSize !== undefined;
  const before = olderThan === undefined ? Number.POSITIVE_INFINITY : Date.now() - olderThan;
  const meant = survey.versions.filter(
    (version) =>
      choosing &&
      (scopes.length === 0 || scopes.some((scope) => inScope(version.ref, scope))) &&
      usedAt(version) < before,
  );
  const total = countFiles(survey.inodes).bytes;
  let stored = total - countFiles(orphans).bytes;
  const release = createRelease();
  const versions: SurveyedVersion[] = [];
  const free = meant.filter(({ ref }) => keepers.of(ref).length === 0);
  for (const version of free.toSorted((a, b) => usedAt(a) - usedAt(b))) {
    if (maxSize !== undefined && stored <= maxSize) break;
    versions.push(version);
    stored -= release.add(version);
  }
  const freed = total - stored + rubbish.freed;
  const plan = {
    versions: versions.map((version) => toRemove(version, keepers.copiesOf(version.ref))),
    kept: meant.map((version) => toKeep(version, keepers.of(version.ref))).filter(({ keptBy }) => keptBy.length > 0),
    blobs: [...orphans.flatMap(({ blobs }) => blobs), ...release.blobs()],
    leftovers: rubbish.leftovers,
    damaged: rubbish.damaged,
    trash: rubbish.trash,
    forgotten: forgetMissing ? keepers.missing.map(({ receipt }) => receipt.destination) : [],
    freed,
  };
  return { plan, stored };
}

/** Units: milliseconds since 1970 */
function usedAt({ lastUsed }: SurveyedVersion): number {
  return lastUsed?.getTime() ?? 0;
}
