import { join } from 'node:path';
import { checkFreeSpace } from '../cache/free-space.ts';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import { createPace } from '../give-way.ts';
import { type Count, countFiles } from '../model/count.ts';
import { type Manifest, selectEntries } from '../model/manifest.ts';
import { checkVersionRef, type Ref, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { factsOf, joinPath, nameOf } from '../model/tree.ts';
import type { RecordSymlink } from '../model/tree-record.ts';
import type { StaleEntry } from '../model/version-tree.ts';
import { applyChanges, type ChangeOptions } from '../tree/apply-changes.ts';
import { type Kept, keepFacts } from '../tree/keep-facts.ts';
import { type BlockedPath, type GetSurvey, type Placed, planGet, surveyForGet } from '../tree/plan-get.ts';
import { type PutFile, putFile } from '../tree/put-file.ts';
import type { Step } from '../tree/step.ts';
import { checkCollisions } from './check-collisions.ts';
import { checkHoldable } from './check-holdable.ts';
import { groupContents } from './content-parts.ts';
import { fetchLatest } from './fetch-latest.ts';
import { findInTree } from './find-in-tree.ts';
import { findGetPlace } from './get-destination.ts';
import { type GetEntry, type GetSymlinks, selectForGet } from './get-entries.ts';
import { leftoversIn, removalOf } from './leftovers.ts';
import { type LoadedTree, loadTree } from './load-tree.ts';
import { noteSkipped } from './note-skipped.ts';
import { run } from './run.ts';
import { type SaveOptions, saveContents } from './save-contents.ts';
import { findInSite, outsideSite } from './site-cache.ts';

/** What becomes of a file or symlink that stands in the place of another one. */
export type ExistsRule = 'preserve' | 'overwrite';

export interface GetOptions extends SaveOptions {
  /** What of the version: a folder or a file; symlinks are followed. @default '/' */
  path?: string;
  /**
   * What becomes of files and symlinks whose places are needed, or who says so for each. Without it, one that is there is an
   * error, and nothing is written.
   */
  exists?: ExistsRule | ((path: string) => Promise<ExistsRule>);
  /**
   * What becomes of the version's symlinks: they are made with the text that they have, left out, followed to what they lead to in
   * the version, or made where they do not lead out of what is written. @default 'keep'
   */
  symlinks?: GetSymlinks;
  /** Give what is written the modes and times of the version's tree record. @default false */
  preserve?: boolean;
}

export interface GetResult extends VersionRef, Count {
  /** The absolute path of what the version, the folder or the file was written to. */
  readonly destination: string;
  /** How many symlinks and folders were made. */
  readonly symlinks: number;
  readonly folders: number;
  /** Files and symlinks that others had the places of. */
  readonly overwritten: number;
  readonly preserved: number;
  /** What was not written, and why. */
  readonly skipped: readonly BlockedPath[];
  /** What the tree record says and the version's files do not bear out. */
  readonly stale: readonly StaleEntry[];
  readonly fetched: { readonly contents: number; readonly bytes: number };
}

/**
 * Writes a version, or a folder or file of it, as `cp -r` would: into a folder that is there, or to what is not there yet. Each
 * file is fetched into the cache, verified while it is copied, and takes its place at once; nothing is written through a symlink.
 *
 * Throws `not-found` for a path that leads nowhere, `destination-refused` where nothing can be written or something is there and
 * `exists` is not given, and what `saveVersion` throws.
 */
export function getTree(ctx: Context, ref: Ref, destination: string, options: GetOptions = {}): Promise<GetResult> {
  return getBy(putFile, ctx, ref, destination, options);
}

/** The same by given ways to put files and symlinks. */
export async function getBy(
  put: PutFile,
  ctx: Context,
  { version, ...asset }: Ref,
  destination: string,
  { path = '/', exists, symlinks = 'keep', preserve = false, ...options }: GetOptions = {},
): Promise<GetResult> {
  return run(ctx, options, async () => {
    const ref = version === undefined ? await fetchLatest(ctx, asset, options) : checkVersionRef({ ...asset, version });
    const loaded = await loadTree(ctx, ref, options);
    const { entry, path: at } = findInTree({ ref, ...loaded.tree }, path);
    const name = nameFor(path, at);
    const isFolder = entry.type === 'directory';
    const place = findGetPlace(ctx, destination, { isFolder, ...(name !== undefined && { name }) });
    const { entries, skipped } = selectForGet(loaded.tree.entries, at, symlinks);
    const what = entries
      .map((one) => ({ ...one, path: joinPath(place.name, one.path) }))
      // The folder that all goes into is there.
      .filter((one) => one.path !== '');
    checkHoldable(ref, pathsOf(what));
    await checkCollisions(ref, [...pathsOf(what)], place.root);
    const wanted = what.map((one) => placed(ctx, ref, one));
    const survey = await surveyForGet(place.root, wanted, createPace(options.signal));
    const replaced = await judgeTaken(place.root, survey, exists, options.signal);
    const steps = [...leftoverSteps(place.root, survey), ...planGet(wanted, survey, replaced)];
    const { sources, fetched } = await fetchNeeded(ctx, loaded, steps, what, options);
    await checkFreeSpace(place.root, countFiles(filesOf(steps)).bytes, showText(place.root), ROOM);
    const failed = await write(place.root, steps.map(sources), { ...options, put });
    const missing = new Set(failed.map((one) => one.path));
    if (isFolder && failed.length > 0) noteSkipped(place.root, place.name, symlinksOf(entries, place.name, missing));
    const done = steps.filter((step) => !missing.has(step.path));
    if (preserve) {
      const own = new Set([...done, ...survey.there].map((one) => one.path));
      await keepFacts(place.root, what.filter((one) => own.has(one.path)).map(toKept), createPace(options.signal));
    }
    return {
      ...ref,
      ...countFiles(filesOf(done)),
      destination: join(place.root, place.name),
      symlinks: done.filter(({ after }) => after?.type === 'symlink').length,
      folders: done.filter(({ after }) => after?.type === 'directory').length,
      overwritten: replaced.size,
      preserved: survey.taken.length - replaced.size,
      skipped: [
        ...skipped.map((one) => ({ ...one, path: joinPath(place.name, one.path) })),
        ...survey.blocked,
        ...failed,
      ],
      stale: loaded.tree.stale,
      fetched,
    };
  });
}

const ROOM = { why: 'are to be written', hint: 'Free some, or give a folder on another disk.' };

/** Gives the name of what a path names, as it was written; nothing for the root. */
function nameFor(path: string, resolved: string): string | undefined {
  if (resolved === '') return undefined;
  const typed = nameOf(path.replace(/\/+$/, ''));
  return typed === '.' || typed === '..' ? nameOf(resolved) : typed;
}

function placed(ctx: Context, ref: VersionRef, entry: GetEntry): Placed {
  const { path } = entry;
  if (entry.type === 'directory') return { path, after: { type: 'directory' } };
  if (entry.type === 'symlink') {
    const { target, targetType } = entry;
    return { path, after: { type: 'symlink', target, targetType } };
  }
  const { size, digest, mode = 0, from } = entry;
  const source = ctx.cache.layout.file({ ...ref, path: from });
  const permissions = mode & 0o111 ? { permissions: 0o755 } : {};
  return { path, after: { type: 'file', mode: 'copy', source, size, digest, ...permissions } };
}

/** Gives the paths of what is to be replaced, or throws `destination-refused` if nobody has said what is to become of it. */
async function judgeTaken(
  root: string,
  { taken }: GetSurvey,
  exists: GetOptions['exists'],
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> {
  const [first] = taken;
  if (first === undefined || exists === 'preserve') return new Set();
  if (exists === 'overwrite') return new Set(taken.map(({ path }) => path));
  if (exists === undefined) {
    const more = taken.length === 1 ? '' : `, and so are ${taken.length - 1} more`;
    throw new GypsumError('destination-refused', `${showText(join(root, first.path))} is there already${more}.`, {
      hint: 'Say what is to become of what is there: --exists preserve or --exists overwrite (in programs: exists).',
      details: { directory: root, paths: taken.map(({ path }) => path) },
    });
  }
  const replaced = new Set<string>();
  for (const { path } of taken) {
    signal?.throwIfAborted();
    if ((await exists(join(root, path))) === 'overwrite') replaced.add(path);
  }
  return replaced;
}

/** Fetches what is to be written, and gives for each step where its bytes are. */
async function fetchNeeded(
  ctx: Context,
  { ref, documents }: LoadedTree,
  steps: readonly Step[],
  what: readonly GetEntry[],
  options: SaveOptions,
) {
  const needed = new Set(filesOf(steps).map(({ path }) => path));
  const from = new Set(what.flatMap((one) => (one.type === 'file' && needed.has(one.path) ? one.from : [])));
  const manifest: Manifest = selectEntries(documents.manifest, (_, path) => from.has(path));
  const contents = groupContents({ ref, manifest });
  const inSite = options.overwrite ? new Set<string>() : await findInSite(ctx, contents, options);
  const { fetched } = await saveContents(ctx, outsideSite(ctx, contents, inSite), ref, { ...options, chosen: true });
  const { site, cache } = ctx;
  const sites = new Map(
    site === undefined || inSite.size === 0
      ? []
      : [...from].map((path) => [cache.layout.file({ ...ref, path }), site.layout.file({ ...ref, path })] as const),
  );
  const sources = (step: Step): Step => {
    if (step.after?.type !== 'file') return step;
    const other = sites.get(step.after.source);
    return other === undefined || !inSite.has(other) ? step : { ...step, after: { ...step.after, source: other } };
  };
  return { sources, fetched };
}

/** Gives the steps that take away what killed processes have left in the folders that are written into. */
function leftoverSteps(root: string, { there }: GetSurvey): Step[] {
  const folders = there.flatMap(({ path, after }) => (after.type === 'directory' ? [path] : []));
  return ['', ...folders].flatMap((folder) => leftoversIn(root, folder)).flatMap((entry) => removalOf(entry, root));
}

/** Carries out steps, and gives the symlinks that cannot be made there. */
async function write(root: string, steps: readonly Step[], options: ChangeOptions): Promise<BlockedPath[]> {
  const failed: BlockedPath[] = [];
  await applyChanges(root, steps, {
    ...options,
    onFailure({ path, after }, error) {
      if (after?.type !== 'symlink' || !isGypsumError(error, 'destination-refused')) throw error;
      failed.push({ path, why: 'is a symlink, which cannot be made there' });
    },
  });
  return failed;
}

function filesOf(steps: readonly Step[]) {
  return steps.flatMap(({ path, after }) => (after?.type === 'file' ? { path, size: after.size } : []));
}

/** Gives symlinks by their paths in the folder that is written, of those that are missing there. */
function symlinksOf(entries: readonly GetEntry[], folder: string, missing: ReadonlySet<string>): RecordSymlink[] {
  return entries.flatMap(({ from: _, ...entry }) =>
    entry.type === 'symlink' && missing.has(joinPath(folder, entry.path)) ? [entry] : [],
  );
}

function* pathsOf(entries: readonly GetEntry[]): Generator<string> {
  for (const { path } of entries) yield path;
}

function toKept(entry: GetEntry): Kept {
  return { path: entry.path, type: entry.type, ...factsOf(entry) };
}
