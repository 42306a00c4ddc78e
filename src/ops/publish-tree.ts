import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import { callOf } from '../events.ts';
import { type Count, countFiles } from '../model/count.ts';
import type { MergedTree, TreeChange } from '../model/merge-trees.ts';
import { nextVersion } from '../model/next-version.ts';
import { recordFor } from '../model/record-for.ts';
import { type AssetRef, checkVersionRef, formatRef, type Ref, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { KnownFile } from '../model/tree.ts';
import type { LocalSource, UploadLink } from '../model/upload-plan.ts';
import { type ApplyOptions, countPlan, publishPlan } from './apply-upload.ts';
import { fetchLatest } from './fetch-latest.ts';
import { listVersions } from './list.ts';
import { type LoadedTree, loadTree } from './load-tree.ts';
import { planFiles } from './plan-upload.ts';
import { checkHasToken, checkVersionIsNew } from './upload-session.ts';

export interface ChangeTreeOptions extends ApplyOptions {
  /** Say what would be done, and do nothing. @default false */
  dryRun?: boolean;
  /** Publish the rest where something is wrong with some entries. @default false */
  ignoreErrors?: boolean;
}

/** The version that the next one is made of, and what that one is called. */
export interface NextVersion {
  readonly version: VersionRef;
  /** The latest version; absent if there is none. */
  readonly base?: LoadedTree;
}

/** What has become of a version; its tree record is not counted among its files. */
export interface ChangedTree extends VersionRef, Count {
  /** False where nothing had changed or something was wrong, and of a dry run; then the version is the one that would be made. */
  readonly published: boolean;
  /** The latest version before, if there was one. */
  readonly base?: VersionRef;
  /** Nothing differs from that, but for times. */
  readonly unchanged: boolean;
  /** In the order of paths. */
  readonly changes: readonly TreeChange[];
  /** Files whose content was sent, or would be. */
  readonly sent: Count;
  /** Files that became links, or would. */
  readonly linked: Count;
}

/** Where the content of a file of the version to be is; of others, it is where the base has it. */
export type Origin = { readonly source: string } | Pick<UploadLink, 'link' | 'seen' | 'source'>;

/** Finds the version that comes next: the one that is named, which must be new, or the largest whole number plus one. */
export async function findNext(
  ctx: Context,
  ref: Ref,
  { dryRun = false, ...options }: ChangeTreeOptions,
): Promise<NextVersion> {
  const { version, ...asset } = ref;
  const call = callOf(options);
  const next = checkVersionRef({ ...asset, version: version ?? nextVersion(await listVersions(ctx, asset, call)) });
  if (!dryRun) checkHasToken(ctx, next);
  if (version !== undefined) await checkVersionIsNew(ctx, next, call);
  const latest = await latestIfAny(ctx, asset, options);
  return latest === undefined ? { version: next } : { version: next, base: await loadTree(ctx, latest, call) };
}

async function latestIfAny(ctx: Context, asset: AssetRef, options: ApplyOptions): Promise<VersionRef | undefined> {
  try {
    return await fetchLatest(ctx, asset, callOf(options));
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Publishes a tree that was made of the base, with a record if it needs one or is to be exact; or says that nothing has changed. */
export async function publishTree(
  ctx: Context,
  { version, base }: NextVersion,
  { entries, changes }: MergedTree,
  origins: ReadonlyMap<string, Origin>,
  { dryRun = false, ignoreErrors = false, exact = false, ...options }: ChangeTreeOptions & { exact?: boolean },
): Promise<ChangedTree> {
  const files = entries.filter((entry) => entry.type === 'file');
  const told = { changes, ...(base !== undefined && { base: base.ref }) };
  const isWrong = changes.some(({ sign }) => sign === 'E');
  const unchanged = base !== undefined && changes.every(({ sign }) => sign === 'E');
  if (unchanged || (isWrong && !ignoreErrors && !dryRun)) {
    const none = { files: 0, bytes: 0 };
    const ref = unchanged ? base.ref : version;
    return { ...ref, ...told, ...countFiles(files), sent: none, linked: none, published: false, unchanged };
  }
  const { sources, links } = originsOf(files, origins, base);
  const record = recordFor(entries, exact || base?.record !== undefined);
  const call = { ...callOf(options), ...(record !== undefined && { record }) };
  const plan = await planFiles(ctx, version, sources, links, call);
  const { sent, linked } = dryRun ? countPlan(plan) : await publishPlan(ctx, plan, options);
  return { ...version, ...told, ...countFiles(files), sent, linked, published: !dryRun, unchanged: false };
}

function originsOf(files: readonly KnownFile[], origins: ReadonlyMap<string, Origin>, base: LoadedTree | undefined) {
  const sources: LocalSource[] = [];
  const links: UploadLink[] = [];
  for (const { path, size, digest } of files) {
    const origin = origins.get(path) ?? ofBase(path, base);
    if ('link' in origin) links.push({ path, size, md5sum: digest.hex, ...origin });
    else sources.push({ path, size, source: origin.source });
  }
  return { sources, links };
}

function ofBase(path: string, base: LoadedTree | undefined): Origin {
  if (base === undefined) throw new Error(`${path} has no content`);
  return { link: { ...base.ref, path } };
}

/** Throws `invalid-argument` if what is above a path in a version is no folder: no symlink is followed there. */
export function checkAbove(base: LoadedTree | undefined, path: string): void {
  const above = base?.tree.entries.find((entry) => entry.type !== 'directory' && path.startsWith(`${entry.path}/`));
  if (base === undefined || above === undefined) return;
  throw new GypsumError(
    'invalid-argument',
    `"${showText(path)}" cannot be in a version made of ${formatRef(base.ref)}: "${showText(above.path)}" is a ${above.type}.`,
    { hint: 'Give a path in its folders.', details: { ...base.ref, path } },
  );
}
