import { dirname, join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { parseBucketText } from '../cache/bucket-text.ts';
import { createCache } from '../cache/cache.ts';
import type { Content } from '../cache/contents.ts';
import { ifReachable } from '../cache/if-reachable.ts';
import type { Context } from '../context.ts';
import { isGypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import type { Manifest } from '../model/manifest.ts';
import { fileRefOf, formatRef } from '../model/refs.ts';
import { isBelow, type Tree } from '../model/tree.ts';
import { statThrough } from '../tree/stat-through.ts';
import type { ChangeSymlink } from '../tree/step.ts';
import { groupContents } from './save-contents.ts';
import { findInSite } from './site-cache.ts';
import { storedManifest } from './stored-manifest.ts';
import type { VersionDocuments } from './version-documents.ts';
import { watchBuckets } from './watch-buckets.ts';

/** What the symlinks of a folder need so that those to versions lead into the cache. */
export interface LinkPlan {
  readonly steps: readonly ChangeSymlink[];
  /** How many lead there already. */
  readonly right: number;
  /** How many lead into the site cache, or will. */
  readonly inSite: number;
}

/**
 * Plans how the symlinks of a clone, given by its real path, come to lead into the cache where that is now: those whose
 * text is a file of the clone's version, or of another one that the cache knows, in some other folder. A link into the
 * cache of another registry is left alone.
 */
export async function planLinks(
  ctx: Context,
  root: string,
  tree: Tree,
  { ref, manifest }: VersionDocuments,
  options: CallOptions,
): Promise<LinkPlan> {
  const { cache, site } = ctx;
  const buckets = watchBuckets(ctx);
  const manifests = new Map<string, Manifest | undefined>([[formatRef(ref), manifest]]);
  const foreign = new Map<string, boolean>();
  const pace = createPace(options.signal);

  const isKnown = async (parts: readonly string[]): Promise<boolean> => {
    const file = fileRefOf(parts);
    if (file === undefined) return false;
    const { path, ...version } = file;
    const id = formatRef(version);
    if (!manifests.has(id)) manifests.set(id, await storedManifest(ctx, version));
    const known = manifests.get(id);
    return known !== undefined && (path in known || Object.keys(known).some((file) => isBelow(file, path)));
  };

  const isForeign = async (cache: string): Promise<boolean> => {
    const known = foreign.get(cache) ?? (await belongsToAnother(cache, ctx.registry.url));
    foreign.set(cache, known);
    return known;
  };

  const meaning = async (text: string): Promise<readonly string[] | undefined> => {
    for (const { root: folder, parts } of parseBucketText(text)) {
      if ((await isKnown(parts)) && !(await isForeign(folder))) return parts;
    }
    return undefined;
  };

  const wrong: { path: string; before: string; parts: readonly string[] }[] = [];
  let right = 0;
  let inSite = 0;
  for (const entry of tree) {
    if (entry.type !== 'symlink') continue;
    if (pace.due()) await pace.rest();
    const { path, target: before } = entry;
    const to = buckets.resolve(join(root, dirname(path)), before);
    if (to.type === 'inside') {
      if (!(await isKnown(to.parts))) continue;
      // The site cache may have lost it.
      const isLost = buckets.isSite(to) && (await ifReachable(() => statThrough(join(root, path)))) === undefined;
      if (isLost) wrong.push({ path, before, parts: to.parts });
      else right++;
      if (buckets.isSite(to) && !isLost) inSite++;
      continue;
    }
    const parts = await meaning(before);
    if (parts !== undefined) wrong.push({ path, before, parts });
  }
  const there = await findInSite(ctx, contentsOf(wrong, manifests), options);
  const steps = wrong.map(({ path, before, parts }): ChangeSymlink => {
    const own = join(cache.layout.bucket, ...parts);
    const others = site === undefined ? own : join(site.layout.bucket, ...parts);
    const useSite = there.has(others) && statIfThere(own) === undefined;
    if (useSite) inSite++;
    return {
      path,
      before: { type: 'symlink', target: before },
      after: { type: 'symlink', target: useSite ? others : own },
    };
  });
  return { steps, right, inSite };
}

/** Gives the contents of the files that the names below a bucket mean. */
function contentsOf(
  links: readonly { readonly parts: readonly string[] }[],
  manifests: ReadonlyMap<string, Manifest | undefined>,
): Content[] {
  return links.flatMap(({ parts }) => {
    const file = fileRefOf(parts);
    if (file === undefined) return [];
    const { path, ...ref } = file;
    const entry = manifests.get(formatRef(ref))?.[path];
    return entry === undefined ? [] : groupContents({ ref, manifest: { [path]: entry } });
  });
}

async function belongsToAnother(cache: string, url: string): Promise<boolean> {
  try {
    await createCache(cache, url).check();
    return false;
  } catch (error) {
    if (isGypsumError(error, 'cache-mismatch')) return true;
    // Whatever is there now, it is not a cache that we could read.
    if (isSystemError(error, 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG')) return false;
    throw error;
  }
}
