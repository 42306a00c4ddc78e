import type { GypsumEvent } from '../events.ts';
import { eventLine } from './report.ts';

/**
 * Of the requests that are tried again within this time, only one is told for each attempt: with a registry down, all are.
 *
 * Units: milliseconds
 */
const RETRIES_APART = 1_000;

/** Gives the message of each event that has one, and few of many retries. */
export function createMessages(): (event: GypsumEvent, now: number) => string | undefined {
  let toldAt = Number.NEGATIVE_INFINITY;
  let attempt = 0;
  let untold = 0;
  return (event, now) => {
    const line = eventLine(event);
    if (event.type !== 'retry' || line === undefined) return line;
    if (now - toldAt < RETRIES_APART && event.attempt <= attempt) {
      untold++;
      return undefined;
    }
    const others = untold === 0 ? '' : ` (${untold} more since the last such line)`;
    toldAt = now;
    attempt = event.attempt;
    untold = 0;
    return line + others;
  };
}
