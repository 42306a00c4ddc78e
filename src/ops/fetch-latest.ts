import { z } from 'zod';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { checkName, nameFault } from '../model/names.ts';
import { type AssetRef, formatRef, type VersionRef } from '../model/refs.ts';
import { parseJson } from '../registry/documents.ts';
import { latestUnknown } from './missing-offline.ts';

const wireLatest = z.object({ version: z.string() });

/** Gives the latest version of an asset: the one finished last, not on probation. Throws `not-found` if there is none. */
export async function fetchLatest(ctx: Context, ref: AssetRef, options: CallOptions = {}): Promise<VersionRef> {
  const project = checkName('project', ref.project);
  const asset = checkName('asset', ref.asset);
  if (ctx.registry.isOffline) throw await latestUnknown(ctx, { project, asset });
  const what = `Reading the latest version of ${formatRef({ project, asset })}`;
  try {
    const content = await ctx.registry.read(keys.latest({ project, asset }), 64 * 1024, options);
    const parsed = wireLatest.safeParse(parseJson(content.toString('utf8'), what));
    if (parsed.success && nameFault(parsed.data.version) === undefined) {
      return { project, asset, version: parsed.data.version };
    }
    throw new GypsumError('invalid-response', `${what} failed: the answer names no possible version.`, {
      hint: 'Name the version that you want.',
      cause: parsed.error,
    });
  } catch (error) {
    if (!isGypsumError(error, 'not-found')) throw error;
    throw new GypsumError('not-found', `${formatRef({ project, asset })} has no latest version.`, {
      hint: `It may have versions on probation, or not finished. List what there is with "gypsum assets ${project}" and "gypsum versions ${formatRef({ project, asset })}".`,
      details: { project, asset },
      cause: error,
    });
  }
}
