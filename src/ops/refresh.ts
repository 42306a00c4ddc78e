import { z } from 'zod';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { checkName } from '../model/names.ts';
import { type AssetRef, formatRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { route } from '../registry/route.ts';
import { checkProjectExists } from './check-project.ts';
import { askSummary } from './version-documents.ts';

const wireLatest = z.object({ version: z.string().optional() });
const wireUsage = z.object({ total: z.number() });

/**
 * Has the registry find an asset's latest version again, and gives it, if there is one; only administrators may. Throws
 * `version-unfinished` if an upload that was never completed is taken for one, as the public registry may do.
 */
export async function refreshLatest(
  ctx: Context,
  ref: AssetRef,
  options: CallOptions = {},
): Promise<VersionRef | undefined> {
  const project = checkName('project', ref.project);
  const asset = checkName('asset', ref.asset);
  const name = formatRef({ project, asset });
  const what = `Refreshing the latest version of ${name}`;
  const to = route('refresh/latest', project, asset);
  const { version } = await inProject(ctx, project, options, async () => {
    try {
      return await ctx.registry.ask({ what, method: 'POST', to, answer: wireLatest }, options);
    } catch (error) {
      throw isGypsumError(error, 'unavailable') && error.details.status === 500 ? strayFiles(name, error) : error;
    }
  });
  if (version === undefined) return undefined;
  const latest = { project, asset, version: checkName('version', version) };
  if ((await askSummary(ctx, latest, options)).uploadFinish !== undefined) return latest;
  throw new GypsumError(
    'version-unfinished',
    `The registry has made ${formatRef(latest)} the latest version, whose upload has not been completed.`,
    { hint: `Remove it (gypsum version remove ${formatRef(latest)}), and refresh again.`, details: latest },
  );
}

/** The public registry fails where files are that no version has: put after the upload that they were of was aborted. */
function strayFiles(name: string, cause: GypsumError): GypsumError {
  return new GypsumError('unavailable', cause.message, {
    hint: `Try again later. If that does not help, remove what has no summary of the versions that "gypsum versions ${name}" lists.`,
    details: cause.details,
    cause,
  });
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
