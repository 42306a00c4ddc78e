import { statIfThere } from './blobs.ts';
import { isOwnerAlive } from './incoming-name.ts';
import type { Layout } from './layout.ts';
import { namesIn } from './names-in.ts';

/** Units: milliseconds. What was touched so short a time ago may be somebody's, whatever its name says. */
const YOUNG = 60_000;

/** Units: milliseconds. How long that is left alone of which nobody can tell whether its owner is there. */
const OLD = 24 * 3_600_000;

/** Gives the paths in `incoming/` that nobody needs: their process has ended, or they have lain there for a day. */
export async function abandonedIncoming(layout: Layout, now: number): Promise<string[]> {
  const paths: string[] = [];
  for (const name of await namesIn(layout.incomings)) {
    const path = layout.incoming(name);
    const stats = statIfThere(path);
    if (stats === undefined) continue;
    const age = now - Math.max(stats.mtimeMs, stats.ctimeMs);
    const alive = isOwnerAlive(name);
    if (alive === false ? age > YOUNG : alive === undefined && age > OLD) paths.push(path);
  }
  return paths;
}
