import { join } from 'node:path';
import { isExecutable, statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { readLink } from '../tree/scan.ts';
import type { ClonedVersion } from './cloned-version.ts';
import { groupContents } from './content-parts.ts';
import { programsOf } from './executables.ts';
import type { SaveOptions } from './save-contents.ts';
import { findInSite, type InSite } from './site-cache.ts';

/**
 * Finds the files of the site cache that the links of a clone may lead to: not those that lead into the user's own already, nor
 * programs that cannot be run there.
 */
export async function findCloneSources(
  ctx: Context,
  { ref, selected, tree }: ClonedVersion,
  place: string,
  options: SaveOptions,
): Promise<InSite> {
  const { site, cache } = ctx;
  if (site === undefined || options.overwrite) return new Set();
  const found = new Set(await findInSite(ctx, groupContents({ ref, manifest: selected }), options));
  for (const path of found.size === 0 ? [] : Object.keys(selected)) {
    const link = join(place, path);
    const isOwn = statIfThere(link)?.isSymbolicLink() && readLink(link) === cache.layout.file({ ...ref, path });
    if (isOwn) found.delete(site.layout.file({ ...ref, path }));
  }
  for (const path of process.platform === 'win32' ? [] : programsOf(tree?.entries ?? [])) {
    const file = site.layout.file({ ...ref, path });
    const stats = found.has(file) ? statIfThere(file) : undefined;
    if (stats !== undefined && !isExecutable(stats)) found.delete(file);
  }
  return found;
}
