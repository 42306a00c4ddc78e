import type { CallOptions } from '../events.ts';
import type { Consume, Exchange } from './http.ts';

/** Asks for what anybody may read, at a path of the registry: with a token only where it wants one. */
export type Read = <T>(
  exchange: Pick<Exchange, 'what' | 'headers' | 'body' | 'shouldRetry'> & { path: string; method?: 'GET' | 'POST' },
  options: CallOptions | undefined,
  consume: Consume<T>,
) => Promise<T>;
