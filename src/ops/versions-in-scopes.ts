import { cachedVersions } from '../cache/cached-names.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { checkScope, formatScope, inScope, type Scope, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { findClone } from './find-clone.ts';
import { linkedScopes } from './registered-clones.ts';

/** What a clone is about, given by its folder or one in it: its version, and the others that its links lead into. */
export interface CloneScope {
  readonly clone: string;
}

/** A part of the cache. */
export type CacheScope = Scope | CloneScope;

/** Versions of the cache, and the scopes that they are in; all of them where there is no scope. */
export interface ScopedVersions {
  readonly versions: readonly VersionRef[];
  readonly scopes: readonly Scope[];
}

/** Finds the versions that are in any of some scopes, or all without one; throws `not-found` for a scope of which nothing is there. */
export async function versionsInScopes(
  ctx: Context,
  given: readonly CacheScope[],
  options: CallOptions,
): Promise<ScopedVersions> {
  const named: NamedScopes[] = [];
  for (const scope of given) named.push(await nameScope(ctx, scope, options));
  const scopes = named.flatMap((one) => one.scopes);
  const versions = await cachedVersions(ctx.cache.layout, scopes);
  for (const { name, scopes: own } of named) {
    if (own.some((scope) => versions.some((ref) => inScope(ref, scope)))) continue;
    throw new GypsumError('not-found', `The cache has nothing of ${name}.`, {
      hint: 'List what it has with "gypsum cache ls".',
    });
  }
  return { versions, scopes };
}

interface NamedScopes {
  readonly name: string;
  readonly scopes: readonly Scope[];
}

async function nameScope(ctx: Context, scope: CacheScope, options: CallOptions): Promise<NamedScopes> {
  if (!('clone' in scope)) return { name: formatScope(scope), scopes: [checkScope(scope)] };
  const { root, ref } = await findClone(ctx, scope.clone, options);
  const linked = (await linkedScopes(ctx, root, options)) ?? [];
  // A link to more than a version is no reason to mean all that is there.
  return { name: showText(root), scopes: [ref, ...linked.filter(({ version }) => version !== undefined)] };
}
