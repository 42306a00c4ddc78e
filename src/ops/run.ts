import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';

/**
 * Runs an operation on a cache that is this registry's. Once the signal is aborted, whatever broke because of it comes out as the
 * signal's own reason.
 */
export async function run<T>(ctx: Context, { signal }: CallOptions, work: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  await ctx.cache.check();
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
