import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import type { ManifestEntry } from '../model/manifest.ts';
import { type FileRef, formatFileRef, type VersionRef } from '../model/refs.ts';
import { type VersionState, type VersionSummary, versionState } from '../model/summary.ts';
import { loadDocuments, type VersionDocuments } from './version-documents.ts';

/** A file on the way from a file of a version to the one that holds its bytes. */
export interface TracedFile extends FileRef, Partial<Pick<VersionSummary, 'uploadUserId' | 'uploadFinish'>> {
  /** How far its version has come; `gone`: there is no such version or file any more; `other`: it holds something else. */
  readonly state: VersionState | 'gone' | 'other';
}

/** How many links are followed. Each version of an asset may link to the one before. */
const MAX_LINKS = 10_000;

/**
 * Follows the links of manifests from a file of a version, which comes first, to the one that holds its bytes, which comes
 * last. Where a version on the way is gone, the way goes on at the ancestor that the link to it names. Throws
 * `invalid-manifest` if links lead in a circle.
 */
export async function followLinks(ctx: Context, start: FileRef, options: CallOptions): Promise<TracedFile[]> {
  const way: TracedFile[] = [];
  const seen = new Set<string>();
  let content: ManifestEntry | undefined;
  let ancestor: FileRef | undefined;
  for (let next: FileRef | undefined = start; next !== undefined; ) {
    const at: FileRef = pick(next);
    if (seen.has(keys.file(at)) || way.length === MAX_LINKS) throw endless(start);
    seen.add(keys.file(at));
    const documents = await documentsIfAny(ctx, at, options);
    const entry = documents?.manifest[at.path];
    way.push({ ...at, ...about(documents, entry, content) });
    content ??= entry;
    ancestor = entry?.link?.ancestor ?? ancestor;
    next = entry === undefined && ancestor !== undefined && !seen.has(keys.file(ancestor)) ? ancestor : entry?.link;
  }
  return way;
}

function pick({ project, asset, version, path }: FileRef): FileRef {
  return { project, asset, version, path };
}

function about(
  documents: VersionDocuments | undefined,
  entry: ManifestEntry | undefined,
  content: ManifestEntry | undefined,
): Pick<TracedFile, 'state' | 'uploadUserId' | 'uploadFinish'> {
  if (documents === undefined || entry === undefined) return { state: 'gone' };
  const { uploadUserId, uploadFinish } = documents.summary;
  const isSame = content === undefined || (content.md5sum === entry.md5sum && content.size === entry.size);
  return {
    state: isSame ? versionState(documents.summary) : 'other',
    uploadUserId,
    ...(uploadFinish !== undefined && { uploadFinish }),
  };
}

async function documentsIfAny(
  ctx: Context,
  { project, asset, version }: VersionRef,
  options: CallOptions,
): Promise<VersionDocuments | undefined> {
  try {
    return await loadDocuments(ctx, { project, asset, version }, options);
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}

function endless(start: FileRef): GypsumError {
  return new GypsumError('invalid-manifest', `The links of ${formatFileRef(start)} come to no end.`, {
    hint: 'Tell the people who run the registry.',
    details: { ...start },
  });
}
