import type { Context } from '../context.ts';
import { each } from '../each.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import { isImmutable } from '../model/summary.ts';
import { askSummary, readRememberedSummary } from './version-documents.ts';

/** Says whether versions can be linked to; each is asked for once. */
export interface Standing {
  /** Asks for many at once, so that `of` need not ask one by one. */
  ask(refs: Iterable<VersionRef>): Promise<void>;
  of(ref: VersionRef): Promise<boolean>;
}

/**
 * Whether a version is what the cache remembers: finished, not on probation, and not one of the same name that was
 * published after the remembered one had been removed. The cache cannot know: the registry is asked.
 */
export function createStanding(ctx: Context, call: CallOptions): Standing {
  const known = new Map<string, Promise<boolean>>();
  const of = (ref: VersionRef) => {
    const id = formatRef(ref);
    const asked = known.get(id) ?? stands(ctx, ref, call);
    known.set(id, asked);
    return asked;
  };
  return {
    of,
    async ask(refs) {
      const distinct = new Map([...refs].map((ref) => [formatRef(ref), ref]));
      await each(distinct.values(), { concurrency: ctx.concurrency, signal: call.signal }, async (ref) => {
        await of(ref);
      });
    },
  };
}

async function stands(ctx: Context, { project, asset, version }: VersionRef, call: CallOptions): Promise<boolean> {
  const ref = { project, asset, version };
  try {
    const [now, then] = [await askSummary(ctx, ref, call), await readRememberedSummary(ctx, ref)];
    const isSame =
      then === undefined ||
      (then.uploadStart.getTime() === now.uploadStart.getTime() &&
        then.uploadFinish?.getTime() === now.uploadFinish?.getTime());
    return isSame && isImmutable(now);
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return false;
    throw error;
  }
}
