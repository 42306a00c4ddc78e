import { needsFiles } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { inScope, type Scope, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { linkedScopes, type RegisteredClone, readClones } from './registered-clones.ts';

/** What keeps a version in the cache. */
export type Keeper =
  /** A clone of it, or one with links to it: where it is, or where it was made if it cannot be found. */
  | { readonly type: 'clone'; readonly destination: string; readonly state: RegisteredClone['state'] }
  /** A receipt that cannot be read: it may be of a clone of any version. */
  | { readonly type: 'receipt'; readonly path: string }
  /** Somebody has saved or cloned it since it was looked at. */
  | { readonly type: 'use' };

export interface Keepers {
  /** Gives what keeps a version; nothing does if that is empty. */
  of(ref: VersionRef): Keeper[];
  /** Clones that cannot be found. */
  readonly missing: readonly RegisteredClone[];
}

/** Finds out which versions the registered clones need: those they were made from, and those that their links lead to. */
export async function findKeepers(
  ctx: Context,
  { forgetMissing }: { forgetMissing: boolean },
  options: CallOptions,
): Promise<Keepers> {
  const { clones, unreadable } = await readClones(ctx, options);
  const missing = clones.filter(({ state }) => state === 'missing');
  const needs: { scope: Scope; keeper: Keeper }[] = [];
  for (const { receipt, state, place } of clones) {
    if (state === 'missing' && forgetMissing) continue;
    const keeper = { type: 'clone', destination: place ?? receipt.destination, state } as const;
    const { project, asset, version } = receipt;
    if (needsFiles(receipt)) needs.push({ scope: { project, asset, version }, keeper });
    for (const scope of place === undefined ? [] : ((await linkedScopes(ctx, place, options)) ?? [])) {
      if (!(needsFiles(receipt) && inScope(receipt, scope))) needs.push({ scope, keeper });
    }
  }
  return {
    of: (ref) => [
      ...unreadable.map((path) => ({ type: 'receipt', path }) as const),
      ...needs.filter(({ scope }) => inScope(ref, scope)).map(({ keeper }) => keeper),
    ],
    missing,
  };
}

/** Says in words what keeps a version. */
export function describeKeeper(keeper: Keeper): string {
  switch (keeper.type) {
    case 'clone': {
      const where = showText(keeper.destination);
      if (keeper.state === 'found') return `the clone ${where} needs it`;
      return keeper.state === 'missing'
        ? `a clone was made at ${where} and cannot be found`
        : `whether the clone ${where} is there cannot be seen`;
    }
    case 'receipt':
      return `the receipt ${showText(keeper.path)} cannot be read, and may be of a clone of it`;
    case 'use':
      return 'it was used meanwhile';
  }
}
