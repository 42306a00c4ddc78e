import { join } from 'node:path';
import type { Context } from '../context.ts';
import { type ErrorCode, GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { Manifest } from '../model/manifest.ts';
import { checkVersionRef, type FileRef, formatFileRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { comparePaths } from '../model/tree.ts';
import type { TreeRecord } from '../model/tree-record.ts';
import type { LocalFile, LocalSource, PlannedFile, UploadFile, UploadLink, UploadPlan } from '../model/upload-plan.ts';
import { withoutRecord } from '../model/version-tree.ts';
import { statThrough } from '../tree/stat-through.ts';
import { checkProjectExists } from './check-project.ts';
import { digestFiles } from './digest-files.ts';
import { fetchLatest } from './fetch-latest.ts';
import { findEqual } from './find-equal.ts';
import { findLinks } from './find-links.ts';
import { planRecord } from './plan-record.ts';
import { checkFit, checkQuota } from './preflight.ts';
import { type PrepareOptions, prepareDirectoryUpload } from './prepare-directory-upload.ts';
import { run } from './run.ts';
import { createStanding } from './standing.ts';
import { checkVersionIsNew } from './upload-session.ts';
import { loadVersion, type VersionDocuments } from './version-documents.ts';

export interface PlanOptions extends PrepareOptions {
  /**
   * Make links of files whose content the latest version has, or another one of the project that the cache knows, or a file
   * beside it. @default true
   */
  deduplicate?: boolean;
}

/**
 * Says what publishing a folder as a version would send and what it would link. Files are read for their digests;
 * nothing is sent. Throws `version-exists`, `invalid-tree` or `file-changed`.
 */
export async function planUpload(
  ctx: Context,
  ref: VersionRef,
  directory: string,
  options: PlanOptions = {},
): Promise<UploadPlan> {
  const version = checkVersionRef(ref);
  const { signal, onEvent } = options;
  return run(ctx, options, async () => {
    await checkVersionIsNew(ctx, version, { signal, onEvent });
    const prepared = await prepareDirectoryUpload(ctx, directory, options);
    const located = <T extends LocalFile>(file: T) => ({ ...file, source: join(prepared.directory, file.path) });
    const { files, links, record } = prepared;
    const what = { ...options, ...(record !== undefined && { record }) };
    const plan = await planFiles(ctx, version, files.map(located), links.map(located), what);
    return prepared.ignored === undefined ? plan : { ...plan, ignored: prepared.ignored };
  });
}

/** Plans the upload of files in any places, and of their record if there is to be one, whose version is known to be new. */
export async function planFiles(
  ctx: Context,
  ref: VersionRef,
  sources: readonly LocalSource[],
  links: readonly UploadLink[],
  { deduplicate = true, record: tree, signal, onEvent }: PlanOptions & { record?: TreeRecord },
): Promise<UploadPlan> {
  const call = { signal, onEvent };
  checkFit(ref, sources);
  checkFit(ref, links);
  const files = await digestFiles(ctx, sources, call);
  const latest = await loadLatest(ctx, ref, call);
  // Whoever has mistyped the project learns it before anything is sent, also from a dry run.
  if (latest === undefined) await checkProjectExists(ctx, ref.project, call);
  const standing = createStanding(ctx, call);
  const { kept, gone } = await standing.divide(links);
  const open: Candidate[] = [...files, ...gone];
  const known = { ref, latest: latest?.ref, standing };
  const found = deduplicate ? await findLinks(ctx, known, open, call) : new Map<string, FileRef>();
  const linked = [...kept];
  const unknown: PlannedFile[] = [];
  for (const file of open) {
    const link = found.get(file.path);
    if (link !== undefined) linked.push({ ...file, link });
    else unknown.push(toSend(file));
  }
  unknown.sort(byPath);
  const { first, equal } = deduplicate ? await findEqual(ctx, ref, unknown, call) : { first: unknown, equal: [] };
  const record = await planRecord(ctx, latest, tree, call);
  checkFit(ref, record.made === undefined ? [] : [record.made]);
  const { kept: sameRecords } = await standing.divide(deduplicate ? record.links : []);
  const made = sameRecords.length === 0 ? record.made : undefined;
  await checkQuota(ctx, ref.project, made === undefined ? first : [...first, made], call);
  const unchanged =
    latest !== undefined &&
    record.isSame &&
    isSame(tree === undefined ? latest.manifest : withoutRecord(latest.manifest), [...files, ...links]);
  const isLatest = unchanged && (await standing.of(latest.ref));
  return {
    ...ref,
    files: first,
    links: [...linked, ...equal, ...sameRecords].sort(byPath),
    ...(made !== undefined && { record: made }),
    ...(isLatest ? { unchangedSince: latest.ref } : {}),
  };
}

const byPath = (a: LocalFile, b: LocalFile) => comparePaths(a.path, b.path);

/** What may become a link, or be sent: a file, or a link to what is no more. */
type Candidate = PlannedFile | UploadLink;

/** Gives what is to be sent, or throws `not-found` if its content is nowhere. */
function toSend(file: Candidate): PlannedFile {
  const { path, size, md5sum, source } = file;
  if (!('link' in file)) return file;
  if (source !== undefined && statThrough(source) !== undefined) return { path, size, md5sum, source };
  const target = formatFileRef(file.link);
  throw new GypsumError(
    'not-found',
    `"${showText(path)}" is a link to ${target}, whose content the registry does not have any more, and which is not in the cache.`,
    { hint: 'Remove the link, or put a file in its place.', details: { path, link: file.link } },
  );
}

const NO_LATEST: readonly ErrorCode[] = ['not-found', 'version-unfinished', 'invalid-manifest'];

async function loadLatest(ctx: Context, ref: VersionRef, call: CallOptions): Promise<VersionDocuments | undefined> {
  try {
    return await loadVersion(ctx, await fetchLatest(ctx, ref, call), call);
  } catch (error) {
    // A latest version that cannot be used is none to compare with; it keeps nobody from publishing a better one.
    if (isGypsumError(error) && NO_LATEST.includes(error.code)) return undefined;
    throw error;
  }
}

function isSame(manifest: Manifest, files: readonly UploadFile[]): boolean {
  if (files.length !== Object.keys(manifest).length) return false;
  return files.every((file) => {
    const entry = manifest[file.path];
    return entry !== undefined && entry.md5sum === file.md5sum && entry.size === file.size;
  });
}
