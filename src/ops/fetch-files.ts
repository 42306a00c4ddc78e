import type { Context } from '../context.ts';
import { type Count, countFiles } from '../model/count.ts';
import { formatFileRef } from '../model/refs.ts';
import { findCloneLinks } from './find-clone-links.ts';
import { run } from './run.ts';
import type { SaveOptions } from './save-contents.ts';
import { saveFileRefs } from './save-file-refs.ts';
import type { SaveResult } from './save-version.ts';

/** Files that links lead to: each counts once. */
export interface FetchedFiles extends Count, Pick<SaveResult, 'fetched' | 'adopted'> {}

/**
 * Brings what links in clones lead to into the cache, also what had been left out there. `paths` are links, folders with
 * links, or globs for the paths of links. Throws `not-found` naming one where no link into the cache is, and what
 * `saveVersion` throws.
 */
export async function fetchFiles(
  ctx: Context,
  paths: readonly string[],
  options: SaveOptions = {},
): Promise<FetchedFiles> {
  return run(ctx, options, async () => {
    const links = await findCloneLinks(ctx, paths, options);
    const files = new Map(links.map((link) => [formatFileRef(link.file), link]));
    const { fetched, adopted } = await saveFileRefs(
      ctx,
      [...files.values()].map(({ file }) => file),
      options,
    );
    return { ...countFiles(files.values()), fetched, adopted };
  });
}
