import { lstatSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readReceipt, removeReceipt, writeReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { GypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { countFiles } from '../model/count.ts';
import { fsPath } from '../model/local-path.ts';
import { type Manifest, manifestPaths } from '../model/manifest.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { type Entry, withDirectories } from '../model/tree.ts';
import { applySteps } from '../tree/apply.ts';
import { planLayout } from '../tree/plan.ts';
import { absolutePath, overlaps, realPath } from '../tree/real-path.ts';
import { scanFolder } from '../tree/scan.ts';
import { checkCollisions } from './check-collisions.ts';
import { run } from './run.ts';
import { type SaveOptions, type SaveResult, saveFiles } from './save-version.ts';
import { loadVersion } from './version-documents.ts';

export interface CloneOptions extends SaveOptions {
  /**
   * Fetch the version's files. Without them the links dangle, which is enough to publish the next version: only the
   * summary and the manifest are asked for. @default true
   */
  download?: boolean;
  /** Clone into a folder that holds something already: local files stay, and what is in the way is reported. @default false */
  merge?: boolean;
}

export interface CloneResult extends VersionRef {
  /** The absolute path of the clone. */
  readonly destination: string;
  readonly files: number;
  /** Units: bytes */
  readonly bytes: number;
  /** Links made now, and links that were there already. */
  readonly links: { readonly made: number; readonly unchanged: number };
  /** Paths of the version that stand for something else in the folder, which was left as it is. */
  readonly conflicts: readonly string[];
  /** What was saved in the cache; absent with `download: false`. */
  readonly saved?: Pick<SaveResult, 'fetched' | 'adopted'>;
}

/**
 * Makes a folder of symlinks to a version's files in the cache, and a receipt of it in the cache. Throws
 * `destination-refused` for a folder that holds anything (unless `merge` is given) or overlaps with the cache, and what
 * `saveVersion` throws.
 *
 * If it fails, the destination is as it was.
 */
export async function cloneVersion(
  ctx: Context,
  ref: VersionRef,
  destination: string,
  options: CloneOptions = {},
): Promise<CloneResult> {
  const version = checkVersionRef(ref);
  const { download = true, merge = false, ...callOptions } = options;
  const place = checkDestination(ctx, destination, merge);
  return run(ctx, options, async () => {
    const documents = await loadVersion(ctx, version, callOptions);
    await checkCollisions(version, documents.manifest, place);
    const saved = download ? await saveFiles(ctx, documents, callOptions) : undefined;
    const wanted = withDirectories(linkEntries(ctx, version, documents.manifest));
    const made = makeFolders(place);
    try {
      const actual = merge ? await scanExisting(place, callOptions) : [];
      if (!merge) checkEmpty(place);
      const { steps, conflicts, unchanged } = planLayout(wanted, actual);
      callOptions.onEvent?.({ type: 'start', task: 'clone', files: steps.length, bytes: 0 });
      await withReceipt(ctx, version, realPath(place), () => applySteps(place, steps, callOptions));
      callOptions.onEvent?.({ type: 'end', task: 'clone' });
      return {
        ...version,
        destination: place,
        ...countFiles(Object.values(documents.manifest)),
        links: { made: steps.filter((step) => step.type === 'make-symlink').length, unchanged },
        conflicts,
        ...(saved === undefined ? {} : { saved: { fetched: saved.fetched, adopted: saved.adopted } }),
      };
    } catch (error) {
      removeFolders(made);
      throw error;
    }
  });
}

/** Writes the receipt first, so that nothing is ever cloned that the cache does not know of; takes it back on failure. */
async function withReceipt(ctx: Context, version: VersionRef, destination: string, work: () => Promise<void>) {
  const { layout } = ctx.cache;
  await ctx.cache.open();
  const before = await readReceipt(layout, destination);
  const { dev: device, ino: inode } = lstatSync(fsPath(destination));
  const createdAt = new Date().toISOString();
  await writeReceipt(layout, { ...version, destination, device, inode, mode: 'symlink', createdAt });
  try {
    await work();
  } catch (error) {
    if (before === undefined) await removeReceipt(layout, destination);
    else await writeReceipt(layout, before);
    throw error;
  }
}

async function scanExisting(place: string, options: CallOptions): Promise<Entry[]> {
  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  const tree = await scanFolder(place, { ...options, sizes: false });
  options.onEvent?.({ type: 'end', task: 'scan' });
  return tree;
}

function* linkEntries(ctx: Context, ref: VersionRef, manifest: Manifest): Generator<Entry> {
  const folder = ctx.cache.layout.versionFolder(ref);
  for (const path of manifestPaths(manifest)) {
    yield { type: 'symlink', path, target: join(folder, path) };
  }
}

/** Gives the absolute path of a destination that may be cloned into, or throws before anything is asked for. */
function checkDestination(ctx: Context, destination: string, merge: boolean): string {
  if (destination === '' || destination.includes('\0')) {
    throw new GypsumError('invalid-argument', `"${showText(destination)}" is not the path of a folder.`, {
      hint: 'Give the folder that the clone shall be made in.',
    });
  }
  const place = absolutePath(destination);
  const cache = realPath(ctx.cache.layout.root);
  const real = findDestination(place);
  if (overlaps(real, cache)) {
    throw refusal(
      place,
      `it and the cache ${showText(cache)} lie in each other`,
      'Clone into a folder outside of the cache.',
    );
  }
  const stats = lstatSync(fsPath(real), { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isDirectory()) {
    throw refusal(place, 'it is not a folder', 'Give another destination.');
  }
  if (stats !== undefined && !merge) checkEmpty(place);
  return place;
}

function findDestination(place: string): string {
  try {
    return realPath(place);
  } catch (error) {
    if (!isSystemError(error, 'ENOTDIR', 'ELOOP')) throw error;
    throw refusal(place, 'what is above it is not a folder', 'Give another destination.', error);
  }
}

function checkEmpty(place: string): void {
  if (readdirSync(fsPath(place)).length === 0) return;
  throw refusal(place, 'it is not empty', 'Give a new folder, or "merge" (--merge) to keep what is there.');
}

function refusal(place: string, why: string, hint: string, cause?: unknown): GypsumError {
  return new GypsumError('destination-refused', `Cannot clone into ${showText(place)}: ${why}.`, {
    hint,
    details: { destination: place },
    cause,
  });
}

/** Makes a folder and what is missing above it, and gives what it made, innermost first. */
function makeFolders(place: string): string[] {
  const missing: string[] = [];
  for (let at = place; lstatSync(fsPath(at), { throwIfNoEntry: false }) === undefined; at = dirname(at))
    missing.push(at);
  mkdirSync(fsPath(place), { recursive: true });
  return missing;
}

function removeFolders(made: readonly string[]): void {
  for (const folder of made) {
    try {
      rmdirSync(fsPath(folder));
    } catch (error) {
      // Somebody else has put something there meanwhile: theirs to keep.
      if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw error;
    }
  }
}
