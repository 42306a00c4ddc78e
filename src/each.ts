import { setMaxListeners } from 'node:events';
import { GypsumError } from './errors.ts';

export interface EachOptions {
  /** How many items are worked on at once. */
  concurrency: number;
  signal?: AbortSignal | undefined;
}

/**
 * Works on every item, a few at a time. The first failure stops the others through their signal, and is thrown once
 * all of them have ended, so that nothing goes on behind the caller's back.
 */
export async function each<T>(
  items: Iterable<T>,
  { concurrency, signal }: EachOptions,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  checkConcurrency(concurrency);
  signal?.throwIfAborted();
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  // Every request in progress listens to it: that is no leak.
  setMaxListeners(0, both);
  const iterator = items[Symbol.iterator]();
  let failed = false;
  let failure: unknown;
  const lane = async () => {
    while (!both.aborted) {
      const next = iterator.next();
      if (next.done) return;
      await work(next.value, both);
    }
  };
  const lanes = Array.from({ length: concurrency }, () =>
    lane().catch((error: unknown) => {
      if (failed) return;
      failed = true;
      failure = error;
      stop.abort(error);
    }),
  );
  await Promise.all(lanes);
  signal?.throwIfAborted();
  if (failed) throw failure;
}

/** How many items are worked on at once where nobody says it. */
export const DEFAULT_CONCURRENCY = 16;

/** Returns how many items may be worked on at once, or throws `invalid-argument`. */
export function checkConcurrency(concurrency: number): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 256) return concurrency;
  throw new GypsumError('invalid-argument', `The concurrency ${concurrency} is not a number from 1 to 256.`, {
    hint: 'Leave it out for 16 transfers at once.',
    details: { concurrency },
  });
}
