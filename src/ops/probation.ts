import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { checkVersionRef, formatRef, type VersionRef } from '../model/refs.ts';
import { type WireSummary, wireSummary } from '../model/summary.ts';
import { parseDocument } from '../registry/documents.ts';
import { wasNotProcessed } from '../registry/failures.ts';
import { route } from '../registry/route.ts';
import { doOnce } from './do-once.ts';

/** Makes a version official that is on probation; only owners of the project may. */
export async function approveProbation(ctx: Context, ref: VersionRef, options: CallOptions = {}): Promise<void> {
  await end(ctx, ref, 'approve', options);
}

/** Removes a version that is on probation; owners of the project may, and who uploaded it. */
export async function rejectProbation(ctx: Context, ref: VersionRef, options: CallOptions = {}): Promise<void> {
  await end(ctx, ref, 'reject', options);
}

async function end(ctx: Context, ref: VersionRef, verb: 'approve' | 'reject', options: CallOptions): Promise<void> {
  const { project, asset, version } = checkVersionRef(ref);
  const name = formatRef(ref);
  const what = `${verb === 'approve' ? 'Approving' : 'Rejecting'} ${name}`;
  const to = route(`probation/${verb}`, project, asset, version);
  await doOnce(
    async () => {
      try {
        await ctx.registry.send({ what, method: 'POST', to, shouldRetry: wasNotProcessed }, options);
      } catch (error) {
        if (!isGypsumError(error, 'refused') || (await readSummary(ctx, ref, options)) !== undefined) throw error;
        const hint = `List what there is with "gypsum versions ${formatRef({ project, asset })}".`;
        throw new GypsumError('not-found', `There is no version ${name}.`, { hint, details: { ...ref }, cause: error });
      }
    },
    async () => {
      const summary = await readSummary(ctx, ref, options);
      return verb === 'approve' ? summary !== undefined && !summary.on_probation : summary === undefined;
    },
    `See with "gypsum version summary ${name}" whether it was done before you try again.`,
  );
}

/** Reads the summary as the registry has it now. */
async function readSummary(ctx: Context, ref: VersionRef, options: CallOptions): Promise<WireSummary | undefined> {
  const what = `Reading the summary of ${formatRef(ref)}`;
  try {
    const content = await ctx.registry.read(keys.summary(ref), 64 * 1024, options);
    return parseDocument(content.toString('utf8'), wireSummary, what);
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}
