import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { isPlaceIn } from '../model/local-path.ts';
import { entryProject, type Manifest, type ManifestEntry, manifestPaths } from '../model/manifest.ts';
import { type FileRef, fileOf, fileRefOf, type VersionRef } from '../model/refs.ts';
import { isImmutable } from '../model/summary.ts';
import { comparePaths, isBelow } from '../model/tree.ts';
import { type VersionDocuments, versionIfAny } from './version-documents.ts';

/** One file that a link into the cache stands for. */
export interface LinkTarget {
  /** The path below the link: empty for a link to a file. */
  readonly below: string;
  readonly file: FileRef;
  /** Units: bytes */
  readonly size: number;
  readonly md5sum: string;
  /** The project whose bytes they are, which is where the cache knows them. */
  readonly source: string;
  /** Whether the version can no longer change. */
  readonly final: boolean;
}

/** The folder that a version at hand has in a cache. */
export interface Home {
  readonly ref: VersionRef;
  readonly manifest: Manifest;
  /** Whether the version can no longer change. */
  readonly immutable: boolean;
  readonly folder: string;
  readonly isSite: boolean;
}

/** Knows which files of versions the names below the bucket mean; each version's documents are looked up once. */
export interface LinkTargets {
  /**
   * Gives the home of the file that a symlink at a path of a folder leads to by its text alone: the same path of a version at
   * hand, or of that which was found last. Nearly all links of a clone do, and nothing is made for that. V8 at times takes what was made for the first of a
   * million for long-lived, and gives the memory of the others back late: on Node 24 a gigabyte.
   */
  home(path: string, text: string): Home | undefined;
  /**
   * Gives the file, or the files of the folder, that the names lead to: none if there is no such version or file. Only
   * files of versions that can no longer change may be linked to; `changing` gives those of others too.
   */
  find(parts: readonly string[], options?: { changing?: boolean }): Promise<readonly LinkTarget[]>;
}

interface Known {
  /** Of all files that are found, so that not each holds the text of the link that it was found by. */
  readonly ref: VersionRef;
  readonly manifest: Manifest;
  readonly immutable: boolean;
  /** In order, so that a folder's files stand together; made when a folder is first asked for. */
  paths?: readonly string[];
}

export function createLinkTargets(
  ctx: Context,
  options: CallOptions,
  loaded: readonly VersionDocuments[] = [],
): LinkTargets {
  const versions = new Map<string, Known | undefined>();
  const homesOf = (known: Known): Home[] => {
    const own = { ...known, folder: ctx.cache.layout.versionFolder(known.ref), isSite: false };
    if (ctx.site === undefined) return [own];
    return [own, { ...known, folder: ctx.site.layout.versionFolder(known.ref), isSite: true }];
  };
  for (const { ref, manifest, summary } of loaded) {
    versions.set(idOf(ref), { ref, manifest, immutable: isImmutable(summary) });
  }
  const homes = [...versions.values()].flatMap((known) => (known === undefined ? [] : homesOf(known)));
  let last: readonly Home[] = [];

  const look = async (ref: VersionRef): Promise<Known | undefined> => {
    const id = idOf(ref);
    if (versions.has(id)) return versions.get(id);
    // What is no version of the registry, or none yet, cannot be linked to; its content may be there all the same.
    const loaded = await versionIfAny(ctx, ref, options);
    const known = loaded && { ref, manifest: loaded.manifest, immutable: isImmutable(loaded.summary) };
    versions.set(id, known);
    if (known !== undefined) last = homesOf(known);
    return known;
  };

  return {
    home(path, text) {
      const isHome = ({ folder, manifest }: Home) => isPlaceIn(text, folder, path) && path in manifest;
      return homes.find(isHome) ?? last.find(isHome);
    },
    async find(parts, { changing = false } = {}) {
      const file = fileRefOf(parts);
      if (file === undefined) return [];
      const { path, ...ref } = file;
      const known = await look(ref);
      if (known === undefined || !(known.immutable || changing)) return [];
      const entry = known.manifest[path];
      return entry === undefined ? filesBelow(known, path) : [target(known, path, '', entry)];
    },
  };
}

function idOf({ project, asset, version }: VersionRef): string {
  return `${project}/${asset}/${version}`;
}

function filesBelow(known: Known, folder: string): LinkTarget[] {
  known.paths ??= manifestPaths(known.manifest);
  const found: LinkTarget[] = [];
  for (let at = firstBelow(known.paths, folder); at < known.paths.length; at++) {
    const path = known.paths[at];
    const entry = path === undefined ? undefined : known.manifest[path];
    if (path === undefined || entry === undefined || !isBelow(path, folder)) break;
    const below = folder === '' ? path : path.slice(folder.length + 1);
    found.push(target(known, path, below, entry));
  }
  return found;
}

/** Gives the place of the first path that does not sort before a folder's files. */
function firstBelow(paths: readonly string[], folder: string): number {
  let from = 0;
  let to = paths.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (comparePaths(paths[middle] ?? '', folder) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function target({ ref, immutable }: Known, path: string, below: string, entry: ManifestEntry): LinkTarget {
  const { size, md5sum } = entry;
  const source = entryProject(ref, entry);
  return { below, file: fileOf(ref, path), size, md5sum, source, final: immutable };
}
