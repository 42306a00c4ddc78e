import type { SweepOptions, Swept } from './sweep.ts';

/** Units: milliseconds */
const HOUR = 60 * 60 * 1000;

export interface BackgroundOptions {
  sessionTtl: number;
  /** Hears what was cleared away, if anything was. */
  onSwept?: ((swept: Swept) => void) | undefined;
  onError?: ((error: unknown) => void) | undefined;
}

/** Work that goes on beside the requests. */
export interface Background {
  /** Lets the work that is going on end at its next step, and begins no more. */
  stop(): Promise<void>;
}

/** Sweeps at once, and then every hour, or oftener where uploads have less time than that. */
export function startBackground(
  sweep: (options: Partial<SweepOptions>) => Promise<Swept>,
  { sessionTtl, onSwept, onError }: BackgroundOptions,
): Background {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  async function work(): Promise<void> {
    try {
      const swept = await sweep({ sessionTtl, signal: stopping.signal });
      if (swept.logs > 0 || swept.locks.length > 0) onSwept?.(swept);
    } catch (error) {
      if (!stopping.signal.aborted) onError?.(error);
    }
    running = undefined;
  }

  const begin = () => {
    running ??= work();
  };
  // Nobody waits for it: a process that has nothing else to do ends.
  const timer = setInterval(begin, Math.max(1, Math.min(HOUR, sessionTtl / 2))).unref();
  begin();
  return {
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}
