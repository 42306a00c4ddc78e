import { z } from 'zod';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { checkName } from '../model/names.ts';
import { type AssetRef, formatRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { route } from '../registry/route.ts';
import { checkProjectExists } from './check-project.ts';

const wireLatest = z.object({ version: z.string().optional() });
const wireUsage = z.object({ total: z.number() });

/** Has the registry find an asset's latest version again, and gives it, if there is one; only administrators may. */
export async function refreshLatest(
  ctx: Context,
  ref: AssetRef,
  options: CallOptions = {},
): Promise<VersionRef | undefined> {
  const project = checkName('project', ref.project);
  const asset = checkName('asset', ref.asset);
  const what = `Refreshing the latest version of ${formatRef({ project, asset })}`;
  const to = route('refresh/latest', project, asset);
  const { version } = await inProject(ctx, project, options, () =>
    ctx.registry.ask({ what, method: 'POST', to, answer: wireLatest }, options),
  );
  return version === undefined ? undefined : { project, asset, version: checkName('version', version) };
}

/** Has the registry count again what a project stores, and gives it; only administrators may. Units: bytes */
export async function refreshUsage(ctx: Context, project: string, options: CallOptions = {}): Promise<number> {
  const name = checkName('project', project);
  const what = `Refreshing the usage of project "${showText(name)}"`;
  const to = route('refresh/usage', name);
  const asked = { what, method: 'POST', to, answer: wireUsage } as const;
  return (await inProject(ctx, name, options, () => ctx.registry.ask(asked, options))).total;
}

/** Throws `not-found` where what was refused is that there is no such project. */
async function inProject<T>(ctx: Context, project: string, call: CallOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isGypsumError(error, 'refused')) await checkProjectExists(ctx, project, call);
    throw error;
  }
}
