import { chmodSync, lstatSync } from 'node:fs';
import { readOnly } from '../cache/atomic.ts';
import { statIfThere } from '../cache/blobs.ts';
import { diskClock } from '../cache/disk-clock.ts';
import type { Layout } from '../cache/layout.ts';
import { setAside } from '../cache/move-aside.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { type Manifest, selectEntries } from '../model/manifest.ts';
import type { VersionRef } from '../model/refs.ts';
import { isBelow } from '../model/tree.ts';
import type { CacheFault, CacheProblem } from './cache-problems.ts';
import { eachContent, groupContents } from './content-parts.ts';
import { cachedPrograms, makeExecutables } from './executables.ts';
import { mendContents } from './mend-contents.ts';
import { outcome, whyNot } from './mend-outcome.ts';
import type { Prover } from './prover.ts';
import { withVersionLock } from './version-lock.ts';

/** Mends what is wrong with the files of a version, while nobody else saves or removes it. */
export async function mendFiles(
  ctx: Context,
  ref: VersionRef,
  manifest: Manifest,
  problems: readonly CacheProblem[],
  { prover, signal, onEvent }: CallOptions & { prover: Prover },
): Promise<CacheProblem[]> {
  const { layout } = ctx.cache;
  return withVersionLock(ctx, ref, { signal, onEvent }, async () => {
    for (const { fault, path } of problems) if (fault === 'unreadable') protect(path);
    const wanted = wantedFiles(manifest, problems);
    const contents = [...eachContent(groupContents({ ref, manifest: wanted }))];
    const { movedTo, failed } = await mendContents(ctx, ref, contents, { prover, signal, onEvent });
    await makeExecutables(ctx, contents, await cachedPrograms(layout, ref), { signal });
    const now = await diskClock(layout);
    return problems.map((problem) => {
      if (problem.fault === 'wrong-mode') return { ...problem, ...outcome(protect(problem.path)) };
      if (problem.fault === 'foreign') return putAside(layout, problem, now);
      const reason = [...failed].find(([path]) => path === problem.path || isBelow(path, problem.path))?.[1];
      const aside = movedTo.get(problem.path);
      const whole = problem.file === undefined ? [...failed.values()][0] : reason;
      return { ...problem, ...outcome(whole), ...(aside !== undefined && { movedTo: aside }) };
    });
  });
}

const BY_CONTENT: ReadonlySet<CacheFault> = new Set(['missing', 'wrong-content', 'wrong-type', 'unreadable']);

/** Gives the part of a manifest that has to be supplied: all of it where nothing is there. */
function wantedFiles(manifest: Manifest, problems: readonly CacheProblem[]): Manifest {
  if (problems.some(({ fault }) => fault === 'unfounded-claim')) return manifest;
  const wrong = problems.filter(({ fault }) => BY_CONTENT.has(fault));
  const files = new Set(wrong.map(({ file }) => file));
  const folders = wrong.flatMap(({ fault, file = '' }) =>
    fault === 'wrong-type' && !Object.hasOwn(manifest, file) ? [file] : [],
  );
  return selectEntries(manifest, (_, path) => files.has(path) || folders.some((folder) => isBelow(path, folder)));
}

/** Units: milliseconds. What was written to so short a time ago may be another client's, who is writing. */
const YOUNG = 60_000;

/** Moves something aside of which no manifest knows, unless somebody may be at work on it. */
export function putAside(layout: Layout, problem: CacheProblem, now: number): CacheProblem {
  const stats = statIfThere(problem.path);
  if (stats === undefined) return { ...problem, repaired: true };
  const age = now - stats.mtimeMs;
  // A time that is far ahead says nothing of when it was written.
  if (Math.abs(age) < YOUNG) return { ...problem, ...outcome(tooYoung(age)) };
  try {
    return { ...problem, repaired: true, movedTo: setAside(layout, problem.path) };
  } catch (error) {
    return { ...problem, ...outcome(whyNot(error)) };
  }
}

function tooYoung(age: number): string {
  const [past, wait] = [Math.max(age, 0) / 1000, (YOUNG - age) / 1000];
  return `It was written to ${Math.floor(past)} s ago, and somebody may not be done with it: repair it again in ${Math.ceil(wait)} s.`;
}

/** Takes the right to write to a file away; gives why it could not. */
export function protect(path: string): string | undefined {
  try {
    chmodSync(path, readOnly(lstatSync(path)));
    return undefined;
  } catch (error) {
    return whyNot(error);
  }
}
