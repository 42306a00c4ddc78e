import { dirname, join } from 'node:path';
import { parseBucketText } from '../cache/bucket-text.ts';
import { createCache } from '../cache/cache.ts';
import type { Context } from '../context.ts';
import { isGypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import type { Manifest } from '../model/manifest.ts';
import { fileRefOf, formatRef } from '../model/refs.ts';
import { isBelow, type Tree } from '../model/tree.ts';
import type { ChangeSymlink } from '../tree/plan.ts';
import { realPath } from '../tree/real-path.ts';
import { createSymlinkResolver } from '../tree/resolve-symlink.ts';
import { storedManifest } from './stored-manifest.ts';
import type { VersionDocuments } from './version-documents.ts';

/** What the symlinks of a folder need so that those to versions lead into the cache. */
export interface LinkPlan {
  readonly steps: readonly ChangeSymlink[];
  /** How many lead there already. */
  readonly right: number;
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
  { signal }: CallOptions,
): Promise<LinkPlan> {
  const { bucket } = ctx.cache.layout;
  const resolver = createSymlinkResolver(realPath(bucket));
  const manifests = new Map<string, Manifest | undefined>([[formatRef(ref), manifest]]);
  const foreign = new Map<string, boolean>();
  const pace = createPace(signal);

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

  const newText = async (text: string): Promise<string | undefined> => {
    for (const { root: cache, parts } of parseBucketText(text)) {
      if ((await isKnown(parts)) && !(await isForeign(cache))) return join(bucket, ...parts);
    }
    return undefined;
  };

  const steps: ChangeSymlink[] = [];
  let right = 0;
  for (const entry of tree) {
    if (entry.type !== 'symlink') continue;
    if (pace.due()) await pace.rest();
    const { path, target: before } = entry;
    const to = resolver.resolve(join(root, dirname(path)), before);
    if (to.type === 'inside') {
      if (await isKnown(to.parts)) right++;
      continue;
    }
    const target = await newText(before);
    if (target !== undefined) steps.push({ type: 'change-symlink', path, before, target });
  }
  return { steps, right };
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
