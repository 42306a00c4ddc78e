import { keys } from '../model/keys.ts';
import type { VersionRef } from '../model/refs.ts';

/** What there is of one version. */
export interface OfVersion<T> {
  readonly ref: VersionRef;
  readonly items: T[];
}

/** Gathers things by the version that they belong to, in the order in which they come. */
export function byVersion<T>(items: Iterable<T>, refOf: (item: T) => VersionRef): readonly OfVersion<T>[] {
  const versions = new Map<string, OfVersion<T>>();
  for (const item of items) {
    const { project, asset, version } = refOf(item);
    const ref = { project, asset, version };
    const id = keys.version(ref);
    const known = versions.get(id);
    if (known === undefined) versions.set(id, { ref, items: [item] });
    else known.items.push(item);
  }
  return [...versions.values()];
}
