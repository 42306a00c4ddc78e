import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { checkName } from '../model/names.ts';
import { type AssetRef, checkVersionRef, formatRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { route } from '../registry/route.ts';
import { checkProjectExists } from './check-project.ts';

/** Removes a project with all that is in it; only administrators may. To remove what is not there succeeds. */
export async function removeProject(ctx: Context, project: string, options: CallOptions = {}): Promise<void> {
  const name = checkName('project', project);
  await remove(ctx, `project "${showText(name)}"`, [name], options);
}

/** Removes an asset with all its versions, in the same way. Links of other assets' versions to it lead nowhere then. */
export async function removeAsset(ctx: Context, ref: AssetRef, options: CallOptions = {}): Promise<void> {
  const project = checkName('project', ref.project);
  const asset = checkName('asset', ref.asset);
  await remove(ctx, formatRef({ project, asset }), [project, asset], options);
}

/** Removes a version, in the same way. Links of other versions to it lead nowhere then. */
export async function removeVersion(ctx: Context, ref: VersionRef, options: CallOptions = {}): Promise<void> {
  const { project, asset, version } = checkVersionRef(ref);
  await remove(ctx, formatRef({ project, asset, version }), [project, asset, version], options);
}

async function remove(ctx: Context, name: string, parts: readonly string[], options: CallOptions): Promise<void> {
  const [project = '', ...below] = parts;
  try {
    await ctx.registry.send({ what: `Removing ${name}`, method: 'DELETE', to: route('remove', ...parts) }, options);
  } catch (error) {
    // The public registry fails where there is no such project.
    const mayMissIt = below.length > 0 && isGypsumError(error, 'unavailable') && error.details.status === 500;
    if (mayMissIt) await checkProjectExists(ctx, project, options);
    throw error;
  }
}
