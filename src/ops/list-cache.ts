import { statIfThere } from '../cache/blobs.ts';
import { lastUsed } from '../cache/last-used.ts';
import { isCloneOf } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { Count } from '../model/count.ts';
import type { Manifest } from '../model/manifest.ts';
import type { VersionRef } from '../model/refs.ts';
import { comparePaths } from '../model/tree.ts';
import { type RegisteredClone, readClones } from './registered-clones.ts';
import { run } from './run.ts';
import { storedManifest } from './stored-manifest.ts';
import { type CacheScope, versionsInScopes } from './versions-in-scopes.ts';
import { walkVersion } from './walk-version.ts';

/** What the cache has of one version. */
export interface CachedVersion extends VersionRef, Count {
  /** Every file of the version is there, in its size. Where the cache has no manifest: one of the clients says so. */
  readonly complete: boolean;
  /** When it was last saved or cloned; absent where no file of it is there. */
  readonly lastUsed?: Date;
  /** In the order of `comparePaths`. */
  readonly clones: readonly CachedClone[];
}

/** A registered clone of a version, and whether it can be found. */
export interface CachedClone {
  /** Where it is, or where it was made if it cannot be found. */
  readonly destination: string;
  readonly state: RegisteredClone['state'];
}

/** Lists the versions that the cache has, or those in some scopes; throws `not-found` for a scope of which it has nothing. */
export async function listCache(
  ctx: Context,
  scopes: readonly CacheScope[] = [],
  options: CallOptions = {},
): Promise<CachedVersion[]> {
  return run(ctx, options, async () => {
    const { versions } = await versionsInScopes(ctx, scopes, options);
    options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
    const { clones } = await readClones(ctx, options);
    const listed: CachedVersion[] = [];
    for (const ref of versions) {
      const own = clones.filter(({ receipt }) => isCloneOf(receipt, ref));
      listed.push({
        ...(await describe(ctx, ref, options)),
        clones: own
          .map(({ receipt, state, place = receipt.destination }) => ({ destination: place, state }))
          .toSorted((a, b) => comparePaths(a.destination, b.destination)),
      });
    }
    options.onEvent?.({ type: 'end', task: 'scan' });
    return listed;
  });
}

async function describe(ctx: Context, ref: VersionRef, options: CallOptions): Promise<Omit<CachedVersion, 'clones'>> {
  const { layout } = ctx.cache;
  const sizes = new Map<string, number>();
  await walkVersion(layout, ref, (path, stats) => stats.isFile() && sizes.set(path, stats.size), options);
  const manifest = await storedManifest(ctx, ref);
  const used = lastUsed(layout, ref);
  return {
    ...ref,
    files: sizes.size,
    bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    complete: manifest === undefined ? statIfThere(layout.complete(ref)) !== undefined : isWhole(manifest, sizes),
    ...(used !== undefined && { lastUsed: used }),
  };
}

function isWhole(manifest: Manifest, sizes: ReadonlyMap<string, number>): boolean {
  return Object.entries(manifest).every(([path, { size }]) => sizes.get(path) === size);
}
