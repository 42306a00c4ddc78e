import { retryDelay } from '../model/retry-delay.ts';

/** Has something that fails be tried later and later. */
export interface BackOff {
  isDue(): boolean;
  fail(): void;
  done(): void;
}

/** Units: milliseconds */
const LONGEST = 5 * 60_000;

/** `first` is how long it waits after the first failure; it doubles, up to five minutes. Units: milliseconds */
export function createBackOff(first: number): BackOff {
  let failures = 0;
  let due = 0;
  return {
    isDue: () => performance.now() >= due,
    fail() {
      due = performance.now() + Math.min(retryDelay(first, ++failures), Math.max(first, LONGEST));
    },
    done() {
      failures = 0;
      due = 0;
    },
  };
}
