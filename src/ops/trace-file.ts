import { basename, dirname, join, relative, sep } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { GypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { Manifest } from '../model/manifest.ts';
import { checkFileRef, type FileRef, formatFileRef, formatRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { UploadFile } from '../model/upload-plan.ts';
import { absolutePath, realPath } from '../tree/real-path.ts';
import { readLink } from '../tree/scan.ts';
import { digestFiles } from './digest-files.ts';
import { findChanged } from './find-changed.ts';
import { type FoundClone, findClone } from './find-clone.ts';
import { findLinks } from './find-links.ts';
import { followLinks, type TracedFile } from './follow-links.ts';
import { createLinkTargets } from './link-targets.ts';
import { run } from './run.ts';
import { loadVersion } from './version-documents.ts';
import { watchBuckets } from './watch-buckets.ts';

/** Where the bytes of a file come from. */
export interface FileTrace {
  /** The local file, an absolute path; absent for a file of a version. */
  readonly source?: string;
  /** Units: bytes. What the version says, for a link. */
  readonly size: number;
  readonly md5sum: string;
  /**
   * What the file is. `published`: one of a version, as was asked. `linked`: a link to one. `copy`: a file with the content of
   * the one at its path. `known`: a file with the content of another one, which may be another version's. `edited`: a link
   * to one that was edited in the cache. `modified`: it has content of its own in place of the one at its path. `added`: it
   * is new.
   */
  readonly state: 'published' | 'linked' | 'copy' | 'known' | 'edited' | 'modified' | 'added';
  /** From the version's file that it is, or was, to the one that holds the bytes; empty for one that is new. */
  readonly way: readonly TracedFile[];
}

/**
 * Says from which version the bytes of a file come: one of a version, or a local one in a clone. Throws `not-found`, and
 * `invalid-argument` for what is no file, and for a file that lies in no clone. Content is read only of local files that
 * were not digested before.
 */
export async function traceFile(ctx: Context, file: string | FileRef, options: CallOptions = {}): Promise<FileTrace> {
  if (typeof file !== 'string') {
    const ref = checkFileRef(file);
    return run(ctx, options, () => tracePublished(ctx, ref, { state: 'published' }, options));
  }
  if (file === '' || file.includes('\0')) throw noFile(file, 'is no path of a file');
  return run(ctx, options, () => traceLocal(ctx, absolutePath(file), options));
}

async function tracePublished(
  ctx: Context,
  file: FileRef,
  known: Pick<FileTrace, 'state' | 'source'>,
  options: CallOptions,
): Promise<FileTrace> {
  const { path, ...ref } = file;
  const entry = (await loadVersion(ctx, ref, options)).manifest[path];
  if (entry === undefined) {
    throw new GypsumError('not-found', `There is no file ${formatFileRef(file)}.`, {
      hint: `List the version's files with "gypsum files ${formatRef(ref)}".`,
      details: { ...file },
    });
  }
  return { ...known, size: entry.size, md5sum: entry.md5sum, way: await followLinks(ctx, file, options) };
}

async function traceLocal(ctx: Context, path: string, options: CallOptions): Promise<FileTrace> {
  const source = join(realFolder(dirname(path), path), basename(path));
  const buckets = watchBuckets(ctx);
  const stats = statIfThere(source);
  const isLink = stats?.isSymbolicLink() === true;
  // What stands in the cache itself is what its name says, as where a folder of a clone is a link.
  const to = buckets.resolve(dirname(source), isLink ? readLink(source) : source);
  if (to.type === 'inside') return traceLink(ctx, source, to.parts, options);
  if (stats === undefined || to.type === 'loop' || !to.exists) {
    throw noFile(path, isLink ? 'is a symlink to nothing' : 'is not there');
  }
  const size = isLink ? sizeOf(to.path) : stats.isFile() ? stats.size : undefined;
  if (size === undefined) throw noFile(path, 'is no file');
  return traceContent(ctx, source, size, options);
}

function realFolder(folder: string, path: string): string {
  try {
    return realPath(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR', 'ELOOP')) throw noFile(path, 'is not there', error);
    throw error;
  }
}

function sizeOf(path: string): number | undefined {
  const stats = statIfThere(path);
  return stats?.isFile() ? stats.size : undefined;
}

async function traceLink(
  ctx: Context,
  source: string,
  parts: readonly string[],
  options: CallOptions,
): Promise<FileTrace> {
  const [target, ...others] = await createLinkTargets(ctx, options).find(parts, { changing: true });
  if (target === undefined) throw noFile(source, 'leads into the cache, but to no file of a version');
  if (target.below !== '' || others.length > 0) throw noFile(source, 'is no file');
  const shown = { size: target.size, md5sum: target.md5sum, project: target.source };
  const edited = await findChanged(ctx, [shown], () => source, options);
  const known = { source, state: edited.length > 0 ? 'edited' : 'linked' } as const;
  return tracePublished(ctx, target.file, known, options);
}

async function traceContent(ctx: Context, source: string, size: number, options: CallOptions): Promise<FileTrace> {
  const clone = await findClone(ctx, dirname(source), options);
  const path = relative(clone.root, source).split(sep).join('/');
  const { manifest } = await loadVersion(ctx, clone.ref, options);
  const [file] = await digestFiles(ctx, [{ path, size, source }], options);
  if (file === undefined) throw new Error(`${source} has no digest`);
  const { md5sum } = file;
  const entry = manifest[path];
  if (entry?.md5sum === md5sum && entry.size === size) {
    return tracePublished(ctx, { ...clone.ref, path }, { source, state: 'copy' }, options);
  }
  const known = await findContent(ctx, clone, manifest, file, options);
  if (known !== undefined) return tracePublished(ctx, known, { source, state: 'known' }, options);
  if (entry === undefined) return { source, size, md5sum, state: 'added', way: [] };
  const way = await followLinks(ctx, { ...clone.ref, path }, options);
  return { source, size, md5sum, state: 'modified', way };
}

/** Finds a file with the same content: in the clone's version, or in another one of the project that the cache knows. */
async function findContent(
  ctx: Context,
  { ref }: FoundClone,
  manifest: Manifest,
  file: UploadFile,
  options: CallOptions,
): Promise<FileRef | undefined> {
  for (const [path, { md5sum, size }] of Object.entries(manifest)) {
    if (md5sum === file.md5sum && size === file.size) return { ...ref, path };
  }
  // Whether they can be linked to does not matter here.
  const standing = { of: async () => true, ask: async () => {}, holds: async () => true };
  return (await findLinks(ctx, { ref, latest: undefined, standing }, [file], options)).get(file.path);
}

function noFile(path: string, why: string, cause?: unknown): GypsumError {
  return new GypsumError('invalid-argument', `"${showText(path)}" ${why}.`, {
    hint: 'Give a file of a clone, or one of a version as PROJECT/ASSET/VERSION:/PATH.',
    details: { path },
    cause,
  });
}
