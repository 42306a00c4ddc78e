import { hasContent } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { realPath } from '../tree/real-path.ts';
import { statThrough } from '../tree/stat-through.ts';
import { fingerprintsOf, openMemoryOf } from './memory.ts';

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
  const changed: T[] = [];
  const pace = createPace(signal);
  for (const link of links) {
    const { size, md5sum } = link;
    const at = locate(link);
    if (pace.due()) await pace.rest();
    const stats = statThrough(at);
    if (stats === undefined) continue;
    const prints = fingerprintsOf(memory, link.project);
    if (stats.size === size && prints.check(md5sum, stats) === 'same') continue;
    const cached = realPath(at);
    const expected = { digest: { algorithm: 'md5', hex: md5sum }, size } as const;
    if (!stats.isFile() || !(await hasContent(cached, expected, signal))) changed.push(link);
    else prints.remember(md5sum, cached, stats);
  }
  for (const prints of memory.values()) await prints.flush(signal);
  return changed;
}
