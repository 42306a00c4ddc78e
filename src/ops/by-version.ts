import { keys } from '../model/keys.ts';
import type { FileRef, VersionRef } from '../model/refs.ts';

/** What there is of one version. */
export interface OfVersion<T> {
  readonly ref: VersionRef;
  readonly items: T[];
}

/** Gathers things by the version that they belong to, in the order in which they come. */
export function byVersion<T>(items: Iterable<T>, refOf: (item: T) => VersionRef): readonly OfVersion<T>[] {
  return gather(items, refOf, (item) => item);
}

/** Gathers the paths of files by version: a reference for each file takes as much as its path. */
export function pathsByVersion(files: Iterable<FileRef>): readonly OfVersion<string>[] {
  return gather(
    files,
    (file) => file,
    ({ path }) => path,
  );
}

function gather<T, U>(items: Iterable<T>, refOf: (item: T) => VersionRef, take: (item: T) => U): OfVersion<U>[] {
  const versions = new Map<string, OfVersion<U>>();
  for (const item of items) {
    const { project, asset, version } = refOf(item);
    const ref = { project, asset, version };
    const id = keys.version(ref);
    const known = versions.get(id);
    if (known === undefined) versions.set(id, { ref, items: [take(item)] });
    else known.items.push(take(item));
  }
  return [...versions.values()];
}
