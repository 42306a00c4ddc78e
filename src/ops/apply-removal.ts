import { statIfThere } from '../cache/blobs.ts';
import { evictVersion } from '../cache/evict.ts';
import { lastUsed } from '../cache/last-used.ts';
import { locateClone } from '../cache/locate-clone.ts';
import { isCloneOf, listReceipts, needsFiles, type Receipt, readReceipt, removeReceipt } from '../cache/receipts.ts';
import { removeTree } from '../cache/remove-tree.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { VersionRef } from '../model/refs.ts';
import type { KeptVersion, RemovalPlan, RemovedVersion } from './plan-removal.ts';
import { versionLockOptions } from './version-lock.ts';

export interface ApplyRemovalOptions extends CallOptions {
  /** Remove what is in use, too. */
  force: boolean;
}

/**
 * Removes what a plan says, and gives what became of it. Whoever saves or clones a version meanwhile keeps it: unless it
 * is forced, each is looked at again before it goes.
 */
export async function applyRemoval(
  ctx: Context,
  plan: RemovalPlan,
  { force, signal, onEvent }: ApplyRemovalOptions,
): Promise<RemovalPlan> {
  const { layout } = ctx.cache;
  const versions: RemovedVersion[] = [];
  const kept: KeptVersion[] = [...plan.kept];
  const blobs: string[] = [];
  let freed = 0;
  const total =
    plan.versions.length + plan.blobs.length + plan.leftovers.length + plan.damaged.length + plan.trash.length;
  const done = () => onEvent?.({ type: 'progress', task: 'remove', files: 1, bytes: 0 });
  onEvent?.({ type: 'start', task: 'remove', files: total, bytes: 0 });
  const forgotten = await forget(ctx, plan.forgotten);
  for (const version of plan.versions) {
    signal?.throwIfAborted();
    const bytes = await evictVersion(layout, version, {
      isFree: async () => force || (!(await receiptsOf(ctx, version)).some(needsFiles) && !wasUsed(ctx, version)),
      // Publishing from a clone needs them, also where the files are gone.
      records: (await receiptsOf(ctx, version)).length === 0,
      ...versionLockOptions(version, { signal, onEvent }),
    });
    done();
    if (bytes === undefined) {
      const { lastUsed: _used, copies: _copies, ...rest } = version;
      kept.push({ ...rest, keptBy: [{ type: 'use' }] });
    } else {
      versions.push(version);
      freed += bytes;
    }
  }
  for (const blob of plan.blobs) {
    // Somebody may have made a file of it since.
    if (statIfThere(blob)?.nlink === 1) {
      freed += await removeTree(blob, { signal });
      blobs.push(blob);
    }
    done();
  }
  for (const path of [...plan.leftovers, ...plan.damaged, ...plan.trash]) {
    freed += await removeTree(path, { signal });
    done();
  }
  onEvent?.({ type: 'end', task: 'remove' });
  return { ...plan, versions, kept, blobs, forgotten, freed };
}

/** Forgets clones, those that have not been found meanwhile. */
async function forget(ctx: Context, destinations: readonly string[]): Promise<string[]> {
  const forgotten: string[] = [];
  for (const destination of destinations) {
    const receipt = await readReceipt(ctx.cache.layout, destination);
    if (receipt === undefined || locateClone(receipt).state === 'found') continue;
    await removeReceipt(ctx.cache.layout, destination);
    forgotten.push(destination);
  }
  return forgotten;
}

async function receiptsOf(ctx: Context, version: VersionRef): Promise<Receipt[]> {
  return (await listReceipts(ctx.cache.layout)).receipts.filter((receipt) => isCloneOf(receipt, version));
}

function wasUsed(ctx: Context, { lastUsed: before, ...ref }: RemovedVersion): boolean {
  return (lastUsed(ctx.cache.layout, ref)?.getTime() ?? 0) > (before?.getTime() ?? 0);
}
