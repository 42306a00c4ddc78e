import { join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { readLink } from '../tree/scan.ts';
import type { ClonedVersion } from './cloned-version.ts';
import { groupContents, type SaveOptions } from './save-contents.ts';
import { findInSite, type InSite } from './site-cache.ts';

/** Finds the files of the site cache that the links of a clone may lead to; not those that lead into the user's own already. */
export async function findCloneSources(
  ctx: Context,
  { ref, selected }: ClonedVersion,
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
  return found;
}
