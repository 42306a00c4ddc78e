import type { Context } from '../context.ts';
import { each } from '../each.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { sameVersion, type VersionRef } from '../model/refs.ts';
import { isImmutable } from '../model/summary.ts';
import { askSummary, readRememberedSummary } from './version-documents.ts';

/** Says whether versions can be linked to; each is asked for once. */
export interface Standing {
  of(ref: VersionRef): Promise<boolean>;
  /** Gives the links that can be made, and those to versions that are no more. */
  divide<T extends { readonly link: VersionRef }>(
    links: readonly T[],
  ): Promise<{ kept: readonly T[]; gone: readonly T[] }>;
}

/**
 * Whether a version is what the cache remembers: finished, not on probation, and not one of the same name that was
 * published after the remembered one had been removed. The cache cannot know: the registry is asked.
 */
export function createStanding(ctx: Context, call: CallOptions): Standing {
  const known = new Map<string, Promise<boolean>>();
  const of = (ref: VersionRef) => {
    const id = keys.version(ref);
    const asked = known.get(id) ?? stands(ctx, ref, call);
    known.set(id, asked);
    return asked;
  };
  return {
    of,
    async divide(links) {
      const gone: VersionRef[] = [];
      await each(versionsOf(links), { concurrency: ctx.concurrency, signal: call.signal }, async (ref) => {
        if (!(await of(ref))) gone.push(ref);
      });
      if (gone.length === 0) return { kept: links, gone: [] };
      const isGone = ({ link }: { link: VersionRef }) => gone.some((ref) => sameVersion(ref, link));
      return { kept: links.filter((link) => !isGone(link)), gone: links.filter(isGone) };
    },
  };
}

/** Gives the versions that links lead to, each once. */
function versionsOf(links: readonly { readonly link: VersionRef }[]): Iterable<VersionRef> {
  const versions = new Map<string, VersionRef>();
  let last: VersionRef | undefined;
  for (const { link } of links) {
    // Nearly all links lead where the one before does.
    if (last !== undefined && sameVersion(last, link)) continue;
    last = link;
    versions.set(keys.version(link), link);
  }
  return versions.values();
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
