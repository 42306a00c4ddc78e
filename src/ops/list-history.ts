import type { Context } from '../context.ts';
import { each } from '../each.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { ChangeCounts, EntryCount } from '../model/file-change.ts';
import { checkName, nameFault } from '../model/names.ts';
import { type AssetRef, formatRef, type Ref, type VersionRef } from '../model/refs.ts';
import { isImmutable, type VersionState, type VersionSummary, versionState } from '../model/summary.ts';
import { showText } from '../model/text.ts';
import { type VersionEntry, versionTree } from '../model/version-tree.ts';
import { countEntries, diffTrees } from '../tree/diff-trees.ts';
import { fetchLatest } from './fetch-latest.ts';
import { listVersions } from './list.ts';
import { loadRecord } from './load-tree.ts';
import { findRecord, knownNames } from './records.ts';
import { run } from './run.ts';
import { loadDocuments, loadSummary } from './version-documents.ts';

export interface HistoryOptions extends CallOptions {
  /** How many versions are given, from the newest on. @default all */
  limit?: number;
}

/** A version of an asset, and what it changed. */
export interface HistoryEntry extends Partial<Pick<VersionSummary, 'uploadUserId' | 'uploadStart' | 'uploadFinish'>> {
  readonly version: string;
  /** `unfinished`: its upload has not been completed, or it is being removed. */
  readonly state: VersionState | 'unknown';
  /** It is the one that is meant where no version is named. */
  readonly isLatest: boolean;
  /** All of its files and symlinks; absent where it is unfinished or cannot be read. */
  readonly total?: EntryCount;
  /** The version before it, by when uploads were finished; absent for the first. */
  readonly since?: string;
  /** What it changed since then; absent where either cannot be read. */
  readonly changes?: ChangeCounts;
  /** Why it cannot be read. */
  readonly fault?: string;
}

/** The versions of an asset, newest first. */
export interface History extends AssetRef {
  readonly versions: readonly HistoryEntry[];
  /** How many older ones there are. */
  readonly older: number;
}

/**
 * Lists the versions of an asset, from the newest on or from the one that is named, each with what it changed against the
 * one before it: in files, and as far as tree records tell, in symlinks, folders and permissions. Throws `not-found`. What
 * cannot change is asked for once; offline, the versions that the cache knows are listed, and none is said to be the latest.
 */
export async function listHistory(
  ctx: Context,
  { project, asset, version }: Ref,
  { limit = Number.POSITIVE_INFINITY, ...options }: HistoryOptions = {},
): Promise<History> {
  const ref = { project: checkName('project', project), asset: checkName('asset', asset) };
  if (version !== undefined) checkName('version', version);
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new GypsumError('invalid-argument', `${limit} is not a number of versions.`, {
      hint: 'Give 1 or more, or leave it out for all.',
    });
  }
  return run(ctx, options, async () => {
    const dated = await readSummaries(ctx, ref, options);
    const from = version === undefined ? 0 : dated.findIndex((one) => one.ref.version === version);
    if (from === -1 || dated.length === 0) throw noVersion(ctx, ref, version);
    const latest = await latestIfAny(ctx, ref, options);
    const wanted = dated.slice(from, from + limit);
    const before = dated.slice(from + wanted.length).find(isFinished);
    const finished = [...wanted.filter(isFinished), ...(before === undefined ? [] : [before])];
    await remember(ctx, finished, options);
    const changes = await readChanges(ctx, finished, options);
    return {
      ...ref,
      versions: wanted.map((one) => ({
        version: one.ref.version,
        state: stateOf(one),
        isLatest: one.ref.version === latest,
        ...pickSummary(one),
        ...(one.fault === undefined ? changes.get(one) : { fault: one.fault }),
      })),
      older: dated.length - from - wanted.length,
    };
  });
}

/** A version as far as its summary says. */
interface Dated {
  readonly ref: VersionRef;
  readonly summary?: VersionSummary;
  readonly fault?: string;
}

function isFinished({ summary }: Dated): boolean {
  return summary?.uploadFinish !== undefined;
}

function stateOf({ summary, fault }: Dated): HistoryEntry['state'] {
  if (fault !== undefined) return 'unknown';
  return summary === undefined ? 'unfinished' : versionState(summary);
}

function pickSummary({ summary }: Dated): Pick<HistoryEntry, 'uploadUserId' | 'uploadStart' | 'uploadFinish'> {
  if (summary === undefined) return {};
  const { onProbation: _, ...rest } = summary;
  return rest;
}

/** Gives all versions of an asset, newest first; those without a date have only just begun. */
async function readSummaries(ctx: Context, asset: AssetRef, options: CallOptions): Promise<Dated[]> {
  const names = ctx.registry.isOffline
    ? await knownNames(ctx, asset.project, asset.asset)
    : await listVersions(ctx, asset, options);
  const dated: Dated[] = [];
  const refs = names.filter((name) => nameFault(name) === undefined).map((version) => ({ ...asset, version }));
  await each(refs, { concurrency: ctx.concurrency, signal: options.signal }, async (ref, signal) => {
    dated.push(await readSummary(ctx, ref, { ...options, signal }));
  });
  const time = ({ summary }: Dated) => (summary?.uploadFinish ?? summary?.uploadStart)?.getTime() ?? Infinity;
  const byName = new Intl.Collator('en', { numeric: true });
  return dated.sort((a, b) => {
    const [left, right] = [time(a), time(b)];
    return left === right ? byName.compare(b.ref.version, a.ref.version) : right - left;
  });
}

async function readSummary(ctx: Context, ref: VersionRef, options: CallOptions): Promise<Dated> {
  try {
    return { ref, summary: await loadSummary(ctx, ref, options) };
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return { ref };
    return { ref, fault: faultOf(ctx, error) };
  }
}

/** Gives what is wrong with a version alone, or throws: what else goes wrong does so for all. */
function faultOf({ registry }: Context, error: unknown): string {
  const ofVersion =
    isGypsumError(error, 'not-found') ||
    isGypsumError(error, 'invalid-manifest') ||
    isGypsumError(error, 'invalid-response') ||
    isGypsumError(error, 'wrong-content') ||
    (isGypsumError(error, 'unavailable') && registry.isOffline);
  if (!ofVersion) throw error;
  return error.message;
}

async function latestIfAny(ctx: Context, asset: AssetRef, options: CallOptions): Promise<string | undefined> {
  if (ctx.registry.isOffline) return undefined;
  try {
    return (await fetchLatest(ctx, asset, options)).version;
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** How many manifests are asked for at once: of large ones, each takes some memory. */
const AT_ONCE = 4;

/** Brings the manifests that cannot change and are not known yet. */
async function remember(ctx: Context, versions: readonly Dated[], { signal, onEvent }: CallOptions): Promise<void> {
  if (ctx.registry.isOffline) return;
  const unknown: VersionRef[] = [];
  for (const { ref, summary } of versions) {
    if (summary === undefined || !isImmutable(summary)) continue;
    if ((await findRecord(ctx, ref, 'manifest')) === undefined) unknown.push(ref);
  }
  onEvent?.({ type: 'start', task: 'fetch', files: unknown.length, bytes: 0 });
  await each(unknown, { concurrency: Math.min(AT_ONCE, ctx.concurrency), signal }, async (ref, itemSignal) => {
    await readEntries(ctx, ref, { onEvent, signal: itemSignal });
    onEvent?.({ type: 'progress', task: 'fetch', files: 1, bytes: 0 });
  });
  onEvent?.({ type: 'end', task: 'fetch' });
}

type Changes = Pick<HistoryEntry, 'total' | 'since' | 'changes' | 'fault'>;

/** Compares versions, newest first, each with the next one; two manifests are in memory at a time. */
async function readChanges(
  ctx: Context,
  versions: readonly Dated[],
  options: CallOptions,
): Promise<Map<Dated, Changes>> {
  const changes = new Map<Dated, Changes>();
  const readAt = async (at: number) => {
    const version = versions[at];
    return version === undefined ? [] : readEntries(ctx, version.ref, options);
  };
  let files = await readAt(0);
  for (const [at, version] of versions.entries()) {
    const before = await readAt(at + 1);
    const since = versions[at + 1]?.ref.version;
    changes.set(version, {
      ...(since !== undefined && { since }),
      ...(typeof files === 'string'
        ? { fault: files }
        : { total: countEntries(files.filter(({ type }) => type !== 'directory')) }),
      ...(typeof files !== 'string' &&
        typeof before !== 'string' && { changes: (await diffTrees(before, files, options.signal)).counts }),
    });
    files = before;
  }
  return changes;
}

/** Gives the tree of a version, or why it cannot be read. */
async function readEntries(
  ctx: Context,
  ref: VersionRef,
  options: CallOptions,
): Promise<readonly VersionEntry[] | string> {
  try {
    const documents = await loadDocuments(ctx, ref, options);
    return versionTree(documents.manifest, await loadRecord(ctx, documents, options)).entries;
  } catch (error) {
    return faultOf(ctx, error);
  }
}

function noVersion({ registry }: Context, asset: AssetRef, version: string | undefined): GypsumError {
  const what =
    version === undefined ? `versions of ${formatRef(asset)}` : `version ${formatRef({ ...asset, version })}`;
  const where = registry.isOffline ? 'The cache knows of no' : `${registry.url} has no`;
  return new GypsumError('not-found', `${where} ${what}.`, {
    hint: `List what there is with "gypsum assets ${showText(asset.project)}" and "gypsum versions ${formatRef(asset)}".`,
    details: { ...asset, version },
  });
}
