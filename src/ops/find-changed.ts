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

/**
 * Finds the links that show something else than they must: the cached file was edited through the link, and publishing
 * the link would publish the old content without a word. A link to what is not in the cache shows nothing else.
 *
 * `locate` gives the cached file that a link leads to, or the link itself. One that was not touched since it was verified is
 * known by its stats; others are read.
 */
export async function findChanged<T extends Shown>(
  ctx: Context,
  links: readonly T[],
  locate: (link: T) => string,
  { signal }: CallOptions,
): Promise<T[]> {
  const memory = await openMemoryOf(
    ctx,
    links.map(({ project, md5sum }) => [project, md5sum]),
  );
  const isChanged = async ({ size, md5sum, project }: Shown, at: string): Promise<boolean> => {
    const stats = statThrough(at);
    if (stats === undefined) return false;
    const prints = fingerprintsOf(memory, project);
    if (stats.size === size && prints.check(md5sum, stats) === 'same') return false;
    const cached = realPath(at);
    const expected = { digest: { algorithm: 'md5', hex: md5sum }, size } as const;
    if (!stats.isFile() || !(await hasContent(cached, expected, signal))) return true;
    prints.remember(md5sum, cached, stats);
    return false;
  };
  const changed: T[] = [];
  const pace = createPace(signal);
  for (const link of links) {
    const at = locate(link);
    if (pace.due()) await pace.rest();
    const look = () => isChanged(link, at);
    // A site cache that nobody can read shows nothing either.
    if (await (leadsIntoSite(ctx, at) ? ifReachable(look) : look())) changed.push(link);
  }
  for (const prints of memory.values()) await prints.flush(signal);
  return changed;
}
