import type { GypsumEvent } from '../events.ts';
import { eventLine } from './report.ts';

/**
 * How long nothing is told of what is tried again: with a registry down, that is every request, again and again.
 *
 * Units: milliseconds
 */
const RETRIES_APART = 10_000;

/** Gives the message of each event that has one, and few of many retries. */
export function createMessages(): (event: GypsumEvent, now: number) => string | undefined {
  let toldAt = Number.NEGATIVE_INFINITY;
  let longest = 0;
  let untold = 0;
  return (event, now) => {
    const line = eventLine(event);
    if (event.type !== 'retry' || line === undefined) return line;
    const { delay = 0 } = event;
    // That nothing will happen for longer than was told is news.
    if (now - toldAt < RETRIES_APART && delay <= longest) {
      untold++;
      return undefined;
    }
    const others = untold === 0 ? '' : ` (${untold} more since the last such line)`;
    toldAt = now;
    longest = delay;
    untold = 0;
    return line + others;
  };
}
