import type { Context } from '../context.ts';
import type { ManifestEntry } from '../model/manifest.ts';
import { type FileRef, sameVersion } from '../model/refs.ts';
import { isImmutable } from '../model/summary.ts';
import { byVersion } from './by-version.ts';
import { groupContents, type Outcome, type SaveOptions, saveContents } from './save-contents.ts';
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
  files: readonly FileRef[],
  { loaded = [], ...options }: SaveFileRefsOptions,
): Promise<SavedFileRefs> {
  const unknown: FileRef[] = [];
  const outcomes: Outcome[] = [];
  for (const { ref, items } of byVersion(files, (file) => file)) {
    // Those of a million files take 300 MiB, and are not needed twice.
    const known = loaded.find((one) => sameVersion(one.ref, ref) && isImmutable(one.summary));
    const documents = known ?? (await versionIfAny(ctx, ref, options));
    const wanted: Record<string, ManifestEntry> = Object.create(null);
    for (const { path } of items) {
      const entry = documents?.manifest[path];
      if (entry === undefined) unknown.push({ ...ref, path });
      else wanted[path] = entry;
    }
    const whole = documents !== undefined && isImmutable(documents.summary) ? groupContents(documents) : undefined;
    outcomes.push(await saveContents(ctx, groupContents({ ref, manifest: wanted }), ref, { ...options, whole }));
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
