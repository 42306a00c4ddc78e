import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { type Count, countFiles } from '../model/count.ts';
import type { Manifest } from '../model/manifest.ts';
import type { VersionRef } from '../model/refs.ts';
import type { CacheProblem } from './cache-problems.ts';
import { checkDocuments } from './check-documents.ts';
import { checkFiles } from './check-files.ts';
import { mendClaim, mendDocuments } from './mend-documents.ts';
import { mendFiles } from './mend-files.ts';
import type { Prover } from './prover.ts';
import type { RegisteredClone } from './registered-clones.ts';
import { storedManifest } from './stored-manifest.ts';

export interface VerifyVersionOptions extends CallOptions {
  readonly prover: Prover;
  readonly clones: readonly RegisteredClone[];
  readonly repair: boolean;
}

/** What was found of a version. */
export interface VerifiedVersion {
  readonly problems: readonly CacheProblem[];
  /** What it must hold, if the cache knows. */
  readonly expected?: Count;
}

/** Checks what the cache has of a version, and mends it if that is asked for. */
export async function verifyVersion(
  ctx: Context,
  ref: VersionRef,
  options: VerifyVersionOptions,
): Promise<VerifiedVersion> {
  const { repair } = options;
  const claim = ctx.cache.layout.complete(ref);
  const isClaimed = () => statIfThere(claim) !== undefined;
  const claimed = isClaimed();
  const found = await lookTwice(() => checkDocuments(ctx, ref, isClaimed()));
  const problems = repair ? await mendDocuments(ctx, ref, found, options) : found;
  let manifest = await storedManifest(ctx, ref);
  const claims: CacheProblem[] = [];
  // Who saves a version claims it last, and who removes it takes the claim first.
  if (manifest === undefined && claimed && isClaimed()) manifest = await storedManifest(ctx, ref);
  if (manifest === undefined && claimed && isClaimed()) {
    const message = 'says that all files are there, and nothing says which';
    const unfounded: CacheProblem = { path: claim, fault: 'unfounded-claim', message, ref };
    claims.push(repair ? await mendClaim(ctx, ref, unfounded, options) : unfounded);
    if (repair) manifest = await storedManifest(ctx, ref);
  }
  if (manifest === undefined) return { problems: [...problems, ...claims] };
  const expected = countFiles(Object.values(manifest));
  options.onEvent?.({ type: 'start', task: 'verify', ...expected });
  const wrong = await checkClaimed(ctx, ref, manifest, options);
  const mended = repair && wrong.length > 0 ? await mendFiles(ctx, ref, manifest, wrong, options) : wrong;
  // Now that it is known which files there must be, none of them may be there.
  const isSaid = mended.some(({ fault }) => fault === 'unfounded-claim');
  return { problems: [...problems, ...(isSaid ? [] : claims), ...mended], expected };
}

/** Gives the problems that are there at a second look, too: others may save and remove the version at this moment. */
async function lookTwice(look: () => Promise<CacheProblem[]>): Promise<CacheProblem[]> {
  const first = await look();
  if (first.length === 0) return first;
  const isThere = (problem: CacheProblem) =>
    first.some(({ path, fault }) => path === problem.path && fault === problem.fault);
  return (await look()).filter(isThere);
}

async function checkClaimed(
  ctx: Context,
  ref: VersionRef,
  manifest: Manifest,
  options: VerifyVersionOptions,
): Promise<CacheProblem[]> {
  const path = ctx.cache.layout.complete(ref);
  const claimed = statIfThere(path) !== undefined;
  const problems = await checkFiles(ctx, ref, manifest, { ...options, claimed });
  const missing = problems.filter(({ fault }) => fault === 'missing');
  if (missing.length === 0) return problems;
  const others = problems.filter(({ fault }) => fault !== 'missing');
  // Who removes a version takes the claim away first.
  if (statIfThere(path) === undefined) return others;
  const files = Object.values(manifest);
  if (missing.length < files.length) return problems;
  const message = 'says that all files are there, and none is';
  return [{ path, fault: 'unfounded-claim', message, ref, size: countFiles(files).bytes }, ...others];
}
