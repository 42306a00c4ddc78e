import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { readReceipt, removeReceipt, writeReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { CLONE_MODES, type CloneMode } from '../model/clone-mode.ts';
import { countFiles } from '../model/count.ts';
import { fsPath } from '../model/local-path.ts';
import { type Manifest, manifestPaths } from '../model/manifest.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { type Entry, withDirectories } from '../model/tree.ts';
import { type ApplyOptions, applySteps } from '../tree/apply.ts';
import { chooseMode } from '../tree/choose-mode.ts';
import { type LayoutPlan, planLayout } from '../tree/plan.ts';
import { type PutFile, putFile } from '../tree/put-file.ts';
import { realPath } from '../tree/real-path.ts';
import { scanFolder } from '../tree/scan.ts';
import { checkCollisions } from './check-collisions.ts';
import { checkHoldable } from './check-holdable.ts';
import { checkDestination, checkEmpty, makeFolders, removeFolders } from './clone-destination.ts';
import { cloneFiles } from './clone-files.ts';
import { holdFiles } from './hold-files.ts';
import { run } from './run.ts';
import type { SaveOptions } from './save-contents.ts';
import { type SaveResult, saveFiles } from './save-version.ts';
import { loadVersion, type VersionDocuments } from './version-documents.ts';

export interface CloneOptions extends SaveOptions {
  /**
   * Fetch the version's files. Without them the links dangle, which is enough to publish the next version: only the
   * summary and the manifest are asked for. Only symlinks can dangle. @default true
   */
  download?: boolean;
  /** Clone into a folder that holds something already: local files stay, and what is in the way is reported. @default false */
  merge?: boolean;
  /**
   * How the files stand in the clone. `symlink`: they lead into the cache. `hardlink`: they are the cached files, which
   * are read-only. `reflink`: they share bytes with them until they are written to, where the file system can do that.
   * `copy`: they are files of their own. `auto`: symlinks, or where those are refused the first of the others that works.
   *
   * All of them cost nothing to publish again as long as they are not changed. @default 'auto'
   */
  mode?: CloneMode | 'auto';
}

export interface CloneResult extends VersionRef {
  /** The absolute path of the clone. */
  readonly destination: string;
  /** How its files stand there. */
  readonly mode: CloneMode;
  readonly files: number;
  /** Units: bytes */
  readonly bytes: number;
  /** Links, or files in other modes, that were made now, and those that were there already. */
  readonly links: { readonly made: number; readonly unchanged: number };
  /** Paths of the version that stand for something else in the folder, which was left as it is. */
  readonly conflicts: readonly string[];
  /** What was saved in the cache; absent with `download: false`. */
  readonly saved?: Pick<SaveResult, 'fetched' | 'adopted'>;
}

/**
 * Makes a folder of a version's files, as symlinks into the cache or otherwise, and a receipt of it in the cache. Throws
 * `destination-refused` for a folder that holds anything (unless `merge` is given), overlaps with the cache or cannot have
 * files in that mode, and what `saveVersion` throws.
 *
 * If it fails, the destination is as it was.
 */
export async function cloneVersion(
  ctx: Context,
  ref: VersionRef,
  destination: string,
  options: CloneOptions = {},
): Promise<CloneResult> {
  return cloneBy(putFile, ctx, ref, destination, options);
}

/** Clones by these ways to put a file into a folder. */
export async function cloneBy(
  put: PutFile,
  ctx: Context,
  ref: VersionRef,
  destination: string,
  { download = true, merge = false, mode = 'auto', ...options }: CloneOptions,
): Promise<CloneResult> {
  const version = checkVersionRef(ref);
  checkMode(mode, download);
  const place = checkDestination(ctx, destination, merge);
  return run(ctx, options, async () => {
    const documents = await loadVersion(ctx, version, options);
    checkHoldable(version, Object.keys(documents.manifest));
    await checkCollisions(version, documents.manifest, place);
    const saved = download ? await saveFiles(ctx, documents, options) : undefined;
    const made = makeFolders(place);
    try {
      if (!merge) checkEmpty(place);
      const chosen = mode === 'auto' ? await choose(ctx, documents, place, { download, merge }, put) : mode;
      checkMode(chosen, download);
      const actual = merge ? await scanExisting(place, chosen !== 'symlink', options) : [];
      const apply = { ...options, orCopy: mode === 'auto', put };
      const { steps, conflicts, unchanged } = await withReceipt(ctx, version, realPath(place), chosen, async () => {
        if (download) await holdFiles(ctx, documents, options);
        return chosen === 'symlink'
          ? cloneLinks(ctx, documents, place, actual, apply)
          : cloneFiles(ctx, documents, place, chosen, actual, apply);
      });
      return {
        ...version,
        destination: place,
        mode: chosen,
        ...countFiles(Object.values(documents.manifest)),
        links: { made: steps.filter((step) => step.type !== 'make-directory').length, unchanged },
        conflicts,
        ...(saved === undefined ? {} : { saved: { fetched: saved.fetched, adopted: saved.adopted } }),
      };
    } catch (error) {
      removeFolders(made);
      throw error;
    }
  });
}

function checkMode(mode: CloneMode | 'auto', download: boolean): void {
  if (mode !== 'auto' && !CLONE_MODES.includes(mode)) {
    throw new GypsumError('invalid-argument', `"${showText(String(mode))}" is not a mode of clones.`, {
      hint: `Give "auto" or one of "${CLONE_MODES.join('", "')}".`,
      details: { mode },
    });
  }
  if (download || mode === 'auto' || mode === 'symlink') return;
  throw new GypsumError('invalid-argument', `A clone whose files are not fetched cannot be of the mode "${mode}".`, {
    hint: 'Only symlinks can dangle: leave out the mode or take "symlink", or have the files fetched.',
    details: { mode },
  });
}

/** Finds the mode that works; what is added to a clone is made like the rest of it. */
async function choose(
  ctx: Context,
  { ref, manifest }: VersionDocuments,
  place: string,
  { download, merge }: { readonly download: boolean; readonly merge: boolean },
  put: PutFile,
): Promise<CloneMode> {
  const { layout } = ctx.cache;
  const before = merge ? (await readReceipt(layout, realPath(place)))?.mode : undefined;
  const [path] = Object.keys(manifest);
  // Without the files nothing but symlinks can be made, so that there is nothing to try.
  if (before !== undefined || !download || path === undefined) return before ?? 'symlink';
  return chooseMode(place, layout.file({ ...ref, path }), put);
}

async function cloneLinks(
  ctx: Context,
  { ref, manifest }: VersionDocuments,
  place: string,
  actual: Entry[],
  options: ApplyOptions,
): Promise<LayoutPlan> {
  const plan = planLayout(withDirectories(linkEntries(ctx, ref, manifest)), actual);
  options.onEvent?.({ type: 'start', task: 'clone', files: plan.steps.length, bytes: 0 });
  await applySteps(place, plan.steps, options);
  options.onEvent?.({ type: 'end', task: 'clone' });
  return plan;
}

/** Writes the receipt first, so that nothing is ever cloned that the cache does not know of; takes it back on failure. */
async function withReceipt<T>(
  ctx: Context,
  version: VersionRef,
  destination: string,
  mode: CloneMode,
  work: () => Promise<T>,
): Promise<T> {
  const { layout } = ctx.cache;
  await ctx.cache.open();
  const before = await readReceipt(layout, destination);
  const { dev: device, ino: inode, birthtimeMs: birth } = lstatSync(fsPath(destination));
  const createdAt = new Date().toISOString();
  await writeReceipt(layout, { ...version, destination, device, inode, birth, mode, createdAt });
  try {
    return await work();
  } catch (error) {
    if (before === undefined) await removeReceipt(layout, destination);
    else await writeReceipt(layout, before);
    throw error;
  }
}

async function scanExisting(place: string, sizes: boolean, options: CallOptions): Promise<Entry[]> {
  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  const tree = await scanFolder(place, { ...options, sizes });
  options.onEvent?.({ type: 'end', task: 'scan' });
  return tree;
}

function* linkEntries(ctx: Context, ref: VersionRef, manifest: Manifest): Generator<Entry> {
  const folder = ctx.cache.layout.versionFolder(ref);
  for (const path of manifestPaths(manifest)) {
    yield { type: 'symlink', path, target: join(folder, path) };
  }
}
