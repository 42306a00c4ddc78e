import { dirname, join } from 'node:path';
import type { Receipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { CloneMode } from '../model/clone-mode.ts';
import { type Count, countFiles } from '../model/count.ts';
import { placeIn } from '../model/local-path.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import { type Selection, selectFiles } from '../model/select-files.ts';
import type { Entry, KnownFile, SymlinkEntry } from '../model/tree.ts';
import type { StaleEntry } from '../model/version-tree.ts';
import { type ApplyOptions, applySteps } from '../tree/apply.ts';
import { type LayoutPlan, planLayout } from '../tree/plan.ts';
import { type PutFile, putFile } from '../tree/put-file.ts';
import { realPath } from '../tree/real-path.ts';
import { scanFolder } from '../tree/scan.ts';
import { findAstray } from './astray-links.ts';
import { checkCollisions } from './check-collisions.ts';
import { checkHoldable } from './check-holdable.ts';
import { checkDestination, checkEmpty, makeFolders, removeFolders } from './clone-destination.ts';
import { cloneFiles } from './clone-files.ts';
import { checkMode, chooseCloneMode, findMode } from './clone-mode.ts';
import { withReceipt } from './clone-receipt.ts';
import { type ClonedVersion, layOutTree, loadFolderVersion, makeProgramsOf, pathsOf } from './cloned-version.ts';
import { findCloneSources } from './find-clone-sources.ts';
import { holdFiles } from './hold-files.ts';
import { removeLeftovers } from './leftovers.ts';
import { refusedSymlink } from './refused-symlink.ts';
import { run } from './run.ts';
import type { SaveOptions } from './save-contents.ts';
import { leftOut, type SaveResult, saveFiles } from './save-version.ts';
import type { InSite } from './site-cache.ts';
import { scanInPartsIfThere } from './walk-version.ts';
import { watchBuckets } from './watch-buckets.ts';

export interface CloneOptions extends SaveOptions, Selection {
  /**
   * Fetch the version's files. Without them the links dangle, which is enough to publish the next version: only the
   * summary, the manifest and the tree record are asked for. Only symlinks can dangle. @default true
   */
  download?: boolean;
  /** Clone into a folder that holds something already: local files stay, and what is in the way is reported. @default false */
  merge?: boolean;
  /**
   * How the files stand in the clone. `symlink`: they lead into the cache. `hardlink`: they are the cached files, which
   * are read-only. `reflink`: they share bytes with them until they are written to, where the file system can do that.
   * `copy`: they are files of their own. `auto`: symlinks, or where those are refused the first of the others that works.
   *
   * All of them cost nothing to publish again as long as they are not changed. What is merged into a clone is made as the
   * rest of it, unless another mode is given; one of hard links stays so. @default 'auto'
   */
  mode?: CloneMode | 'auto';
}

export interface CloneResult extends VersionRef {
  /** The absolute path of the clone. */
  readonly destination: string;
  /** How its files stand there. */
  readonly mode: CloneMode;
  /** What was to be cloned: all files of the version, or those that are included and not excluded. */
  readonly files: number;
  /** Units: bytes */
  readonly bytes: number;
  /** Symlinks that are the version's own, by its tree record: they stand there in any case. Absent where it has none. */
  readonly symlinks?: number;
  /** What of the tree record is not in the folder, and why. Absent where all is. */
  readonly notLaidOut?: readonly StaleEntry[];
  /** Files of the version that were left out, and for which links stand. Absent where none were. */
  readonly leftOut?: Count;
  /** Files that were not to be fetched, and that the cache has not: links dangle until `fetchFiles` brings them. Absent without any. */
  readonly dangling?: Count;
  /** Links, or files in other modes, that were made now, and those that were there already. */
  readonly links: { readonly made: number; readonly unchanged: number };
  /** Paths of the version that stand for something else in the folder, which was left as it is. */
  readonly conflicts: readonly string[];
  /** Those of them that are links into a cache which is not there: `relinkClone` mends them if it was moved. */
  readonly astray?: readonly string[];
  /** What was saved in the cache; absent with `download: false`. */
  readonly saved?: Pick<SaveResult, 'fetched' | 'adopted' | 'inSite'>;
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
  { download = true, merge = false, mode = 'auto', include, exclude, ...options }: CloneOptions,
): Promise<CloneResult> {
  const version = checkVersionRef(ref);
  checkMode(mode, download);
  const patterns = given({ include, exclude });
  if (!download && Object.keys(patterns).length > 0) throw nothingToSelect();
  const place = checkDestination(ctx, destination, merge);
  return run(ctx, options, async () => {
    const before = merge ? await findMode(ctx, place, mode) : undefined;
    const folder = await loadFolderVersion(ctx, version, options);
    const documents = { ...folder, manifest: folder.whole };
    const paths = pathsOf(folder);
    const selected = selectFiles(folder.manifest, version, { include, exclude }, paths);
    const cloned = { ...folder, selected };
    checkHoldable(version, paths);
    await checkCollisions(version, paths, place);
    const mayLead = download && (mode === 'auto' || mode === 'symlink');
    let inSite = mayLead ? await findCloneSources(ctx, cloned, place, options) : NONE;
    const saving = { ...options, ...(selected !== folder.manifest && { selected }) };
    let saved = download ? await saveFiles(ctx, documents, { ...saving, inSite }) : undefined;
    const bring = async () => {
      inSite = NONE;
      saved = await saveFiles(ctx, documents, saving);
    };
    const made = makeFolders(place);
    try {
      if (!merge) checkEmpty(place);
      const choice = { download, before, bring: inSite.size > 0 ? bring : undefined };
      const chosen = mode === 'auto' ? await chooseCloneMode(ctx, cloned, place, choice, put) : mode;
      checkMode(chosen, download);
      if (chosen !== 'symlink' && inSite.size > 0) await bring();
      const actual = merge ? await scanExisting(place, chosen !== 'symlink', options) : [];
      const notLaidOut = [...(folder.tree?.stale ?? [])];
      const notMade: string[] = [];
      const onRefused = (path: string, error: Error) => {
        notMade.push(path);
        notLaidOut.push(refusedSymlink(path, error));
      };
      const apply = { ...options, orCopy: mode === 'auto', put, onRefused };
      const siteCache = inSite.size > 0 ? { siteCache: ctx.site?.layout.root } : {};
      const receipt = { ...version, destination: realPath(place), mode: chosen, ...patterns, ...siteCache };
      const { steps, conflicts, unchanged } = await withReceipt(ctx, receipt, async (amend) => {
        if (download) {
          await holdFiles(ctx, version, options, () => saveFiles(ctx, documents, { ...saving, inSite }));
          await makeProgramsOf(ctx, cloned, options);
        }
        const plan = await (chosen === 'symlink'
          ? cloneLinks(ctx, cloned, place, inSite, actual, apply)
          : cloneFiles(ctx, cloned, place, chosen, actual, apply));
        if (notMade.length > 0) await amend({ notMade });
        return plan;
      });
      if (notLaidOut.length > 0) options.onEvent?.({ type: 'left-out', ref: version, entries: notLaidOut });
      const { files, bytes } = saved ?? countFiles(Object.values(selected));
      return {
        ...version,
        destination: place,
        mode: chosen,
        files,
        bytes,
        ...countSymlinks(cloned),
        ...(notLaidOut.length > 0 && { notLaidOut }),
        ...leftOut(folder.manifest, selected),
        ...(await countDangling(ctx, cloned, download, conflicts, options)),
        links: { made: steps.filter(({ after }) => after.type !== 'directory').length, unchanged },
        conflicts,
        ...astrayOf(ctx, place, actual, conflicts),
        ...(saved === undefined ? {} : { saved: pickSaved(saved) }),
      };
    } catch (error) {
      removeFolders(made);
      throw error;
    }
  });
}

/** Counts what was not to be fetched and is not in the cache, but for what has no link. */
async function countDangling(
  ctx: Context,
  { ref, manifest, selected }: ClonedVersion,
  download: boolean,
  conflicts: readonly string[],
  { signal }: CallOptions,
): Promise<Pick<CloneResult, 'dangling'>> {
  if (download && selected === manifest) return {};
  const others = new Set(conflicts);
  const hasLink = (path: string) => path in manifest && !others.has(path) && !(download && path in selected);
  const sizeOf = (path: string) => manifest[path]?.size ?? 0;
  let files = 0;
  let bytes = 0;
  for (const path in manifest) {
    if (!hasLink(path)) continue;
    files++;
    bytes += sizeOf(path);
  }
  for await (const part of scanInPartsIfThere(ctx.cache.layout.versionFolder(ref), { signal })) {
    for (const { path } of part) {
      if (!hasLink(path)) continue;
      files--;
      bytes -= sizeOf(path);
    }
  }
  return files > 0 ? { dangling: { files, bytes } } : {};
}

const NONE: InSite = new Set();

function pickSaved({ fetched, adopted, inSite }: SaveResult): NonNullable<CloneResult['saved']> {
  return { fetched, adopted, ...(inSite !== undefined && { inSite }) };
}

function astrayOf(
  ctx: Context,
  place: string,
  actual: readonly Entry[],
  conflicts: readonly string[],
): Pick<CloneResult, 'astray'> {
  if (conflicts.length === 0) return {};
  const there = new Set(conflicts);
  const buckets = watchBuckets(ctx);
  const root = realPath(place);
  const astray = actual.flatMap((entry) => {
    if (entry.type !== 'symlink' || !there.has(entry.path)) return [];
    const to = buckets.resolve(dirname(join(root, entry.path)), entry.target);
    return findAstray(root, entry, to) === undefined ? [] : [entry.path];
  });
  return astray.length > 0 ? { astray } : {};
}

function nothingToSelect(): GypsumError {
  return new GypsumError(
    'invalid-argument',
    'Of a clone whose files are not fetched, none can be included or excluded.',
    { hint: 'Leave out either "download: false" (--no-download), or the patterns.' },
  );
}

/** Gives the patterns that were given, to be written down. */
function given({ include = [], exclude = [] }: Selection): Pick<Receipt, 'include' | 'exclude'> {
  return { ...(include.length > 0 && { include: [...include] }), ...(exclude.length > 0 && { exclude: [...exclude] }) };
}

async function cloneLinks(
  ctx: Context,
  cloned: ClonedVersion,
  place: string,
  inSite: InSite,
  actual: Entry[],
  options: ApplyOptions,
): Promise<LayoutPlan> {
  const plan = planLayout(layOutTree(cloned, linksOf(ctx, cloned.ref, inSite)), actual);
  options.onEvent?.({ type: 'start', task: 'clone', files: plan.steps.length, bytes: 0 });
  await applySteps(place, plan.steps, options);
  options.onEvent?.({ type: 'end', task: 'clone' });
  return plan;
}

async function scanExisting(place: string, sizes: boolean, options: CallOptions): Promise<Entry[]> {
  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  const tree = await scanFolder(place, { ...options, sizes });
  await removeLeftovers(place, tree, options);
  options.onEvent?.({ type: 'end', task: 'scan' });
  return tree;
}

function linksOf({ cache, site }: Context, ref: VersionRef, inSite: InSite): (file: KnownFile) => Entry {
  const folder = cache.layout.versionFolder(ref);
  const siteFolder = inSite.size === 0 ? undefined : site?.layout.versionFolder(ref);
  return ({ path }) => {
    const isInSite = siteFolder !== undefined && inSite.has(placeIn(siteFolder, path));
    return new LinkInto(isInSite ? siteFolder : folder, path);
  };
}

/** A symlink to a file of a folder. Its text is made when it is asked for: those of a million links take 170 MiB. */
class LinkInto implements SymlinkEntry {
  readonly type = 'symlink';
  readonly path: string;
  readonly #folder: string;

  constructor(folder: string, path: string) {
    this.#folder = folder;
    this.path = path;
  }

  get target(): string {
    return placeIn(this.#folder, this.path);
  }
}

function countSymlinks({ tree }: ClonedVersion): Pick<CloneResult, 'symlinks'> {
  const symlinks = tree?.entries.filter(({ type }) => type === 'symlink').length ?? 0;
  return symlinks > 0 ? { symlinks } : {};
}
