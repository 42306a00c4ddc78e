import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { MergedTree, TreeChange } from '../model/merge-trees.ts';
import { type AssetRef, checkScope, formatRef } from '../model/refs.ts';
import { entryAt } from '../model/tree.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import { claimReplica } from '../state/replica-claims.ts';
import { createIgnoreRules } from '../tree/ignore-file.ts';
import { liesIn, realPath } from '../tree/real-path.ts';
import { abortRecordedUpload } from './abort-recorded-upload.ts';
import { assetId } from './asset-name.ts';
import { checkPublishedFolder } from './check-replica-folders.ts';
import type { LoadedTree } from './load-tree.ts';
import type { AssetSyncResult, PublishedChange, SyncToAssetOptions } from './publish-options.ts';
import { putSource } from './put-tree.ts';
import { leftUploads } from './recorded-uploads.ts';

/**
 * Has an asset's latest version be what a folder is: publishes the next one if anything but times has changed, with unchanged files as
 * links. What an upload to the asset has left whose process is gone is aborted first.
 *
 * What cannot be in a version is in the result, and the rest is published. Throws `destination-refused` where more than half of the
 * latest version would go, `in-use` where another process does the same, and what publishing throws.
 */
export async function syncToAsset(
  ctx: Context,
  folder: string,
  asset: AssetRef,
  options: SyncToAssetOptions = {},
): Promise<AssetSyncResult> {
  options.signal?.throwIfAborted();
  const source = checkPublishedFolder(folder, options.written);
  const release = options.dryRun ? undefined : claimAsset(ctx, asset, options.stateDir);
  try {
    return await publishFolder(ctx, source, asset, options);
  } finally {
    release?.();
  }
}

/** Claims an asset of a registry for this process; gives what releases it, if there is a folder where that is written down. */
export function claimAsset(
  ctx: Context,
  { project, asset }: AssetRef,
  stateDir: string | undefined,
): (() => void) | undefined {
  checkScope({ project, asset });
  return stateDir === undefined ? undefined : claimReplica(stateDir, assetId(ctx, { project, asset }));
}

/** Publishes a folder, given by its real path; the asset is this process's. */
export async function publishFolder(
  ctx: Context,
  source: string,
  { project, asset }: AssetRef,
  {
    remove = true,
    exclude = [],
    stateDir,
    followLinks = false,
    force = false,
    dryRun = false,
    signal,
    onEvent,
  }: SyncToAssetOptions,
): Promise<AssetSyncResult> {
  const call = { signal, onEvent };
  if (!dryRun) await abortLeft(ctx, { project, asset }, call);
  let before: readonly VersionEntry[] = [];
  let now: readonly VersionEntry[] = [];
  const { outside: _, ...done } = await putSource(
    ctx,
    { project, asset },
    { root: source, path: '' },
    {
      ...call,
      dryRun,
      delete: remove,
      symlinks: followLinks ? 'follow' : 'keep',
      ignoreErrors: true,
      exact: true,
      isExcluded: createExclusion(ctx, source, { exclude, stateDir }),
      check(tree, base) {
        before = base?.tree.entries ?? [];
        now = tree.entries;
        if (!force) checkLoss(tree, base);
      },
    },
  );
  const isSpecial = ({ type }: { type?: string }) => type === 'special';
  const skipped = done.changes.filter(isSpecial).map(({ path }) => ({ path, why: 'is a FIFO, a socket or a device' }));
  const changes = done.changes.filter((change) => !isSpecial(change)).map((change) => withDigest(change, before, now));
  return { ...done, changes, source, dryRun, skipped };
}

function withDigest(
  change: TreeChange,
  before: readonly VersionEntry[],
  now: readonly VersionEntry[],
): PublishedChange {
  const entry = change.sign === 'E' ? undefined : entryAt(change.sign === '-' ? before : now, change.path);
  return entry?.type === 'file' ? { ...change, digest: entry.digest.hex } : change;
}

/** Says what of a folder is left out: what the patterns name, and what this program writes meanwhile, wherever it lies. */
export function createExclusion(
  { cache, site }: Context,
  source: string,
  { exclude = [], stateDir }: Pick<SyncToAssetOptions, 'exclude' | 'stateDir'>,
): (path: string, isFolder: boolean) => boolean {
  const rules = createIgnoreRules(exclude);
  const own = [stateDir, cache.layout.root, site?.layout.root].flatMap((folder) => {
    const place = folder === undefined ? undefined : realPath(folder);
    return place !== undefined && liesIn(place, source) ? [place.slice(source === '/' ? 1 : source.length + 1)] : [];
  });
  return (path, isFolder) => own.includes(path) || rules.ignores(path, isFolder);
}

/** Aborts uploads to an asset that killed processes of this machine have left: the folder has gone on since. */
async function abortLeft(ctx: Context, { project, asset }: AssetRef, call: CallOptions): Promise<void> {
  for (const record of await leftUploads(ctx, project)) {
    const { id, version } = record;
    if (record.asset === asset) await abortRecordedUpload(ctx, { project, asset, version, id }, call);
  }
}

/** Throws `destination-refused` where more than half of a version would be gone, as of a disk that is not mounted; what has moved is not. */
function checkLoss({ entries }: MergedTree, base: LoadedTree | undefined): void {
  if (base === undefined) return;
  const there = new Set(entries.map(signOf));
  const before = base.tree.entries.filter(({ type }) => type !== 'directory');
  const paths = new Set(entries.map(({ path }) => path));
  const gone = before.filter((entry) => !paths.has(entry.path) && !there.has(signOf(entry))).length;
  if (gone * 2 <= before.length) return;
  const total = before.length;
  throw new GypsumError(
    'destination-refused',
    `${gone.toLocaleString('en')} of the ${total.toLocaleString('en')} files and symlinks of ${formatRef(base.ref)} would be gone, more than half: nothing was published.`,
    {
      hint: 'Is this the folder that you mean? Then say so with force (--force).',
      details: { removed: gone, total, ...base.ref },
    },
  );
}

/** Names what an entry holds, wherever it is. */
function signOf(entry: VersionEntry): string {
  if (entry.type === 'file') return `file ${entry.size} ${entry.digest.hex}`;
  return entry.type === 'symlink' ? `symlink ${entry.target}` : 'directory';
}
