import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { VersionRef } from '../model/refs.ts';
import { withVersionLock } from './version-lock.ts';

/**
 * Makes sure that a version's files are still there once a receipt of a clone has been written: from then on, nobody
 * removes them.
 *
 * Whoever removes a version takes its mark away first and looks for receipts then. So where there is a mark, our receipt
 * will be seen; where there is none, he may have looked before, and will have done his work when we get the lock.
 */
export async function holdFiles(
  ctx: Context,
  ref: VersionRef,
  options: CallOptions,
  save: () => Promise<unknown>,
): Promise<void> {
  if (statIfThere(ctx.cache.layout.complete(ref)) !== undefined) return;
  await withVersionLock(ctx, ref, options, async () => {});
  await save();
}
