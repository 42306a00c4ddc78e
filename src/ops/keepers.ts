import { isCloneOf, needsFiles, versionsOf } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { inScope, type Scope, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { linkedScopes, type RegisteredClone, readClones } from './registered-clones.ts';

/** What keeps a version in the cache. */
export type Keeper =
  /** A clone of it, or one with links to it: where it is, or where it was made if it cannot be found. */
  | { readonly type: 'clone'; readonly destination: string; readonly state: RegisteredClone['state'] }
  /** A receipt that cannot be read: a clone may need the version, as far as the receipt does not say that it is of another one. */
  | { readonly type: 'receipt'; readonly path: string }
  /** Somebody has saved or cloned it since it was looked at. */
  | { readonly type: 'use' };

export interface Keepers {
  /** Gives what keeps a version; nothing does if that is empty. */
  of(ref: VersionRef): Keeper[];
  /** Gives the places of a version's clones whose files are their own: they keep nothing. */
  copiesOf(ref: VersionRef): string[];
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
    const own = needsFiles(receipt) ? versionsOf(receipt) : [];
    needs.push(...own.map((scope) => ({ scope, keeper })));
    for (const scope of place === undefined ? [] : ((await linkedScopes(ctx, place, options)) ?? [])) {
      if (!own.some((version) => inScope(version, scope))) needs.push({ scope, keeper });
    }
  }
  const unknown: Keeper[] = [];
  for (const { path, about } of unreadable) {
    const keeper = { type: 'receipt', path } as const;
    if (about === undefined) unknown.push(keeper);
    else {
      const { destination, ...scope } = about;
      const linked = (await linkedScopes(ctx, destination, options)) ?? [];
      for (const kept of [scope, ...linked.filter((other) => !inScope(scope, other))])
        needs.push({ scope: kept, keeper });
    }
  }
  return {
    of: (ref) => [...unknown, ...needs.filter(({ scope }) => inScope(ref, scope)).map(({ keeper }) => keeper)],
    copiesOf: (ref) =>
      clones.flatMap(({ receipt, place }) =>
        place !== undefined && !needsFiles(receipt) && isCloneOf(receipt, ref) ? [place] : [],
      ),
    missing,
  };
}

/** Says what can be done about what keeps versions and should not: each thing once. */
export function keeperHints(keepers: readonly Keeper[]): string[] {
  const hints = new Set<string>();
  for (const keeper of keepers) {
    if (keeper.type === 'clone' && keeper.state === 'missing') {
      hints.add(
        'Of a clone that cannot be found: if it was moved, "gypsum relink FOLDER" makes it known where it is; if it is gone, "gypsum cache prune --forget-missing" forgets it.',
      );
    }
    if (keeper.type === 'receipt') {
      hints.add(
        'Of a receipt that cannot be read: "gypsum relink FOLDER" writes that of a clone anew; if its clone is gone, remove the file.',
      );
    }
  }
  return [...hints];
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
      return `the receipt ${showText(keeper.path)} cannot be read: its clone may need it`;
    case 'use':
      return 'it was used meanwhile';
  }
}
