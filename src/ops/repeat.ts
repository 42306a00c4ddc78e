import { GypsumError } from '../errors.ts';
import { pause } from '../give-way.ts';
import { retryDelay } from '../model/retry-delay.ts';

export interface RepeatOptions {
  /** From one begin to the next. Units: milliseconds */
  every: number;
  /** Begin when the first of these times has passed, and not at once. @default false */
  isDelayed?: boolean;
  /** Ends it: at once between two runs. */
  until: AbortSignal;
  /** Hears of an error that has ended a run; what it throws itself ends it all. */
  onError: (error: unknown) => void;
  /** Units: milliseconds; never goes back. @default that of the process */
  now?: () => number;
  wait?: typeof pause;
}

/** Units: milliseconds. After the first failure; it doubles. */
const RETRY_AFTER = 5_000;

/** Units: milliseconds. Timers take no longer times. */
const LONGEST_WAIT = 2 ** 31 - 1;

/**
 * Does something now, unless that is delayed, and then again and again, at times that do not depend on how long it takes; none overlaps with the one
 * before, and what was missed is done once. `run` says whether all went well: if not, or if it throws, it is done again
 * sooner, and then later and later, but no later than it is due anyway.
 */
export async function repeat(
  run: () => Promise<boolean>,
  { every, isDelayed = false, until, onError, now = () => performance.now(), wait = pause }: RepeatOptions,
): Promise<void> {
  if (!(every > 0 && Number.isFinite(every))) {
    throw new GypsumError('invalid-argument', `Something cannot be done every ${every} milliseconds.`, {
      hint: 'Give more than 0.',
      details: { every },
    });
  }
  const first = now();
  if (isDelayed) await waitUntil(first + every, { until, now, wait });
  for (let failures = 0; !until.aborted; ) {
    failures = (await isWell(run, onError)) ? 0 : failures + 1;
    const due = first + (Math.floor((now() - first) / every) + 1) * every;
    const retry = failures === 0 ? due : now() + retryDelay(RETRY_AFTER, failures);
    await waitUntil(Math.min(due, retry), { until, now, wait });
  }
}

async function isWell(run: () => Promise<boolean>, onError: (error: unknown) => void): Promise<boolean> {
  try {
    return await run();
  } catch (error) {
    onError(error);
    return false;
  }
}

async function waitUntil(
  time: number,
  { until, now, wait }: Required<Pick<RepeatOptions, 'until' | 'now' | 'wait'>>,
): Promise<void> {
  for (let left = time - now(); left > 0 && !until.aborted; left = time - now()) {
    await wait(Math.min(left, LONGEST_WAIT), until);
  }
}
