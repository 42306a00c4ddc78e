import { markUsed } from '../cache/last-used.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { type Count, countFiles } from '../model/count.ts';
import { type Manifest, selectEntries } from '../model/manifest.ts';
import {
  checkFileRef,
  checkVersionRef,
  type FileRef,
  formatFileRef,
  formatRef,
  type VersionRef,
} from '../model/refs.ts';
import { type Selection, selectFiles } from '../model/select-files.ts';
import { isImmutable } from '../model/summary.ts';
import { withoutRecord } from '../model/version-tree.ts';
import { checkCollisions } from './check-collisions.ts';
import { groupContents } from './content-parts.ts';
import { run } from './run.ts';
import { type SaveOptions, saveContents } from './save-contents.ts';
import { findInSite, type InSite, outsideSite } from './site-cache.ts';
import { loadVersion, type VersionDocuments } from './version-documents.ts';

export interface SaveVersionOptions extends SaveOptions, Selection {
  /**
   * Save the files that are links to other versions' too. Without them the version is not marked as complete, and
   * `resolveLinks` brings them. @default true
   */
  relink?: boolean;
}

export interface SaveResult extends VersionRef {
  /** The folder of the cache that holds the version's files; of the site cache, if that has all of them. */
  readonly directory: string;
  /** What was to be saved: all files of the version but a tree record, or those that are included and not excluded. */
  readonly files: number;
  /** Units: bytes */
  readonly bytes: number;
  /** Files among those that are used where the site cache has them; absent where none are. */
  readonly inSite?: Count;
  /** Files of the version that were not to be saved; absent where all were. */
  readonly leftOut?: Count;
  /** What had to be fetched: distinct contents, which may stand behind several files. */
  readonly fetched: { readonly contents: number; readonly bytes: number };
  /** Contents that other clients had left in the cache, or that were copied from the site cache. */
  readonly adopted: { readonly contents: number; readonly bytes: number };
}

/**
 * Fetches a version into the cache: each distinct content once, verified, and not if the cache has it. Throws
 * `not-found`, `version-unfinished`, `invalid-manifest`, `wrong-content` or `unavailable`.
 *
 * No request is made for a finished version that is whole in the cache, or in the site cache: from there, nothing is
 * copied if it has all that is meant, so that all of it stands in one folder either way.
 */
export async function saveVersion(
  ctx: Context,
  ref: VersionRef,
  options: SaveVersionOptions = {},
): Promise<SaveResult> {
  const version = checkVersionRef(ref);
  return run(ctx, options, async () => {
    const documents = await loadVersion(ctx, version, options);
    return (await findWholeInSite(ctx, documents, options)) ?? saveFiles(ctx, documents, options);
  });
}

async function findWholeInSite(
  ctx: Context,
  { ref, manifest }: VersionDocuments,
  { relink, include, exclude, overwrite, ...options }: SaveVersionOptions,
): Promise<SaveResult | undefined> {
  if (ctx.site === undefined || overwrite || relink === false) return undefined;
  const selected = selectFiles(manifest, ref, { include, exclude });
  const inSite = await findInSite(ctx, groupContents({ ref, manifest: selected }), options);
  if (inSite.size === 0 || inSite.size < Object.keys(selected).length) return undefined;
  const count = countOwn(selected);
  const none = { contents: 0, bytes: 0 };
  const directory = ctx.site.layout.versionFolder(ref);
  return { ...ref, directory, ...count, inSite: count, ...leftOut(manifest, selected), fetched: none, adopted: none };
}

/** Fetches one file of a version into the cache, unless the site cache has it, and gives its path. */
export async function saveFile(ctx: Context, file: FileRef, options: SaveOptions = {}): Promise<string> {
  const { path, ...ref } = checkFileRef(file);
  return run(ctx, options, async () => {
    return saveFileOf(ctx, await loadVersion(ctx, ref, options), path, options);
  });
}

/** Fetches one file of a version whose documents are at hand, as `saveFile` does. */
export async function saveFileOf(
  ctx: Context,
  { ref, manifest }: Pick<VersionDocuments, 'ref' | 'manifest'>,
  path: string,
  options: SaveOptions,
): Promise<string> {
  const file = { ...ref, path };
  const entry = manifest[path];
  if (entry === undefined) {
    throw new GypsumError('not-found', `There is no file ${formatFileRef(file)}.`, {
      hint: `List the version's files with "gypsum files ${formatRef(ref)}".`,
      details: { ...file },
    });
  }
  const contents = groupContents({ ref, manifest: { [path]: entry } });
  const [there] = options.overwrite ? [] : await findInSite(ctx, contents, options);
  if (there !== undefined) return there;
  await saveContents(ctx, contents, ref, options);
  markUsed(ctx.cache.layout, ref);
  return ctx.cache.layout.file(file);
}

export interface SaveFilesOptions extends SaveVersionOptions {
  /** Files of the site cache that are used where they are. @default none */
  inSite?: InSite;
  /** The files that are meant, whatever the patterns are. */
  selected?: Manifest;
}

/** Saves the files of a version whose documents are at hand. */
export async function saveFiles(
  ctx: Context,
  documents: VersionDocuments,
  { relink = true, include, exclude, inSite = new Set(), selected: chosen, ...options }: SaveFilesOptions,
): Promise<SaveResult> {
  const { ref, summary } = documents;
  const selected = chosen ?? selectFiles(documents.manifest, ref, { include, exclude });
  const manifest = relink ? selected : selectEntries(selected, ({ link }) => link === undefined);
  await checkCollisions(ref, Object.keys(manifest), ctx.cache.layout.root);
  const contents = outsideSite(ctx, groupContents({ ref, manifest }), inSite);
  const whole = manifest === documents.manifest && inSite.size === 0 ? contents : groupContents(documents);
  const outcome = await saveContents(ctx, contents, ref, {
    ...options,
    chosen: true,
    ...(isImmutable(summary) && { whole }),
  });
  markUsed(ctx.cache.layout, ref);
  return {
    ...ref,
    directory: ctx.cache.layout.versionFolder(ref),
    ...countOwn(manifest),
    ...(inSite.size > 0 && { inSite: countOwn(entriesInSite(ctx, ref, manifest, inSite)) }),
    ...leftOut(documents.manifest, selected),
    fetched: outcome.fetched,
    adopted: outcome.adopted,
  };
}

function entriesInSite({ site }: Context, ref: VersionRef, manifest: Manifest, inSite: InSite): Manifest {
  return selectEntries(manifest, (_, path) => site !== undefined && inSite.has(site.layout.file({ ...ref, path })));
}

/** Gives how much of a version is left out, if anything is. */
export function leftOut(manifest: Manifest, selected: Manifest): { leftOut?: Count } {
  if (selected === manifest) return {};
  return { leftOut: countOwn(selectEntries(manifest, (_, path) => !(path in selected))) };
}

/** Counts files of a version without its tree record. */
function countOwn(manifest: Manifest): Count {
  return countFiles(Object.values(withoutRecord(manifest)));
}
