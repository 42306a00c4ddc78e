import { setImmediate, setTimeout } from 'node:timers/promises';

/** How long a loop may hold the thread, in milliseconds, before timers, sockets and Ctrl-C have their turn. */
const SLICE = 50;

/** Keeps a long synchronous loop interruptible: `if (pace.due()) await pace.rest()`. */
export interface Pace {
  due(): boolean;
  /** Lets the event loop turn once; throws the signal's reason if it was aborted. */
  rest(): Promise<void>;
}

export function createPace(signal?: AbortSignal): Pace {
  let until = performance.now() + SLICE;
  return {
    due: () => performance.now() >= until,
    async rest() {
      await setImmediate();
      signal?.throwIfAborted();
      until = performance.now() + SLICE;
    },
  };
}

/** Waits some milliseconds, or throws the signal's reason as soon as it is aborted. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Waits some milliseconds, or until the signal is aborted, which is no failure. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, signal);
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
}

/** Does work that goes on for a while after the signal was aborted; only then is its own signal aborted. */
export async function withGrace<T>(
  signal: AbortSignal | undefined,
  milliseconds: number,
  work: (late: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = globalThis.setTimeout(() => late.abort(signal?.reason), milliseconds);
  };
  signal?.addEventListener('abort', begin, { once: true });
  try {
    return await work(late.signal);
  } finally {
    signal?.removeEventListener('abort', begin);
    clearTimeout(timer);
  }
}
