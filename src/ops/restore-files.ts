import { statIfThere } from '../cache/blobs.ts';
import { parseBucketText } from '../cache/bucket-text.ts';
import { openTrash } from '../cache/trash.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { placeIn } from '../model/local-path.ts';
import { selectEntries } from '../model/manifest.ts';
import { selectMatching } from '../model/select-files.ts';
import { comparePaths, sortPaths } from '../model/tree.ts';
import { planRestoreSteps } from '../tree/plan-restore.ts';
import type { LeftPath, PlannedSteps } from '../tree/standing.ts';
import { type ChangeResult, carryOut } from './apply-change-plan.ts';
import type { ChangePlan } from './change-plan.ts';
import { createCloneLayout } from './clone-layout.ts';
import { type FolderVersion, loadFolderVersion } from './cloned-version.ts';
import { findChanged } from './find-changed.ts';
import type { FoundClone } from './find-clone.ts';
import { findCloneSources } from './find-clone-sources.ts';
import type { Linked } from './found.ts';
import { linksToFetch } from './needed-sources.ts';
import { linksOf, readStanding, type Stood } from './read-standing.ts';
import { discardEdits, isRescuable } from './rescue-edits.ts';
import { run } from './run.ts';
import type { SaveOptions } from './save-contents.ts';
import { type CloneSelection, selectInClone } from './select-in-clone.ts';

export interface RestoreOptions extends SaveOptions, CloneSelection {
  /**
   * Restore also what was modified, deleted or replaced, and, in the cache, what was edited through its link. What it was is
   * kept in the trash of the cache until that is pruned.
   * @default false
   */
  force?: boolean;
  /** Fetch what links lead to that dangle, but for files that were left out when it was cloned. @default true */
  download?: boolean;
}

/**
 * Makes files of a clone what they were: copies whose content is the version's become links again, or what the clone's mode
 * says, and links that were led elsewhere in the cache lead to their own file. Symlinks and empty folders of the version's own
 * come back where they were deleted or changed, with `force` as files do. `paths` are files, folders with all that is in
 * them, or globs, in one clone. What somebody has added stays in any case.
 *
 * Throws `not-found` naming a path that means nothing of the version, and what `applyChangePlan` and `saveVersion` throw.
 */
export async function restoreFiles(
  ctx: Context,
  paths: readonly string[],
  options: RestoreOptions = {},
): Promise<ChangeResult> {
  return run(ctx, options, async () => {
    const { clone, plan, documents, edited } = await makePlan(ctx, paths, options);
    const unwanted = options.force ? takenBack(clone, edited) : [];
    if (unwanted.length === 0) return carryOut(ctx, clone, plan, documents, options);
    const trash = openTrash(ctx.cache.layout);
    await discardEdits(ctx, clone.root, unwanted, { ...options, trash });
    const again = await makePlan(ctx, paths, options);
    const result = await carryOut(ctx, again.clone, again.plan, again.documents, { ...options, trash });
    const changed = new Set(again.plan.steps.map(({ path }) => path));
    // The link itself is as it was: what it leads to was replaced.
    const mended = unwanted.filter(({ path }) => !changed.has(path)).length;
    return { ...result, replaced: result.replaced + mended, unchanged: result.unchanged - mended };
  });
}

/**
 * Says what `restoreFiles` would do, and does nothing: `applyChangePlan` does it. What was edited through its link is left by a
 * plan, also with `force`; it says what would be taken back.
 */
export async function planRestore(
  ctx: Context,
  paths: readonly string[],
  options: RestoreOptions = {},
): Promise<ChangePlan> {
  return run(ctx, options, async () => {
    const { clone, plan, edited } = await makePlan(ctx, paths, options);
    const edits = options.force ? takenBack(clone, edited).map(({ path }) => path) : [];
    return edits.length === 0 ? plan : { ...plan, edits };
  });
}

/** Gives those of the links that were edited through whose files of the cache become what they were, if that is forced. */
function takenBack({ root }: FoundClone, edited: readonly Linked[]): Linked[] {
  return edited.filter((link) => !link.inSite && isRescuable(root, link));
}

interface Planned {
  readonly clone: FoundClone;
  readonly plan: ChangePlan;
  readonly documents: FolderVersion;
  readonly edited: readonly Linked[];
}

async function makePlan(
  ctx: Context,
  paths: readonly string[],
  { force = false, download = true, all, globs, ...options }: RestoreOptions,
): Promise<Planned> {
  const parts = await selectInClone(ctx, paths, { all, globs }, options);
  const { clone, tree } = parts;
  const { root, ref, receipt } = clone;
  const documents = await loadFolderVersion(ctx, ref, options);
  const { manifest, own: entries } = documents;
  const meant = parts.choose(sortPaths([...Object.keys(manifest), ...entries.keys()]));
  const selected = selectMatching(manifest, receipt);
  const isWanted = (path: string) => path in selected && meant.has(path);
  const mayLead = receipt.mode === 'symlink' && ctx.site !== undefined;
  const own = () => ({ ...documents, selected: selectEntries(selected, (_, path) => meant.has(path)) });
  const inSite = mayLead ? await findCloneSources(ctx, own(), root, options) : new Set<string>();
  const standing = await readStanding(ctx, clone, tree, [documents], options);
  const { layOut, isLaidOut } = createCloneLayout(ctx, documents, receipt.mode, selected, inSite);
  const isAstray = ({ path, before }: Stood) => {
    const { project, asset, version } = ref;
    const name = [project, asset, version, path].join('/');
    return before?.type === 'symlink' && parseBucketText(before.target).some(({ parts }) => parts.join('/') === name);
  };
  const wish = { manifest, own: entries, paths: sortPaths([...meant]), standing, layOut, isLaidOut, isAstray, force };
  const planned = planRestoreSteps(wish);
  const edited = await findEdited(ctx, root, standing, meant, options);
  const { steps, left, unchanged } = withoutEdited(planned, edited);
  const dangling = standing.filter((one) => isWanted(one.path) && isDangling(ctx, one) && isLaidOut(one));
  const fetch = download ? [...linksToFetch(ctx, steps, isWanted), ...dangling.map(({ path }) => path)] : [];
  const plan = { verb: 'restore', ...ref, directory: root, mode: receipt.mode, steps, left, unchanged, fetch } as const;
  return { clone, plan, documents, edited };
}

function isDangling({ cache }: Context, { type, link }: Stood): boolean {
  return (
    type === 'symlink' && link !== undefined && !link.inSite && statIfThere(cache.layout.file(link.file)) === undefined
  );
}

/** Finds the links whose cached file was edited through them: what they show is nowhere else. */
function findEdited(
  ctx: Context,
  root: string,
  standing: readonly Stood[],
  meant: ReadonlySet<string>,
  options: CallOptions,
): Promise<readonly Linked[]> {
  const links = linksOf(standing, ({ path }) => meant.has(path));
  return findChanged(ctx, links, ({ path }) => placeIn(root, path), options);
}

function withoutEdited({ steps, left, unchanged }: PlannedSteps, links: readonly Linked[]): PlannedSteps {
  const edited = new Set(links.map(({ path }) => path));
  if (edited.size === 0) return { steps, left, unchanged };
  const kept = steps.filter(({ path }) => !edited.has(path));
  const others = left.filter(({ path }) => !edited.has(path));
  const more = [...edited].map((path): LeftPath => ({ path, state: 'edited' }));
  return {
    steps: kept,
    left: [...others, ...more].sort((a, b) => comparePaths(a.path, b.path)),
    unchanged: unchanged - (edited.size - (steps.length - kept.length) - (left.length - others.length)),
  };
}
