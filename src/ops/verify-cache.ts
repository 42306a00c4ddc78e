import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { Count } from '../model/count.ts';
import { inodeId } from '../model/fingerprint.ts';
import type { VersionRef } from '../model/refs.ts';
import type { CacheProblem } from './cache-problems.ts';
import { checkBlobs } from './check-blobs.ts';
import { checkRest } from './check-rest.ts';
import { mendRest } from './mend-rest.ts';
import { createProver } from './prover.ts';
import { readClones } from './registered-clones.ts';
import { run } from './run.ts';
import { verifyVersion } from './verify-version.ts';
import { type CacheScope, versionsInScopes } from './versions-in-scopes.ts';
import { walkVersion } from './walk-version.ts';

export interface VerifyCacheOptions extends CallOptions {
  /** Read every file again, also those that were not touched since they were verified. @default false */
  deep?: boolean;
  /** Mend what is wrong: fetch files again, and move what is in their place aside. @default false */
  repair?: boolean;
  /** Hears of each problem as soon as it is known what became of it. */
  onProblem?: (problem: CacheProblem) => void;
}

export interface CacheVerified extends Count {
  readonly versions: number;
  /** Versions of which the cache has files and no manifest: nobody can say whether they are right. */
  readonly unknown: readonly VersionRef[];
  readonly problems: readonly CacheProblem[];
}

/**
 * Compares the cache, or the versions in some scopes, with what it must hold. Nothing is asked of the registry unless
 * something is to be repaired that nothing in the cache can mend.
 *
 * A file that was not touched since it was verified is known by its stats. One that was edited is moved aside when it is
 * repaired, never removed. Others may save, clone and remove versions meanwhile.
 */
export async function verifyCache(
  ctx: Context,
  scopes: readonly CacheScope[] = [],
  options: VerifyCacheOptions = {},
): Promise<CacheVerified> {
  const { deep = false, repair = false, onProblem, signal, onEvent } = options;
  return run(ctx, options, async () => {
    const call = { signal, onEvent };
    const { versions: refs } = await versionsInScopes(ctx, scopes, call);
    const { clones, unreadable } = await readClones(ctx, call);
    const prover = createProver(ctx, { deep, signal });
    const problems: CacheProblem[] = [];
    const unknown: VersionRef[] = [];
    const known = new Set<string>();
    const sum = { versions: 0, files: 0, bytes: 0 };
    let started = 0;
    const tell = (found: readonly CacheProblem[]) => {
      for (const problem of found) {
        problems.push(problem);
        onProblem?.(problem);
      }
    };
    try {
      for (const ref of refs) {
        signal?.throwIfAborted();
        const { problems: found, expected } = await verifyVersion(ctx, ref, { prover, clones, repair, ...call });
        tell(found);
        for (const { path } of found) {
          const stats = statIfThere(path);
          if (stats !== undefined) known.add(inodeId(stats));
        }
        if (expected === undefined) {
          if (await hasFiles(ctx, ref, call)) unknown.push(ref);
          continue;
        }
        started++;
        sum.versions++;
        sum.files += expected.files;
        sum.bytes += expected.bytes;
      }
      if (scopes.length === 0) {
        const blobs = await checkBlobs(ctx, { prover, known, ...call });
        started++;
        const rest = [...blobs, ...(await checkRest(ctx, unreadable, call))];
        tell(repair ? await mendRest(ctx, rest, call) : rest);
      }
    } finally {
      await prover.flush();
    }
    for (; started > 0; started--) onEvent?.({ type: 'end', task: 'verify' });
    return { ...sum, unknown, problems };
  });
}

async function hasFiles(ctx: Context, ref: VersionRef, { signal }: CallOptions): Promise<boolean> {
  let files = 0;
  await walkVersion(ctx.cache.layout, ref, () => files++, { signal });
  return files > 0;
}
