import type { Context } from '../context.ts';
import type { Manifest } from '../model/manifest.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import type { VersionSummary } from '../model/summary.ts';
import { run } from './run.ts';
import { type LoadOptions, loadDocuments, loadSummary } from './version-documents.ts';

/**
 * Gives a version's files by path. No request is made for a finished version that the cache knows; a manifest of an
 * upload in progress is given as it is now and not remembered.
 */
export async function fetchManifest(ctx: Context, ref: VersionRef, options: LoadOptions = {}): Promise<Manifest> {
  const version = checkVersionRef(ref);
  return run(ctx, options, async () => (await loadDocuments(ctx, version, options)).manifest);
}

/** Gives who uploaded a version and when. No request is made for a finished version that the cache knows. */
export async function fetchSummary(ctx: Context, ref: VersionRef, options: LoadOptions = {}): Promise<VersionSummary> {
  const version = checkVersionRef(ref);
  return run(ctx, options, () => loadSummary(ctx, version, options));
}
