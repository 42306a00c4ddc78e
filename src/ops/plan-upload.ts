import { join } from 'node:path';
import type { Context } from '../context.ts';
import { type ErrorCode, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { type Manifest, manifestPaths } from '../model/manifest.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import { comparePaths } from '../model/tree.ts';
import type { LocalFile, LocalSource, PlannedFile, UploadFile, UploadLink, UploadPlan } from '../model/upload-plan.ts';
import { checkProjectExists } from './check-project.ts';
import { digestFiles } from './digest-files.ts';
import { fetchLatest } from './fetch-latest.ts';
import { type PrepareOptions, prepareDirectoryUpload } from './prepare-directory-upload.ts';
import { run } from './run.ts';
import { checkVersionIsNew } from './upload-session.ts';
import { loadVersion } from './version-documents.ts';

export interface PlanOptions extends PrepareOptions {
  /** Make links of files whose content the latest version has. @default true */
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
    return planFiles(ctx, version, prepared.files.map(located), prepared.links.map(located), options);
  });
}

/** Plans the upload of files in any places, whose version is known to be new. */
export async function planFiles(
  ctx: Context,
  ref: VersionRef,
  sources: readonly LocalSource[],
  links: readonly UploadLink[],
  { deduplicate = true, signal, onEvent }: PlanOptions,
): Promise<UploadPlan> {
  const call = { signal, onEvent };
  const files = await digestFiles(sources, call);
  const latest = await loadLatest(ctx, ref, call);
  // Whoever has mistyped the project learns it before anything is sent, also from a dry run.
  if (latest === undefined) await checkProjectExists(ctx, ref.project, call);
  const known = latest === undefined || !deduplicate ? new Map<string, UploadLink>() : linksByContent(latest);
  const sent: PlannedFile[] = [];
  const linked = [...links];
  for (const file of files) {
    const same = known.get(contentId(file));
    if (same === undefined) sent.push(file);
    else linked.push({ ...same, path: file.path, source: file.source });
  }
  linked.sort((a, b) => comparePaths(a.path, b.path));
  const unchanged = latest !== undefined && isSame(latest.manifest, [...files, ...links]);
  return { ...ref, files: sent, links: linked, ...(unchanged ? { unchangedSince: latest.ref } : {}) };
}

const NO_LATEST: readonly ErrorCode[] = ['not-found', 'version-unfinished', 'invalid-manifest'];

interface Latest {
  readonly ref: VersionRef;
  readonly manifest: Manifest;
}

async function loadLatest(ctx: Context, ref: VersionRef, call: CallOptions): Promise<Latest | undefined> {
  try {
    const latest = await fetchLatest(ctx, ref, call);
    return { ref: latest, manifest: (await loadVersion(ctx, latest, call)).manifest };
  } catch (error) {
    // A latest version that cannot be used is none to compare with; it keeps nobody from publishing a better one.
    if (isGypsumError(error) && NO_LATEST.includes(error.code)) return undefined;
    throw error;
  }
}

function linksByContent({ ref, manifest }: Latest): Map<string, UploadLink> {
  const links = new Map<string, UploadLink>();
  for (const path of manifestPaths(manifest)) {
    const entry = manifest[path];
    if (entry === undefined) continue;
    const { size, md5sum } = entry;
    links.set(contentId(entry), { path, link: { ...ref, path }, size, md5sum });
  }
  return links;
}

function contentId({ size, md5sum }: { readonly size: number; readonly md5sum: string }): string {
  return `${md5sum}/${size}`;
}

function isSame(manifest: Manifest, files: readonly UploadFile[]): boolean {
  if (files.length !== Object.keys(manifest).length) return false;
  return files.every((file) => {
    const entry = manifest[file.path];
    return entry !== undefined && contentId(entry) === contentId(file);
  });
}
