import { removeIfThere } from '../cache/atomic.ts';
import { statIfThere } from '../cache/blobs.ts';
import { setAside } from '../cache/move-aside.ts';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { VersionRef } from '../model/refs.ts';
import type { CacheProblem } from './cache-problems.ts';
import { outcome, whyNot } from './mend-outcome.ts';
import { loadVersion } from './version-documents.ts';
import { withVersionLock } from './version-lock.ts';

/** Mends what is remembered of a version: our records are asked for again, and other clients' copies made from them. */
export async function mendDocuments(
  ctx: Context,
  ref: VersionRef,
  problems: readonly CacheProblem[],
  options: CallOptions,
): Promise<CacheProblem[]> {
  const { layout } = ctx.cache;
  const copies = new Map([
    [layout.document(ref, 'summary'), 'summary' as const],
    [layout.document(ref, 'manifest'), 'manifest' as const],
  ]);
  const mended: CacheProblem[] = [];
  // Records first: what they hold then is what the copies become.
  const isRecord = ({ path }: CacheProblem) => !copies.has(path);
  const reason = problems.some(isRecord) ? await askAgain(ctx, ref, options) : undefined;
  for (const problem of problems.filter(isRecord)) {
    mended.push({ ...problem, ...outcome(reason) });
  }
  for (const problem of problems) {
    const name = copies.get(problem.path);
    const content = name === undefined ? undefined : await ctx.cache.readRecord(ref, name);
    if (name === undefined || content === undefined) continue;
    const movedTo = statIfThere(problem.path) === undefined ? undefined : setAside(layout, problem.path);
    await ctx.cache.writeRecord(ref, name, content);
    mended.push({ ...problem, repaired: true, ...(movedTo !== undefined && { movedTo }) });
  }
  return mended;
}

/** Mends the claim that a version is complete of which nothing else is known: it is asked for, or the claim goes. */
export async function mendClaim(
  ctx: Context,
  ref: VersionRef,
  problem: CacheProblem,
  options: CallOptions,
): Promise<CacheProblem> {
  try {
    await loadVersion(ctx, ref, options);
    return { ...problem, repaired: true };
  } catch (error) {
    if (isGypsumError(error, 'not-found') || isGypsumError(error, 'version-unfinished')) {
      await withVersionLock(ctx, ref, options, () => removeIfThere(ctx.cache.layout.complete(ref)));
      return { ...problem, repaired: true };
    }
    return { ...problem, ...outcome(whyNot(error)) };
  }
}

async function askAgain(ctx: Context, ref: VersionRef, options: CallOptions): Promise<string | undefined> {
  try {
    await loadVersion(ctx, ref, options);
    return undefined;
  } catch (error) {
    return whyNot(error);
  }
}
