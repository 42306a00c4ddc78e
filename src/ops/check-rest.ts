import { basename, join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { diskClock } from '../cache/disk-clock.ts';
import { entriesIn } from '../cache/entries-in.ts';
import { abandonedIncoming } from '../cache/incoming.ts';
import { isAbandoned } from '../cache/locks.ts';
import { namesIn } from '../cache/names-in.ts';
import type { UnreadableReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { INTERNAL_NAMES } from '../model/keys.ts';
import { nameFault } from '../model/names.ts';
import type { CacheProblem } from './cache-problems.ts';
import { measureTree } from './measure-tree.ts';

/** Finds what is half-made and nobody's, and what stands where only projects, assets and versions may. */
export async function checkRest(
  ctx: Context,
  unreadable: readonly UnreadableReceipt[],
  options: CallOptions,
): Promise<CacheProblem[]> {
  return [
    ...strays(ctx.cache.layout.bucket, 3),
    ...unreadable.map(({ path }) => ({
      path,
      fault: 'invalid-document' as const,
      message: 'is not the receipt of a clone',
    })),
    ...(await leftovers(ctx, options)),
    ...(await staleLocks(ctx)),
    ...(await widows(ctx)),
  ];
}

function strays(folder: string, levels: number): CacheProblem[] {
  if (levels === 0) return [];
  return entriesIn(folder).flatMap((entry): CacheProblem[] => {
    const path = join(folder, entry.name);
    if (INTERNAL_NAMES.has(entry.name)) return [];
    const isName = nameFault(entry.name) === undefined;
    if (isName && entry.isDirectory()) return strays(path, levels - 1);
    // Somebody may have moved it to another disk.
    if (isName && entry.isSymbolicLink()) return [];
    const message = 'is no project, asset or version';
    return [{ path, fault: 'foreign', message, size: statIfThere(path)?.size ?? 0 }];
  });
}

async function leftovers({ cache: { layout } }: Context, options: CallOptions): Promise<CacheProblem[]> {
  const problems: CacheProblem[] = [];
  for (const path of await abandonedIncoming(layout, await diskClock(layout))) {
    const message = 'was left behind by a process that has ended';
    problems.push({ path, fault: 'leftover', message, size: await measureTree(path, options) });
  }
  return problems;
}

async function staleLocks({ cache: { layout } }: Context): Promise<CacheProblem[]> {
  const problems: CacheProblem[] = [];
  const now = await diskClock(layout);
  for (const project of await namesIn(layout.locks)) {
    for (const asset of await namesIn(join(layout.locks, project))) {
      for (const version of await namesIn(join(layout.locks, project, asset))) {
        const ref = { project, asset, version };
        if (!isAbandoned(layout.lock(ref), now)) continue;
        problems.push({ path: layout.lock(ref), fault: 'stale-lock', message: 'is held by nobody', ref });
      }
    }
  }
  return problems;
}

/** What is remembered of clones' files beside receipts that are gone. */
async function widows({ cache: { layout } }: Context): Promise<CacheProblem[]> {
  const problems: CacheProblem[] = [];
  for (const name of await namesIn(layout.clonesFiles)) {
    if (statIfThere(layout.receipt(basename(name, '.json'))) !== undefined) continue;
    const path = join(layout.clonesFiles, name);
    const message = 'is about a clone that has no receipt';
    problems.push({ path, fault: 'stale-document', message, size: statIfThere(path)?.size ?? 0 });
  }
  return problems;
}
