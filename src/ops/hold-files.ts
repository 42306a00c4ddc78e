import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { type SaveFilesOptions, saveFiles } from './save-version.ts';
import type { VersionDocuments } from './version-documents.ts';
import { withVersionLock } from './version-lock.ts';

/**
 * Makes sure that a version's files are still there once a receipt of a clone has been written: from then on, nobody
 * removes them.
 *
 * Whoever removes a version takes its mark away first and looks for receipts then. So where there is a mark, our receipt
 * will be seen; where there is none, he may have looked before, and will have done his work when we get the lock.
 */
export async function holdFiles(ctx: Context, documents: VersionDocuments, options: SaveFilesOptions): Promise<void> {
  const { layout } = ctx.cache;
  const { ref } = documents;
  if (statIfThere(layout.complete(ref)) !== undefined) return;
  await withVersionLock(ctx, ref, options, async () => {});
  await saveFiles(ctx, documents, options);
}
