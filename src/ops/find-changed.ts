import { hasContent } from '../cache/blobs.ts';
import { ifReachable } from '../cache/if-reachable.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { realPath } from '../tree/real-path.ts';
import { statThrough } from '../tree/stat-through.ts';
import { fingerprintsOf, openMemoryOf } from './memory.ts';
import { leadsIntoSite } from './site-cache.ts';

/** A link of a folder, and what it must show for the version to say what the folder does. */
export interface Shown {
  /** Units: bytes */
  readonly size: number;
  readonly md5sum: string;
  /** The project in which the cache knows the content. */
  readonly project: string;
}

/** What was found of some links; the others show what they must. */
export interface Inspected<T> {
  /** They show something else. */
  readonly changed: readonly T[];
  /** They lead to what is not in the cache. */
  readonly gone: readonly T[];
}

/**
 * Finds the links that show something else than they must: the cached file was edited through the link, and publishing
 * the link would publish the old content without a word.
 *
 * The links are gone through twice. `locate` gives the cached file that a link leads to, or the link itself. One that was not touched since it was verified is
 * known by its stats; others are read.
 */
export async function inspectLinks<T extends Shown>(
  ctx: Context,
  links: Iterable<T>,
  locate: (link: T) => string,
  { signal }: CallOptions,
): Promise<Inspected<T>> {
  const memory = await openMemoryOf(ctx, digestsOf(links));
  const inspect = async ({ size, md5sum, project }: Shown, at: string): Promise<'right' | keyof Inspected<T>> => {
    const stats = statThrough(at);
    if (stats === undefined) return 'gone';
    const prints = fingerprintsOf(memory, project);
    if (stats.size === size && prints.check(md5sum, stats) === 'same') return 'right';
    const cached = realPath(at);
    const expected = { digest: { algorithm: 'md5', hex: md5sum }, size } as const;
    if (!stats.isFile() || !(await hasContent(cached, expected, signal))) return 'changed';
    prints.remember(md5sum, cached, stats);
    return 'right';
  };
  const found: Record<keyof Inspected<T>, T[]> = { changed: [], gone: [] };
  const pace = createPace(signal);
  for (const link of links) {
    const at = locate(link);
    if (pace.due()) await pace.rest();
    const look = () => inspect(link, at);
    // Of a site cache that nobody can read, nothing is there.
    const what = leadsIntoSite(ctx, at) ? ((await ifReachable(look)) ?? 'gone') : await look();
    if (what !== 'right') found[what].push(link);
  }
  for (const prints of memory.values()) await prints.flush(signal);
  return found;
}

function* digestsOf(links: Iterable<Shown>): Generator<[project: string, md5sum: string]> {
  for (const { project, md5sum } of links) yield [project, md5sum];
}

/** Gives the links that show something else than they must; one to what is not in the cache shows nothing else. */
export async function findChanged<T extends Shown>(
  ctx: Context,
  links: Iterable<T>,
  locate: (link: T) => string,
  options: CallOptions,
): Promise<readonly T[]> {
  return (await inspectLinks(ctx, links, locate, options)).changed;
}
