import { versionsOf } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { checkVersionRef, sameVersion, type VersionRef } from '../model/refs.ts';
import { selectMatching } from '../model/select-files.ts';
import { planCheckoutSteps } from '../tree/plan-checkout.ts';
import { type ChangeResult, carryOut } from './apply-change-plan.ts';
import type { ChangePlan } from './change-plan.ts';
import { checkCollisions } from './check-collisions.ts';
import { checkHoldable } from './check-holdable.ts';
import { createCloneLayout } from './clone-layout.ts';
import { checkMode } from './clone-mode.ts';
import { type FolderVersion, loadFolderVersion, pathsOf } from './cloned-version.ts';
import { type FoundClone, findClone } from './find-clone.ts';
import { findCloneSources } from './find-clone-sources.ts';
import { linksToFetch } from './needed-sources.ts';
import { linksOf, readStanding } from './read-standing.ts';
import { refuseEdited } from './refuse-edited.ts';
import { run } from './run.ts';
import type { SaveOptions } from './save-contents.ts';
import { scanClone } from './scan-clone.ts';

export interface CheckoutOptions extends SaveOptions {
  /** Fetch the files that come. Without them links dangle; in a clone of real files they must be fetched. @default true */
  download?: boolean;
}

/**
 * Has the clone that a folder is or lies in go over to another version, in place. What is as its version has it changes, goes or
 * comes; what somebody has made of it since is left: `left` says where the versions differ, too (`conflict`). Nothing
 * of it is ever lost. Patterns of a clone of a part of a version go on to hold.
 *
 * Throws `invalid-argument` for a folder that is in no clone, `wrong-content` for links that would go or change and whose
 * cached file was edited through them, and what `applyChangePlan` and `saveVersion` throw. Done again, it finishes
 * what was interrupted.
 */
export async function checkoutVersion(
  ctx: Context,
  ref: VersionRef,
  directory: string,
  options: CheckoutOptions = {},
): Promise<ChangeResult> {
  const version = checkVersionRef(ref);
  return run(ctx, options, async () => {
    const { clone, plan, target } = await makePlan(ctx, version, directory, options);
    return carryOut(ctx, clone, plan, target, options);
  });
}

/** Says what `checkoutVersion` would do, and does nothing: `applyChangePlan` does it. */
export async function planCheckout(
  ctx: Context,
  ref: VersionRef,
  directory: string,
  options: CheckoutOptions = {},
): Promise<ChangePlan> {
  const version = checkVersionRef(ref);
  return run(ctx, options, async () => (await makePlan(ctx, version, directory, options)).plan);
}

async function makePlan(
  ctx: Context,
  ref: VersionRef,
  directory: string,
  { download = true, ...options }: CheckoutOptions,
): Promise<{ clone: FoundClone; plan: ChangePlan; target: FolderVersion }> {
  const clone = await findClone(ctx, directory, options);
  checkMode(clone.receipt.mode, download);
  const { root, receipt } = clone;
  const target = await loadFolderVersion(ctx, ref, options);
  const paths = pathsOf(target);
  checkHoldable(ref, paths);
  await checkCollisions(ref, paths, root);
  const bases: FolderVersion[] = [];
  for (const version of versionsOf(receipt)) {
    bases.push(sameVersion(version, ref) ? target : await loadFolderVersion(ctx, checkVersionRef(version), options));
  }
  const selected = selectMatching(target.manifest, receipt);
  const isLinked = receipt.mode === 'symlink';
  const inSite =
    isLinked && download ? await findCloneSources(ctx, { ...target, selected }, root, options) : new Set<string>();
  const standing = await readStanding(
    ctx,
    clone,
    scanClone(root, options),
    bases.includes(target) ? bases : [...bases, target],
    options,
  );
  const layout = createCloneLayout(ctx, target, receipt.mode, selected, inSite);
  const planned = planCheckoutSteps({ bases, target, standing, ...layout });
  const changing = new Set(planned.steps.map(({ path }) => path));
  await refuseEdited(
    ctx,
    root,
    linksOf(standing, ({ path }) => changing.has(path)),
    options,
  );
  const from = versionsOf(receipt).find((version) => !sameVersion(version, ref));
  const { steps, left, unchanged } = planned;
  const fetch = download ? linksToFetch(ctx, steps, (path) => path in selected) : [];
  const plan = {
    verb: 'checkout',
    ...ref,
    directory: root,
    mode: receipt.mode,
    steps,
    left,
    unchanged,
    fetch,
  } as const;
  return { clone, plan: { ...plan, ...(from !== undefined && { from }) }, target };
}
