import { cachedVersions } from '../cache/cached-names.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { checkScope, formatScope, inScope, type Scope, type VersionRef } from '../model/refs.ts';

/** Gives the versions of the cache that are in any of the scopes, all if there are none; throws `not-found` for one that is empty. */
export async function versionsInScopes(ctx: Context, scopes: readonly Scope[]): Promise<VersionRef[]> {
  const checked = scopes.map(checkScope);
  const versions = await cachedVersions(ctx.cache.layout, checked);
  for (const scope of checked) {
    if (versions.some((ref) => inScope(ref, scope))) continue;
    throw new GypsumError('not-found', `The cache has nothing of ${formatScope(scope)}.`, {
      hint: 'List what it has with "gypsum cache ls".',
    });
  }
  return versions;
}
