import { createReadStream, type Stats } from 'node:fs';
import { sep } from 'node:path';
import { hasContent, statIfThere, writeBlob } from '../cache/blobs.ts';
import type { Content } from '../cache/contents.ts';
import { ifReachable } from '../cache/if-reachable.ts';
import type { Context } from '../context.ts';
import { each } from '../each.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { countFiles } from '../model/count.ts';
import type { FileRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { overlaps, realPath } from '../tree/real-path.ts';
import { readLink } from '../tree/scan.ts';
import { type ContentParts, mapParts } from './content-parts.ts';
import { fingerprintsOf, openMemory } from './memory.ts';

/** Throws if the site cache is another registry's (`cache-mismatch`), or would be written to with the user's own. */
export async function checkSite({ site, cache }: Context): Promise<void> {
  if (site === undefined || !(await site.isThere())) return;
  const { root } = site.layout;
  if (!overlaps(realPath(root), realPath(cache.layout.root))) return;
  throw new GypsumError(
    'invalid-argument',
    `The site cache ${showText(root)} and the cache ${showText(cache.layout.root)} lie in each other.`,
    {
      hint: 'Nothing is ever written to a site cache: give a cache folder of your own (--cache), or leave out the site cache.',
      details: { siteCacheDir: root, cacheDir: cache.layout.root },
    },
  );
}

/** Paths of files in the site cache that are known to hold what they must. */
export type InSite = ReadonlySet<string>;

/**
 * Finds the files of some contents that the site cache has. One that neither we nor those who look after it have verified is
 * read, once: that is remembered in the user's own cache.
 */
export async function findInSite(
  ctx: Context,
  contents: ContentParts,
  options: CallOptions & { concurrency?: number },
): Promise<InSite> {
  const found = new Set<string>();
  const { site } = ctx;
  if (site === undefined || !(await site.isThere())) return found;
  for (const part of contents) await findPart(ctx, site, part, found, options);
  return found;
}

async function findPart(
  ctx: Context,
  site: NonNullable<Context['site']>,
  contents: readonly Content[],
  found: Set<string>,
  { signal, onEvent, concurrency = ctx.concurrency }: CallOptions & { concurrency?: number },
): Promise<void> {
  const memory = await openMemory(ctx, contents);
  const unknown: { content: Content; path: string; stats: Stats; size: number }[] = [];
  const pace = createPace(signal);
  for (const content of contents) {
    for (const file of content.files) {
      if (pace.due()) await pace.rest();
      const path = site.layout.file(file);
      const stats = await ifReachable(() => statIfThere(path));
      if (!stats?.isFile() || stats.size !== content.size) continue;
      if (fingerprintsOf(memory, content.source.project).check(content.digest.hex, stats) === 'same') found.add(path);
      else unknown.push({ content, path, stats, size: content.size });
    }
  }
  if (unknown.length === 0) return;
  onEvent?.({ type: 'start', task: 'verify', ...countFiles(unknown) });
  await ctx.cache.open();
  try {
    await each(unknown, { concurrency, signal }, async ({ content, path, stats, size }, itemSignal) => {
      const prints = fingerprintsOf(memory, content.source.project);
      const { hex } = content.digest;
      const isRight =
        prints.check(hex, stats) === 'same' ||
        (await ifReachable(() => hasContent(path, content, itemSignal))) === true;
      if (isRight) {
        prints.remember(hex, path, stats);
        found.add(path);
      }
      onEvent?.({ type: 'progress', task: 'verify', files: 1, bytes: size });
    });
  } finally {
    for (const prints of memory.values()) await prints.flush();
  }
  onEvent?.({ type: 'end', task: 'verify' });
}

/** Gives what of some contents is not in the site cache. */
export function outsideSite({ site }: Context, contents: ContentParts, inSite: InSite): ContentParts {
  if (site === undefined || inSite.size === 0) return contents;
  const isOutside = (file: FileRef) => !inSite.has(site.layout.file(file));
  return mapParts(contents, (part) =>
    part
      .map((content) => ({ ...content, files: content.files.filter(isOutside) }))
      .filter(({ files }) => files.length > 0),
  );
}

/** Whether a path is that of a file of the site cache, or of a symlink with such a path as its text. */
export function leadsIntoSite({ site }: Context, path: string): boolean {
  if (site === undefined) return false;
  const prefix = site.layout.bucket + sep;
  return path.startsWith(prefix) || (statIfThere(path)?.isSymbolicLink() === true && readLink(path).startsWith(prefix));
}

/** Gives where the site cache seems to have a content: files of the right size. */
export async function sitePlaces({ site }: Context, { source, digest, size, files }: Content): Promise<string[]> {
  if (site === undefined || !(await site.isThere())) return [];
  const places: string[] = [];
  for (const path of [site.layout.blob(source.project, digest), ...files.map(site.layout.file)]) {
    const stats = await ifReachable(() => statIfThere(path));
    if (stats?.isFile() && stats.size === size) places.push(path);
  }
  return places;
}

/** Copies a content from the site cache into its blob, verified; gives nothing if the site cache has none that is right. */
export async function copyFromSite(
  ctx: Context,
  content: Content,
  { signal }: CallOptions,
): Promise<Stats | undefined> {
  for (const path of await sitePlaces(ctx, content)) {
    const read = () =>
      writeBlob(ctx.cache.layout, content.source.project, content, path, createReadStream(path), { signal });
    try {
      const stats = await ifReachable(read);
      if (stats !== undefined) return stats;
    } catch (error) {
      if (!isGypsumError(error, 'wrong-content')) throw error;
    }
  }
  return undefined;
}
