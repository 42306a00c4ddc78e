import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { TREE_RECORD } from '../model/tree-record.ts';
import { IGNORE_FILE } from '../tree/ignore-file.ts';
import { type ScanThread, startScanThread } from '../tree/scan-thread.ts';
import type { FoundClone } from './find-clone.ts';

/** From a manifest of 5,000 files on, a second thread pays: to start it takes 50 ms. Units: bytes */
const LARGE = 500_000;

/** Of more than half a million files, memory counts more: of a million, a prepare takes 70 MiB more, and 0.6 of the time. Units: bytes */
const HUGE = 50_000_000;

/** A thread that reads a folder, once it runs; nothing where it does not pay. */
export type ScanAhead = Promise<ScanThread | undefined>;

/**
 * Has another thread read a clone of many symlinks, while this one reads the manifest: of 100,000, a status takes 1.5 s in place of
 * 2.15. Not where an ignore file names folders that are not to be read, nor where modes and times are needed.
 */
export async function withScanAhead<T>(
  ctx: Context,
  clone: FoundClone,
  use: (ahead: ScanAhead) => Promise<T>,
): Promise<T> {
  // Whether it pays is looked at first: a thread that nobody waits for yet has nothing left that can fail.
  const ahead: ScanAhead = pays(ctx, clone)
    ? startScanThread(clone.root, ctx.cache.layout.versionFolder(clone.ref))
    : Promise.resolve(undefined);
  try {
    return await use(ahead);
  } finally {
    await (await ahead)?.stop();
  }
}

/** Whether a second thread pays for a clone, and reads it as this one would. */
function pays({ cache }: Context, { root, receipt, ref }: FoundClone): boolean {
  const size = statIfThere(cache.layout.document(ref, 'manifest'))?.size ?? 0;
  const isWorthIt = receipt.mode === 'symlink' && size >= LARGE && size <= HUGE && availableParallelism() > 1;
  return isWorthIt && [IGNORE_FILE, TREE_RECORD].every((name) => statIfThere(join(root, name)) === undefined);
}
