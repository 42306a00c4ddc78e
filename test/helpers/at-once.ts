import { setTimeout } from 'node:timers/promises';
import type { Fault } from '../../mocks/index.ts';

/**
 * Counts how many requests are being answered at once. The first ones are held until so many have come, and a moment
 * longer: whoever sends more at once is seen.
 */
export function countAtOnce(expected: number): { readonly fault: Fault; most(): number } {
  let running = 0;
  let most = 0;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    most: () => most,
    async fault(_request, next) {
      most = Math.max(most, ++running);
      if (running >= expected) void setTimeout(50).then(open);
      await opened;
      try {
        return await next();
      } finally {
        running--;
      }
    },
  };
}
