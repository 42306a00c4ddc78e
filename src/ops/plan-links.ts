import { dirname, join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { type BucketText, parseBucketText } from '../cache/bucket-text.ts';
import { createCache } from '../cache/cache.ts';
import type { Content } from '../cache/contents.ts';
import { ifReachable } from '../cache/if-reachable.ts';
import { createLayout } from '../cache/layout.ts';
import { readReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { isGypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import type { Manifest } from '../model/manifest.ts';
import { fileRefOf, formatRef } from '../model/refs.ts';
import { isBelow, type Tree } from '../model/tree.ts';
import { statThrough } from '../tree/stat-through.ts';
import type { ChangeSymlink } from '../tree/step.ts';
import { eachContent, groupContents } from './content-parts.ts';
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
  /** How many of all of them stand where their file stands in its version. */
  readonly placed: number;
  /** Links that are another cache's, which is there: they are left alone. */
  readonly elsewhere: readonly LinksElsewhere[];
}

/** How many links lead into a cache, given by its folder. */
export interface LinksElsewhere {
  readonly cache: string;
  readonly links: number;
}

/**
 * Plans how the symlinks of a clone, given by its real path, come to lead into the cache where that is now: those whose
 * text is a file of the clone's version, or of another one that the cache knows, in some other folder. A link is left
 * alone if that folder is the cache of another registry, or has the file, or knows the clone, which we do not (`isKnown`).
 */
export async function planLinks(
  ctx: Context,
  root: string,
  tree: Tree,
  { ref, manifest }: VersionDocuments,
  { isKnown: isOurs, ...options }: CallOptions & { isKnown: boolean },
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
    const known =
      foreign.get(cache) ??
      ((await belongsToAnother(cache, ctx.registry.url)) || (!isOurs && (await knows(cache, root))));
    foreign.set(cache, known);
    return known;
  };

  const meaning = async (text: string): Promise<BucketText | undefined> => {
    for (const reading of parseBucketText(text)) if (await isKnown(reading.parts)) return reading;
    return undefined;
  };

  const wrong: { path: string; before: string; parts: readonly string[] }[] = [];
  const elsewhere = new Map<string, number>();
  let right = 0;
  let placed = 0;
  let inSite = 0;
  const isPlaced = (path: string, parts: readonly string[]) => path === fileRefOf(parts)?.path;
  for (const entry of tree) {
    if (entry.type !== 'symlink') continue;
    if (pace.due()) await pace.rest();
    const { path, target: before } = entry;
    const to = buckets.resolve(join(root, dirname(path)), before);
    if (to.type === 'inside') {
      if (!(await isKnown(to.parts))) continue;
      if (isPlaced(path, to.parts)) placed++;
      // The site cache may have lost it.
      const isLost = buckets.isSite(to) && (await ifReachable(() => statThrough(join(root, path)))) === undefined;
      if (isLost) wrong.push({ path, before, parts: to.parts });
      else right++;
      if (buckets.isSite(to) && !isLost) inSite++;
      continue;
    }
    const meant = await meaning(before);
    if (meant === undefined) continue;
    const works = (await ifReachable(() => statThrough(join(root, path)))) !== undefined;
    if (works || (await isForeign(meant.root))) {
      elsewhere.set(meant.root, (elsewhere.get(meant.root) ?? 0) + 1);
      continue;
    }
    if (isPlaced(path, meant.parts)) placed++;
    wrong.push({ path, before, parts: meant.parts });
  }
  const there = await findInSite(ctx, [contentsOf(wrong, manifests)], options);
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
  return {
    steps,
    right,
    inSite,
    placed,
    elsewhere: [...elsewhere].map(([cache, links]) => ({ cache, links })),
  };
}

/** Whether a cache has a receipt of the clone in a folder. */
async function knows(cache: string, folder: string): Promise<boolean> {
  return (await ifReachable(() => readReceipt(createLayout(cache), folder))) !== undefined;
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
    return entry === undefined ? [] : [...eachContent(groupContents({ ref, manifest: { [path]: entry } }))];
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
