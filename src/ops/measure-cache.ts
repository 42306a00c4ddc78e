import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { type Count, countFiles } from '../model/count.ts';
import { inScope, type Scope } from '../model/refs.ts';
import { measureTree } from './measure-tree.ts';
import { run } from './run.ts';
import { type Inode, isOnlyHere, type SurveyedVersion, surveyCache } from './survey-cache.ts';
import { type CacheScope, versionsInScopes } from './versions-in-scopes.ts';

/**
 * What a project, an asset or a version takes.
 *
 * Units: bytes
 */
export interface Usage extends Scope, Count {
  /** What its files take on the disk: those with equal content are one. */
  readonly stored: number;
  /** What nothing else holds: so much would be free if it went. */
  readonly own: number;
}

export interface CacheUsage {
  /** Of each project, asset and version, in this order, as far as they are in the scopes. */
  readonly usage: readonly Usage[];
  /** All of the cache's contents, each once. */
  readonly stored: number;
  /** Contents that no version has any more; "prune" removes them. */
  readonly unused: number;
  /** What was moved aside. */
  readonly damaged: number;
  /** What was replaced in clones; "prune" removes it. */
  readonly trash: number;
  /** What is being fetched, and what was left behind by who died at it. */
  readonly incoming: number;
}

/** Measures the cache by project, asset and version, all or those in some scopes; throws `not-found` for an empty scope. */
export async function measureCache(
  ctx: Context,
  given: readonly CacheScope[] = [],
  options: CallOptions = {},
): Promise<CacheUsage> {
  return run(ctx, options, async () => {
    const { layout } = ctx.cache;
    const { scopes } = await versionsInScopes(ctx, given, options);
    const { versions, inodes } = await surveyCache(layout, options);
    return {
      usage: measure(versions, scopes),
      stored: countFiles(inodes).bytes,
      unused: countFiles(inodes.filter(({ names, files, blobs }) => files === 0 && names === blobs.length)).bytes,
      damaged: await measureTree(layout.damages, options),
      trash: await measureTree(layout.trash, options),
      incoming: await measureTree(layout.incomings, options),
    };
  });
}

interface Sum {
  scope: Scope;
  files: number;
  bytes: number;
  stored: number;
  own: number;
}

function measure(versions: readonly SurveyedVersion[], scopes: readonly Scope[]): Usage[] {
  const sums = new Map<string, Sum>();
  const sumOf = (scope: Scope): Sum => {
    const id = `${scope.project}/${scope.asset ?? ''}/${scope.version ?? ''}`;
    const sum = sums.get(id) ?? { scope, files: 0, bytes: 0, stored: 0, own: 0 };
    sums.set(id, sum);
    return sum;
  };
  // The sums that an inode was counted in: those of one project stand together, as do those of one asset.
  const holders = new Map<Inode, Set<Sum>>();
  for (const { ref, files } of versions) {
    const { project, asset } = ref;
    const levels = [sumOf({ project }), sumOf({ project, asset }), sumOf(ref)];
    for (const inode of files.values()) {
      const held = holders.get(inode) ?? new Set();
      holders.set(inode, held);
      for (const sum of levels) {
        sum.files++;
        sum.bytes += inode.size;
        if (!held.has(sum)) sum.stored += inode.size;
        held.add(sum);
      }
    }
  }
  for (const [inode, held] of holders) {
    if (!isOnlyHere(inode)) continue;
    const one = (level: (scope: Scope) => boolean) => {
      const [first, ...others] = [...held].filter(({ scope }) => level(scope));
      if (first !== undefined && others.length === 0) first.own += inode.size;
    };
    one(({ asset }) => asset === undefined);
    one(({ asset, version }) => asset !== undefined && version === undefined);
    one(({ version }) => version !== undefined);
  }
  const isAsked = (of: Scope) => scopes.length === 0 || scopes.some((scope) => inScope(of, scope));
  return [...sums.values()].filter(({ scope }) => isAsked(scope)).map(({ scope, ...sum }) => ({ ...scope, ...sum }));
}
