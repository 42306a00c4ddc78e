import type { Context } from '../context.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import type { UploadPlan } from '../model/upload-plan.ts';
import { type ApplyOptions, countPlan, publishPlan, type UploadResult } from './apply-upload.ts';
import { type PlanOptions, planUpload } from './plan-upload.ts';
import { checkHasToken } from './upload-session.ts';

export interface UploadOptions extends PlanOptions, ApplyOptions {
  /** Publish only if anything differs from the latest version. @default false */
  ifChanged?: boolean;
}

/**
 * Publishes a folder as a new version: surviving links of a clone become links, as does what the latest version has;
 * the rest is sent. Throws what `planUpload` and `applyUpload` throw.
 */
export async function uploadDirectory(
  ctx: Context,
  ref: VersionRef,
  directory: string,
  options: UploadOptions = {},
): Promise<UploadResult> {
  const version = checkVersionRef(ref);
  checkHasToken(ctx, version);
  return applyIfChanged(ctx, await planUpload(ctx, version, directory, options), options);
}

/** Applies a plan, unless nothing has changed and that was to be a reason not to. */
export async function applyIfChanged(ctx: Context, plan: UploadPlan, options: UploadOptions): Promise<UploadResult> {
  const { ifChanged = false, ...apply } = options;
  if (!ifChanged || plan.unchangedSince === undefined) return publishPlan(ctx, plan, apply);
  const nothing = { files: 0, bytes: 0 };
  return { ...plan.unchangedSince, published: false, ...countPlan(plan), sent: nothing, linked: nothing };
}
