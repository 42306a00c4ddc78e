import type { Context } from '../context.ts';
import type { Manifest } from '../model/manifest.ts';
import { type FileRef, sameVersion } from '../model/refs.ts';
import { isImmutable } from '../model/summary.ts';
import { type OfVersion, pathsByVersion } from './by-version.ts';
import { groupContents } from './content-parts.ts';
import { type Outcome, type SaveOptions, saveContents } from './save-contents.ts';
import { type VersionDocuments, versionIfAny } from './version-documents.ts';

export interface SavedFileRefs extends Outcome {
  /** Files that their versions do not have. */
  readonly unknown: readonly FileRef[];
}

export interface SaveFileRefsOptions extends SaveOptions {
  /** Documents of versions that are at hand. */
  readonly loaded?: readonly VersionDocuments[];
}

/** Fetches files of any versions into the cache. */
export async function saveFileRefs(
  ctx: Context,
  files: Iterable<FileRef>,
  options: SaveFileRefsOptions,
): Promise<SavedFileRefs> {
  return saveFilesOf(ctx, pathsByVersion(files), options);
}

/** Fetches files of some versions, which are given by their paths. */
export async function saveFilesOf(
  ctx: Context,
  versions: readonly OfVersion<string>[],
  { loaded = [], ...options }: SaveFileRefsOptions,
): Promise<SavedFileRefs> {
  const unknown: FileRef[] = [];
  const outcomes: Outcome[] = [];
  for (const { ref, items: paths } of versions) {
    // Those of a million files take 300 MiB, and are not needed twice.
    const known = loaded.find((one) => sameVersion(one.ref, ref) && isImmutable(one.summary));
    const documents = known ?? (await versionIfAny(ctx, ref, options));
    const manifest: Manifest = documents?.manifest ?? Object.create(null);
    const isThere = (path: string) => manifest[path] !== undefined;
    for (const path of paths) if (!isThere(path)) unknown.push({ ...ref, path });
    const whole = documents !== undefined && isImmutable(documents.summary) ? groupContents(documents) : undefined;
    const contents = groupContents({ ref, manifest }, new Set(paths.filter(isThere)));
    outcomes.push(await saveContents(ctx, contents, ref, { ...options, whole }));
  }
  return { unknown, ...addOutcomes(outcomes) };
}

function addOutcomes(outcomes: readonly Outcome[]): Outcome {
  const sum: Outcome = { fetched: { contents: 0, bytes: 0 }, adopted: { contents: 0, bytes: 0 } };
  for (const outcome of outcomes) {
    for (const how of ['fetched', 'adopted'] as const) {
      sum[how].contents += outcome[how].contents;
      sum[how].bytes += outcome[how].bytes;
    }
  }
  return sum;
}
