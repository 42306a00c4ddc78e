import { basename, dirname } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { type Count, countFiles } from '../model/count.ts';
import { formatFileRef } from '../model/refs.ts';
import { applySteps } from '../tree/apply.ts';
import { openFileClones } from './file-clones.ts';
import { fillLinks, fillOf } from './fill-links.ts';
import { type CloneLink, findCloneLinks } from './find-clone-links.ts';
import { run } from './run.ts';
import type { SaveOptions } from './save-contents.ts';
import { saveFileRefs } from './save-file-refs.ts';
import type { SaveResult } from './save-version.ts';
import { findInSite, type InSite } from './site-cache.ts';

/** Files that links lead to: each counts once. */
export interface FetchedFiles extends Count, Pick<SaveResult, 'fetched' | 'adopted' | 'inSite'> {
  /** Files that stand where links stood, in clones of real files. Absent where there are none. */
  readonly made?: Count;
}

/**
 * Brings what links in clones lead to into the cache, also what had been left out there. `paths` are links, folders with
 * links, or globs for the paths of links. Throws `not-found` naming one where no link into the cache is, and what
 * `saveVersion` throws.
 *
 * In a clone of real files, a link to a file of its version becomes one, too, in the mode of the clone.
 *
 * What the site cache has is not brought: the link leads there then. A link into the site cache to what is not there any
 * more leads into the user's own cache then.
 */
export async function fetchFiles(
  ctx: Context,
  paths: readonly string[],
  options: SaveOptions = {},
): Promise<FetchedFiles> {
  return run(ctx, options, async () => {
    const clones = await openFileClones(ctx, options);
    const found = await findCloneLinks(ctx, paths, { ...options, copiesIn: clones });
    // What is a file already needs nothing.
    const links = found.filter(({ copy }) => copy === undefined);
    const files = distinct(links);
    const fills = links.flatMap((link) => fillOf(clones, link));
    const filled = new Set(fills.map(({ link }) => link));
    const there = options.overwrite ? new Set<string>() : await findInSite(ctx, [files.map(toContent)], options);
    const plan = links.map((link) => ({ link, target: filled.has(link) ? undefined : siteTarget(ctx, link, there) }));
    const [inSite, own] = [true, false].map((isSite) =>
      distinct(plan.filter(({ target }) => (target !== undefined) === isSite).map(({ link }) => link)),
    ) as [CloneLink[], CloneLink[]];
    const outcome = await saveFileRefs(
      ctx,
      own.map(({ file }) => file),
      options,
    );
    await fillLinks(ctx, fills, options);
    for (const { link, target } of plan) {
      if (filled.has(link)) continue;
      if (link.inSite !== (target !== undefined)) await lead(link, target ?? ctx.cache.layout.file(link.file));
    }
    const { fetched, adopted } = outcome;
    return {
      ...countFiles(files),
      ...(inSite.length > 0 && { inSite: countFiles(inSite) }),
      fetched,
      adopted,
      ...(fills.length > 0 && { made: countFiles(filled) }),
    };
  });
}

function distinct(links: readonly CloneLink[]): CloneLink[] {
  return [...new Map(links.map((link) => [formatFileRef(link.file), link])).values()];
}

function toContent({ file, size, md5sum, project }: CloneLink) {
  return { source: { ...file, project }, digest: { algorithm: 'md5', hex: md5sum } as const, size, files: [file] };
}

/** Gives the file of the site cache that a link should lead to: if it does already, or can, and the user's own cache has none. */
function siteTarget({ site, cache }: Context, { file, inSite, text }: CloneLink, found: InSite): string | undefined {
  const path = site?.layout.file(file);
  if (path === undefined || !found.has(path)) return undefined;
  const canLead = text !== undefined && statIfThere(cache.layout.file(file)) === undefined;
  return inSite || canLead ? path : undefined;
}

/** Has a link lead elsewhere. */
async function lead({ source, text }: CloneLink, target: string): Promise<void> {
  if (text === undefined) return;
  const step = {
    path: basename(source),
    before: { type: 'symlink', target: text },
    after: { type: 'symlink', target },
  } as const;
  await applySteps(dirname(source), [step]);
}
