import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import { readClones } from './registered-clones.ts';
import { type RelinkOptions, type RelinkResult, relinkClone } from './relink-clone.ts';
import { run } from './run.ts';

/** What became of all registered clones. */
export interface RelinkedClones {
  readonly clones: readonly RelinkResult[];
  /** Those that could not be found or mended, and why. */
  readonly skipped: readonly { readonly destination: string; readonly why: string }[];
}

/** Mends every registered clone that can be found; one that cannot be mended keeps none of the others from it. */
export async function relinkClones(ctx: Context, options: Omit<RelinkOptions, 'as'> = {}): Promise<RelinkedClones> {
  return run(ctx, options, async () => {
    const clones: RelinkResult[] = [];
    const skipped: RelinkedClones['skipped'][number][] = [];
    for (const { receipt, state, place } of (await readClones(ctx, options)).clones) {
      const { destination } = receipt;
      if (place === undefined) {
        const why = state === 'unreadable' ? 'It cannot be looked at.' : 'It is not there any more, or was moved far.';
        skipped.push({ destination, why });
        continue;
      }
      try {
        clones.push(await relinkClone(ctx, place, options));
      } catch (error) {
        if (!isGypsumError(error)) throw error;
        skipped.push({ destination: place, why: error.message });
      }
    }
    return { clones, skipped };
  });
}
