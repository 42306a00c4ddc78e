import { isOwnerAlive } from '../owned-name.ts';
import { statIfThere } from './blobs.ts';
import { isResumable } from './incoming-name.ts';
import type { Layout } from './layout.ts';
import { namesIn } from './names-in.ts';

/** Units: milliseconds. What was touched so short a time ago may be somebody's, whatever its name says. */
const YOUNG = 60_000;

/** Units: milliseconds. How long that is left alone that somebody may go on with, or whose owner nobody can tell of. */
const OLD = 24 * 3_600_000;

/** Gives the paths in `incoming/` that nobody needs: their process has ended, or nobody has gone on with them for a day. */
export async function abandonedIncoming(layout: Layout, now: number): Promise<string[]> {
  const paths: string[] = [];
  for (const name of await namesIn(layout.incomings)) {
    const path = layout.incoming(name);
    const stats = statIfThere(path);
    if (stats === undefined) continue;
    const age = now - Math.max(stats.mtimeMs, stats.ctimeMs);
    const alive = isOwnerAlive(name);
    const patience = alive === false && !isResumable(name) ? YOUNG : OLD;
    if (alive !== true && age > patience) paths.push(path);
  }
  return paths;
}
