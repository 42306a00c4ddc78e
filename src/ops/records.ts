import type { Buffer } from 'node:buffer';
import { cachedNames } from '../cache/cached-names.ts';
import { ifReachable } from '../cache/if-reachable.ts';
import type { RecordName } from '../cache/layout.ts';
import type { Context } from '../context.ts';
import type { VersionRef } from '../model/refs.ts';

/** What is remembered of an immutable version, and whether by the user's own cache. */
interface KnownRecord {
  readonly content: Buffer;
  readonly isOwn: boolean;
}

/** Gives what is remembered of an immutable version: by the user's own cache, which is nearer, else by the site cache. */
export async function findRecord(
  { cache, site }: Context,
  ref: VersionRef,
  name: RecordName,
): Promise<KnownRecord | undefined> {
  const own = await cache.readRecord(ref, name);
  if (own !== undefined) return { content: own, isOwn: true };
  const content = await site?.readRecord(ref, name);
  return content === undefined ? undefined : { content, isOwn: false };
}

/** Gives the names that the caches know below others: projects, a project's assets, or an asset's versions; sorted. */
export async function knownNames({ cache, site }: Context, ...above: readonly string[]): Promise<string[]> {
  const own = await cachedNames(cache.layout, ...above);
  if (site === undefined || !(await site.isThere())) return own;
  const others = (await ifReachable(() => cachedNames(site.layout, ...above))) ?? [];
  return [...new Set([...own, ...others])].sort();
}
