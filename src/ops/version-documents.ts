import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { checkManifest, type Manifest } from '../model/manifest.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import { isImmutable, summaryFromWire, type VersionSummary, wireSummary } from '../model/summary.ts';
import { parseJson } from '../registry/client.ts';

/** A version's two documents; from the cache alone where it cannot have changed. */
export interface VersionDocuments {
  readonly ref: VersionRef;
  readonly summary: VersionSummary;
  readonly manifest: Manifest;
}

/** Units: bytes */
const MAX_SUMMARY = 64 * 1024;

/** Units: bytes. A million files with links fit. */
const MAX_MANIFEST = 384 * 1024 * 1024;

/** Gives a version's documents, or throws `not-found` or `version-unfinished`. */
export async function loadVersion(ctx: Context, ref: VersionRef, options: CallOptions): Promise<VersionDocuments> {
  const summary = await loadSummary(ctx, ref, options);
  if (summary.uploadFinish === undefined) {
    throw new GypsumError('version-unfinished', `The upload of ${formatRef(ref)} has not been completed.`, {
      hint: 'Try again when its uploader has finished, or use another version.',
      details: { ...ref, since: summary.uploadStart },
    });
  }
  return { ref, summary, manifest: await loadManifest(ctx, ref, summary, options) };
}

/** Gives `..summary`: from the cache if the version is known to be immutable, else asked for. */
export async function loadSummary(ctx: Context, ref: VersionRef, options: CallOptions): Promise<VersionSummary> {
  const known = await ctx.cache.readRecord(ref, 'summary');
  if (known !== undefined) return parseSummary(known, ref);
  const content = await readDocument(ctx, ref, keys.summary(ref), MAX_SUMMARY, options);
  const summary = parseSummary(content.toString('utf8'), ref);
  if (isImmutable(summary)) await ctx.cache.writeRecord(ref, 'summary', content);
  return summary;
}

/** Gives `..manifest`; it is remembered if the summary says that the version can no longer change. */
export async function loadManifest(
  ctx: Context,
  ref: VersionRef,
  summary: VersionSummary,
  options: CallOptions,
): Promise<Manifest> {
  const what = `Reading the manifest of ${formatRef(ref)}`;
  const known = isImmutable(summary) ? await ctx.cache.readRecord(ref, 'manifest') : undefined;
  if (known !== undefined) return checkManifest(parseJson(known, what), ref);
  const content = await readDocument(ctx, ref, keys.manifest(ref), MAX_MANIFEST, options);
  const manifest = checkManifest(parseJson(content.toString('utf8'), what), ref);
  if (isImmutable(summary)) await ctx.cache.writeRecord(ref, 'manifest', content);
  return manifest;
}

async function readDocument(ctx: Context, ref: VersionRef, key: string, limit: number, options: CallOptions) {
  try {
    return await ctx.registry.read(key, limit, options);
  } catch (error) {
    if (!isGypsumError(error, 'not-found')) throw error;
    throw new GypsumError('not-found', `${ctx.registry.url} has no version ${formatRef(ref)}.`, {
      hint: `List what there is with "gypsum versions ${formatRef({ project: ref.project, asset: ref.asset })}".`,
      details: { ...ref },
      cause: error,
    });
  }
}

function parseSummary(text: string, ref: VersionRef): VersionSummary {
  const parsed = wireSummary.safeParse(parseJson(text, `Reading the summary of ${formatRef(ref)}`));
  if (parsed.success) return summaryFromWire(parsed.data);
  throw new GypsumError('invalid-response', `The summary of ${formatRef(ref)} is not as it must be.`, {
    hint: 'Check that the URL is the one of a gypsum registry.',
    cause: parsed.error,
  });
}
