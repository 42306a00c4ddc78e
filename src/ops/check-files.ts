import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { isCloneOf } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { each } from '../each.ts';
import { isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { inodeId } from '../model/fingerprint.ts';
import { entryDigest, entryProject, type Manifest, type ManifestEntry } from '../model/manifest.ts';
import { fileOf, type VersionRef } from '../model/refs.ts';
import { isBelow, parentPath } from '../model/tree.ts';
import { statThrough } from '../tree/stat-through.ts';
import type { CacheFault, CacheProblem } from './cache-problems.ts';
import type { Prover } from './prover.ts';
import type { RegisteredClone } from './registered-clones.ts';
import { walkVersion } from './walk-version.ts';

export interface CheckFilesOptions extends CallOptions {
  readonly prover: Prover;
  /** The version is said to be complete. */
  readonly claimed: boolean;
  readonly clones: readonly RegisteredClone[];
}

/** A problem of a file, by its path in the version. */
type Wrong = Pick<CacheProblem, 'fault' | 'message' | 'size' | 'clones'> & { readonly file: string };

/**
 * Compares a version's folder with its manifest. Files that are not there are a problem only if it is
 * said that all are.
 */
export async function checkFiles(
  ctx: Context,
  ref: VersionRef,
  manifest: Manifest,
  { prover, claimed, clones, signal, onEvent }: CheckFilesOptions,
): Promise<CacheProblem[]> {
  const { layout } = ctx.cache;
  const there = new Map<string, Stats>();
  await walkVersion(layout, ref, (path, stats) => there.set(path, stats), { signal });
  const tell = ({ file, ...what }: Wrong) => ({ path: layout.file({ ...ref, path: file }), ref, file, ...what });
  const shapes = compareShapes(manifest, there);
  const problems: CacheProblem[] = shapes.map(tell);
  const blocked = new Set(shapes.filter(({ fault }) => fault === 'wrong-type').map(({ file }) => file));
  const pace = createPace(signal);
  const open: { file: string; entry: ManifestEntry; stats: Stats }[] = [];
  for (const file in manifest) {
    const entry = manifest[file];
    const stats = there.get(file);
    if (entry === undefined || isIn(file, blocked)) continue;
    if (stats !== undefined) open.push({ file, entry, stats });
    else if (claimed) problems.push(tell({ file, fault: 'missing', message: 'is not there', size: entry.size }));
    if (pace.due()) await pace.rest();
  }
  await each(open, { concurrency: ctx.concurrency, signal }, async ({ file, entry, stats }) => {
    const wrong = await checkFile(ctx, prover, fileOf(ref, file), entry, stats);
    if (wrong !== undefined) {
      const edited = wrong.fault === 'wrong-content' ? sameFiles(clones, ref, file, stats) : [];
      problems.push(tell({ file, size: stats.size, ...wrong, ...(edited.length > 0 && { clones: edited }) }));
    }
    onEvent?.({ type: 'progress', task: 'verify', files: 1, bytes: entry.size });
    if (pace.due()) await pace.rest();
  });
  return problems;
}

/** Gives the files of a version's clones that are a cached file, through a link or as one of its names. */
function sameFiles(clones: readonly RegisteredClone[], ref: VersionRef, file: string, stats: Stats): string[] {
  return clones
    .filter(({ receipt }) => isCloneOf(receipt, ref))
    .flatMap(({ place }) => (place === undefined ? [] : [join(place, file)]))
    .filter((path) => {
      const there = statIfAllowed(path);
      return there !== undefined && inodeId(there) === inodeId(stats);
    });
}

function statIfAllowed(path: string): Stats | undefined {
  try {
    return statThrough(path);
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

/** Finds what stands in the place of something else, and what is of no use. */
function compareShapes(manifest: Manifest, there: ReadonlyMap<string, Stats>): Wrong[] {
  const folders = new Set<string>();
  for (const path in manifest) {
    for (let folder = parentPath(path); folder !== '' && !folders.has(folder); folder = parentPath(folder)) {
      folders.add(folder);
    }
  }
  const problems = new Map<string, Wrong>();
  const add = (file: string, fault: CacheFault, message: string, size: number) =>
    problems.set(file, { file, fault, message, size: (problems.get(file)?.size ?? 0) + size });
  for (const [path, stats] of there) {
    const isWanted = Object.hasOwn(manifest, path);
    if (isWanted && stats.isFile()) continue;
    if (isWanted) add(path, 'wrong-type', `is ${kindOf(stats)}, and must be a file`, stats.size);
    else if (folders.has(path)) add(path, 'wrong-type', `is ${kindOf(stats)}, and must be a folder`, stats.size);
    else {
      const top = topmost(path, folders);
      if (Object.hasOwn(manifest, top)) add(top, 'wrong-type', 'is a folder, and must be a file', stats.size);
      else add(top, 'foreign', 'is not in the manifest', stats.size);
    }
  }
  return [...problems.values()];
}

/** Gives the part of a path that is the first below the folders of the manifest. */
function topmost(path: string, folders: ReadonlySet<string>): string {
  let top = path;
  for (let folder = parentPath(path); folder !== '' && !folders.has(folder); folder = parentPath(folder)) top = folder;
  return top;
}

function isIn(path: string, blocked: ReadonlySet<string>): boolean {
  if (blocked.size === 0) return false;
  return blocked.has(path) || [...blocked].some((folder) => isBelow(path, folder));
}

function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'a symlink';
  return stats.isFile() ? 'a file' : 'no file';
}

async function checkFile(
  ctx: Context,
  prover: Prover,
  file: VersionRef & { path: string },
  entry: ManifestEntry,
  stats: Stats,
): Promise<Pick<Wrong, 'fault' | 'message'> | undefined> {
  const { layout } = ctx.cache;
  const project = entryProject(file, entry);
  const expected = { digest: entryDigest(entry), size: entry.size };
  if (stats.size !== entry.size) {
    return { fault: 'wrong-content', message: `has ${stats.size} bytes, and must have ${entry.size}` };
  }
  const proof = await prover.prove(project, expected, layout.file(file), stats);
  if (proof === 'wrong') return { fault: 'wrong-content', message: `has not the MD5 ${entry.md5sum}` };
  if (proof === 'unreadable') return { fault: 'unreadable', message: 'cannot be read' };
  if (proof === 'gone' || (stats.mode & 0o222) === 0) return undefined;
  // Another client's file is its own to protect; the one that is a blob, too, is shared by versions.
  const blobs = [layout.blob(project, expected.digest), layout.executable(project, expected.digest)].map(statIfThere);
  if (!blobs.some((blob) => blob !== undefined && inodeId(blob) === inodeId(stats))) return undefined;
  return { fault: 'wrong-mode', message: 'can be written to' };
}
