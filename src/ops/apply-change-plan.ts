import { isDeepStrictEqual } from 'node:util';
import { versionsOf, writeReceipt } from '../cache/receipts.ts';
import { openTrash, type Trash } from '../cache/trash.ts';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { selectEntries } from '../model/manifest.ts';
import { formatFileRef, formatRef, sameVersion, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { comparePaths } from '../model/tree.ts';
import { isSymlinkTo, type StaleEntry } from '../model/version-tree.ts';
import { applyChanges } from '../tree/apply-changes.ts';
import type { LeftPath } from '../tree/standing.ts';
import type { Step } from '../tree/step.ts';
import { type OfVersion, pathsByVersion } from './by-version.ts';
import { type ChangePlan, checkChangePlan, noPlan } from './change-plan.ts';
import { type FolderVersion, loadFolderVersion, makeProgramsOf } from './cloned-version.ts';
import { type FoundClone, findClone } from './find-clone.ts';
import { neededSources } from './needed-sources.ts';
import { type Proof, proveContents } from './prove-contents.ts';
import { linksOfSteps, refuseEdited } from './refuse-edited.ts';
import { refusedSymlink } from './refused-symlink.ts';
import { rememberChanges } from './remember-changes.ts';
import { run } from './run.ts';
import type { Outcome, SaveOptions } from './save-contents.ts';
import { type SaveFileRefsOptions, saveFilesOf } from './save-file-refs.ts';
import { setOut } from './set-out.ts';
import type { VersionDocuments } from './version-documents.ts';

/** What was changed in a clone. */
export interface ChangeResult extends VersionRef {
  readonly verb: ChangePlan['verb'];
  /** The real path of the clone. */
  readonly directory: string;
  /** The version that it was of before, if that was another one. */
  readonly from?: VersionRef;
  /** How many files and links were made where nothing was, put in the place of others, and taken away. */
  readonly made: number;
  readonly replaced: number;
  readonly removed: number;
  /** Of the files among them that are no links. Units: bytes */
  readonly bytes: number;
  readonly left: readonly LeftPath[];
  readonly unchanged: number;
  /** What of the version's tree record could not be made, and why. Absent where all could. */
  readonly notLaidOut?: readonly StaleEntry[];
  /** Where what was replaced is kept until the cache is pruned; absent where nothing is. */
  readonly trash?: string;
  /** What had to be fetched: distinct contents. */
  readonly fetched: Outcome['fetched'];
}

/**
 * Carries out a plan of `planStage`, `planRestore` or `planCheckout`, also one that was kept as JSON. Throws `file-changed` at
 * the first path where the clone is neither as it was planned for nor as it is to be: its `details` say what is `done` and
 * what is `left`. One that was interrupted is finished by another run. Throws `invalid-argument` if this can be no such plan.
 */
export async function applyChangePlan(
  ctx: Context,
  plan: ChangePlan,
  options: SaveOptions = {},
): Promise<ChangeResult> {
  const checked = checkChangePlan(plan);
  return run(ctx, options, async () => {
    const clone = await findPlanned(ctx, checked, options);
    await refuseEdited(ctx, clone.root, await linksOfSteps(ctx, clone.root, checked.steps, options), options);
    const { project, asset, version } = checked;
    const documents = await loadFolderVersion(ctx, { project, asset, version }, options);
    return carryOut(ctx, clone, checked, documents, options);
  });
}

/**
 * Does it for a plan that was made just now, with the version that the clone is to be of; what it replaces is kept in a trash of its
 * own unless there is one already.
 */
export async function carryOut(
  ctx: Context,
  clone: FoundClone,
  plan: ChangePlan,
  documents: FolderVersion,
  { trash: given, ...options }: SaveOptions & { readonly trash?: Trash },
): Promise<ChangeResult> {
  const { verb, directory, from, steps, left, unchanged } = plan;
  const sources = pathsByVersion(neededSources(ctx, plan));
  checkOwn(plan, documents);
  const notLaidOut: StaleEntry[] = [];
  const refused: string[] = [];
  const { whole: manifest, ref, summary } = documents;
  const saving = { ...options, loaded: [{ ref, summary, manifest }] };
  const { fetched } = await saveSources(ctx, sources, saving);
  await ctx.cache.open();
  await makeProgramsOf(ctx, documents, options);
  const trash = given ?? (steps.some(({ keep }) => keep) ? openTrash(ctx.cache.layout) : undefined);
  const how = { orCopy: true, durable: verb === 'stage', ...(trash !== undefined && { keep: trash.keep }) };
  const save = () => saveSources(ctx, sources, saving);
  const journey = from === undefined ? undefined : await setOut(ctx, clone, documents.ref, save, options);
  const destination = journey === undefined ? clone.receipt.destination : directory;
  const proof = await proveHardLinks(ctx, documents, steps, options);
  try {
    const { made } = await applyChanges(directory, steps, {
      ...options,
      ...how,
      onRefused(path, error) {
        refused.push(path);
        notLaidOut.push(refusedSymlink(path, error));
      },
    });
    await rememberChanges(ctx, clone, documents, { steps, made, destination }, options);
  } catch (error) {
    if (hasDoneNothing(error)) await journey?.turnBack();
    throw error;
  } finally {
    await proof?.remember();
  }
  const notMade = findNotMade(clone, documents, steps, refused);
  if (journey !== undefined) await journey.arrive(notMade);
  else await noteNotMade(ctx, clone, notMade);
  if (notLaidOut.length > 0) options.onEvent?.({ type: 'left-out', ref: documents.ref, entries: notLaidOut });
  return {
    verb,
    ...documents.ref,
    directory,
    ...(from !== undefined && { from }),
    ...countSteps(steps),
    left,
    unchanged,
    ...(notLaidOut.length > 0 && { notLaidOut }),
    ...(trash !== undefined && { trash: trash.folder }),
    fetched,
  };
}

/** Gives the version's symlinks that could not be made in a clone, now or before. */
function findNotMade(
  { receipt }: FoundClone,
  { own }: FolderVersion,
  steps: readonly Step[],
  refused: readonly string[],
): string[] {
  const before = new Set(receipt.notMade?.filter((path) => own.get(path)?.type === 'symlink'));
  for (const { path } of before.size === 0 ? [] : steps) before.delete(path);
  return [...before, ...refused].sort(comparePaths);
}

/** Writes down which symlinks could not be made, where they are not the ones that the receipt has. */
async function noteNotMade({ cache }: Context, { receipt }: FoundClone, notMade: readonly string[]): Promise<void> {
  const { notMade: before = [], ...rest } = receipt;
  if (isDeepStrictEqual(notMade, before)) return;
  await writeReceipt(cache.layout, { ...rest, ...(notMade.length > 0 && { notMade: [...notMade] }) });
}

/** Throws `invalid-argument` for a step that would make another symlink than the version has. */
function checkOwn({ steps }: ChangePlan, { own }: FolderVersion): void {
  for (const { path, after } of steps) {
    if (after?.type !== 'symlink' || after.targetType === undefined || isSymlinkTo(own.get(path), after.target))
      continue;
    throw noPlan(`${showText(path)} would become another symlink than the version has`);
  }
}

async function findPlanned(ctx: Context, plan: ChangePlan, options: CallOptions): Promise<FoundClone> {
  const { directory, from, project, asset, version } = plan;
  const clone = await findClone(ctx, directory, options);
  const meant = [{ project, asset, version }, ...(from === undefined ? [] : [from])];
  const isIt = clone.root === directory && clone.receipt.mode === plan.mode;
  if (isIt && versionsOf(clone.receipt).some((ref) => meant.some((one) => sameVersion(one, ref)))) return clone;
  throw new GypsumError(
    'file-changed',
    `${showText(directory)} is not the clone of ${formatRef(meant.at(-1) ?? plan)} any more that the plan was made for.`,
    { hint: 'Nothing was changed. Plan it anew.', details: { directory } },
  );
}

async function saveSources(
  ctx: Context,
  files: readonly OfVersion<string>[],
  options: SaveFileRefsOptions,
): Promise<Outcome> {
  const { unknown, ...outcome } = await saveFilesOf(ctx, files, options);
  const [file] = unknown;
  if (file === undefined) return outcome;
  throw new GypsumError('not-found', `There is no file ${formatFileRef(file)}.`, {
    hint: 'Nothing was changed. Plan it anew.',
    details: { ...file },
  });
}

/** Sees to it that cached files are known though hard links to them are made now: that changes their inodes. */
async function proveHardLinks(
  ctx: Context,
  { manifest, ...documents }: VersionDocuments,
  steps: readonly Step[],
  options: CallOptions,
): Promise<Proof | undefined> {
  const linked = new Set(
    steps.filter(({ after }) => after?.type === 'file' && after.mode === 'hardlink').map(({ path }) => path),
  );
  if (linked.size === 0) return undefined;
  return proveContents(
    ctx,
    { ...documents, manifest: selectEntries(manifest, (_, path) => linked.has(path)) },
    options,
  );
}

function hasDoneNothing(error: unknown): boolean {
  if (!isGypsumError(error, 'file-changed')) return false;
  return Array.isArray(error.details.done) && error.details.done.length === 0;
}

function countSteps(steps: readonly Step[]): Pick<ChangeResult, 'made' | 'replaced' | 'removed' | 'bytes'> {
  const count = { made: 0, replaced: 0, removed: 0, bytes: 0 };
  for (const { before, after } of steps) {
    if (before?.type === 'directory' || after?.type === 'directory') continue;
    count[before === undefined ? 'made' : after === undefined ? 'removed' : 'replaced']++;
    if (after?.type === 'file') count.bytes += after.size;
  }
  return count;
}
