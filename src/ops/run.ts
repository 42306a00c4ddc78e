import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { checkSite } from './site-cache.ts';

/** Runs an operation, unless it is stopped already or the cache is another registry's. */
export async function run<T>(ctx: Context, { signal }: CallOptions, work: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  await ctx.cache.check();
  await checkSite(ctx);
  return work();
}
