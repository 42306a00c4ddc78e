import type { Context } from '../context.ts';
import { placeIn } from '../model/local-path.ts';
import type { Entry, Tree } from '../model/tree.ts';
import { isLeftover } from '../tree/put-file.ts';
import type { LeftPath } from '../tree/standing.ts';
import { statThrough } from '../tree/stat-through.ts';
import type { Before, FileOf, Step } from '../tree/step.ts';
import { type ChangeResult, carryOut } from './apply-change-plan.ts';
import type { ChangePlan } from './change-plan.ts';
import { type FolderVersion, loadFolderVersion } from './cloned-version.ts';
import { findChanged } from './find-changed.ts';
import type { FoundClone } from './find-clone.ts';
import { findOldLinks } from './find-old-links.ts';
import { cachedPlace, type Linked } from './found.ts';
import { removalOf } from './leftovers.ts';
import { linksOf, readStanding, type Stood } from './read-standing.ts';
import { refuseEdited } from './refuse-edited.ts';
import { isRescuable, rescueEdits } from './rescue-edits.ts';
import { run } from './run.ts';
import type { SaveOptions } from './save-contents.ts';
import { type CloneParts, type CloneSelection, selectInClone } from './select-in-clone.ts';

export interface StageOptions extends SaveOptions, CloneSelection {
  /**
   * Make files of links whose cached file was edited through them, each with the edit, and give the cache the right content
   * again. Without it, they are an error. @default false
   */
  rescue?: boolean;
}

/**
 * Makes writable files of links in a clone, with their content: it is fetched first where it is not in the cache. `paths`
 * are links, folders with all links in them, or globs, in one clone; hard links to cached files count as links. Files that are
 * files already stay as they are, and so do symlinks that are the version's own (`left`).
 *
 * Throws `not-found` naming a path that means nothing there, `wrong-content` for what was edited through its link (unless
 * `rescue` is given), and what `applyChangePlan` and `saveVersion` throw.
 */
export async function stageFiles(
  ctx: Context,
  paths: readonly string[],
  { rescue = false, ...options }: StageOptions = {},
): Promise<ChangeResult> {
  return run(ctx, options, async () => {
    if (rescue) await rescueLinks(ctx, paths, options);
    const { clone, plan, documents } = await makePlan(ctx, paths, options);
    return carryOut(ctx, clone, plan, documents, options);
  });
}

/** Says what `stageFiles` would do, and does nothing: `applyChangePlan` does it. */
export async function planStage(
  ctx: Context,
  paths: readonly string[],
  options: Omit<StageOptions, 'rescue'> = {},
): Promise<ChangePlan> {
  return run(ctx, options, async () => (await makePlan(ctx, paths, options)).plan);
}

async function makePlan(
  ctx: Context,
  paths: readonly string[],
  options: Omit<StageOptions, 'rescue'>,
): Promise<{ clone: FoundClone; plan: ChangePlan; documents: FolderVersion }> {
  const { clone, chosen, leftovers, documents } = await choose(ctx, paths, options);
  const steps = [...leftovers];
  const left: LeftPath[] = [];
  let unchanged = 0;
  for (const { path, type, before, link, isOwn } of chosen) {
    if (link !== undefined && before !== undefined) {
      steps.push({ path, before, after: copyOf(ctx, link, before) });
    } else if (type === 'file') unchanged++;
    else left.push({ path, state: isOwn ? 'own' : type === 'special' ? 'special' : 'foreign' });
  }
  await refuseEdited(ctx, clone.root, linksOf(chosen), options);
  const { root: directory, ref, receipt } = clone;
  const plan = { verb: 'stage', ...ref, directory, mode: receipt.mode, steps, left, unchanged } as const;
  return { clone, plan: { ...plan, fetch: [] }, documents };
}

async function choose(
  ctx: Context,
  paths: readonly string[],
  options: Omit<StageOptions, 'rescue'>,
): Promise<{ clone: FoundClone; chosen: readonly Stood[]; leftovers: readonly Step[]; documents: FolderVersion }> {
  const parts = await selectInClone(ctx, paths, options, options);
  const { clone, choose: pick } = parts;
  const documents = await loadFolderVersion(ctx, clone.ref, options);
  const leftovers: Step[] = [];
  const entries = stagedEntries(parts, leftovers);
  const read = (tree: AsyncIterable<Tree> | Iterable<Tree>) => readStanding(ctx, clone, tree, [documents], options);
  let standing: readonly Stood[];
  if (parts.isWhole) {
    standing = await read(entries);
    pick(standing.map(({ path }) => path));
  } else {
    const found: Entry[] = [];
    for await (const part of entries) for (const entry of part) found.push(entry);
    const meant = pick(found.map(({ path }) => path));
    standing = await read([found.filter(({ path }) => meant.has(path))]);
  }
  const old = await findOldLinks(ctx, clone, standing, options);
  const chosen = old.size === 0 ? standing : standing.map((one) => withLink(one, old.get(one.path)));
  return { clone, chosen, leftovers, documents };
}

/** Gives what can be staged, part by part, and notes how what killed processes have left is taken away. */
async function* stagedEntries({ clone, tree }: CloneParts, leftovers: Step[]): AsyncGenerator<Tree> {
  for await (const part of tree) {
    for (const entry of part) leftovers.push(...removalOf(entry, clone.root));
    yield part.filter(({ type, path }) => type !== 'directory' && !isLeftover(path));
  }
}

function withLink(one: Stood, link: Linked | undefined): Stood {
  if (link === undefined || one.before?.type !== 'file') return one;
  return { ...one, before: { ...one.before, shared: true }, link };
}

/** A real file with the content of a cached one, for people to write to. */
function copyOf(ctx: Context, link: Linked, before: Before): FileOf {
  const place = cachedPlace(ctx, link);
  const there = statThrough(place);
  // What the site cache has no more is fetched into the user's own.
  const source = there === undefined ? ctx.cache.layout.file(link.file) : place;
  const permissions = 0o644 | ((there?.mode ?? 0) & 0o111);
  const digest = { algorithm: 'md5', hex: link.md5sum } as const;
  // Nearly all links have this text: of a million, one is 100 MiB.
  const text = before.type === 'symlink' && before.target === source ? before.target : source;
  return { type: 'file', mode: 'reflink', source: text, size: link.size, digest, permissions };
}

async function rescueLinks(ctx: Context, paths: readonly string[], options: StageOptions): Promise<void> {
  const { clone, chosen } = await choose(ctx, paths, options);
  const edited = await findChanged(ctx, linksOf(chosen), ({ path }) => placeIn(clone.root, path), options);
  await rescueEdits(
    ctx,
    clone.root,
    edited.filter((link) => isRescuable(clone.root, link)),
    options,
  );
}
