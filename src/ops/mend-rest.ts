import { diskClock } from '../cache/disk-clock.ts';
import { withLock } from '../cache/locks.ts';
import { setAside } from '../cache/move-aside.ts';
import { removeTree } from '../cache/remove-tree.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { CacheProblem } from './cache-problems.ts';
import { protect, putAside } from './mend-files.ts';
import { outcome, whyNot } from './mend-outcome.ts';

/** Mends what belongs to no version in particular: blobs, what processes have left behind, and strays. */
export async function mendRest(
  ctx: Context,
  problems: readonly CacheProblem[],
  { signal }: CallOptions,
): Promise<CacheProblem[]> {
  const now = await diskClock(ctx.cache.layout);
  const mended: CacheProblem[] = [];
  for (const problem of problems) {
    signal?.throwIfAborted();
    try {
      mended.push(await mend(ctx, problem, now, signal));
    } catch (error) {
      mended.push({ ...problem, ...outcome(whyNot(error)) });
    }
  }
  return mended;
}

const RECEIPT =
  'It may be of a clone that needs a version: "gypsum relink FOLDER" writes that of a clone anew. Remove it if its clone is gone.';

async function mend(
  { cache: { layout } }: Context,
  problem: CacheProblem,
  now: number,
  signal: AbortSignal | undefined,
): Promise<CacheProblem> {
  const { path } = problem;
  switch (problem.fault) {
    case 'leftover':
    case 'stale-document':
      await removeTree(path, { signal });
      return { ...problem, repaired: true };
    case 'stale-lock':
      // Whoever takes it over knows better than we whether it is free, and gives it back.
      await withLock(layout, path, async () => {}, { signal });
      return { ...problem, repaired: true };
    case 'wrong-mode':
      return { ...problem, ...outcome(protect(path)) };
    case 'foreign':
      return putAside(layout, problem, now);
    case 'wrong-content':
    case 'wrong-type':
    case 'unreadable':
      return { ...problem, repaired: true, movedTo: setAside(layout, path) };
    default:
      return { ...problem, ...outcome(RECEIPT) };
  }
}
