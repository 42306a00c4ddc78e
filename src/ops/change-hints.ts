import { retryDelay } from '../model/retry-delay.ts';
import { watchFolders } from '../tree/watch-folders.ts';

export interface HintOptions {
  /** Units: milliseconds */
  scanEvery: number;
  watch: boolean;
  onLost: ((error: Error) => void) | undefined;
}

/** Says when folders are to be read again: when the system has told of a change, from time to time, and always where it tells of none. */
export interface Hints {
  /** Whether they are to be read now. */
  take(): boolean;
  /** They were read; what failed is tried again soon, and then later and later. `isIdle`: nothing else was done since they were taken. */
  done(isWell: boolean, isIdle: boolean): void;
  /** They could not be read. */
  fail(): void;
  close(): Promise<void>;
}

/** Units: milliseconds. After the first failure; it doubles. */
const RETRY_AFTER = 5_000;

/**
 * How much longer than reading takes they are left alone then: it has half of one processor at most while the system tells of
 * changes, and a fifth where it tells of none. Reading 100,000 files and as many takes 2 s.
 */
const [REST_IF_HINTED, REST] = [1, 4];

export function createHints(folders: readonly string[], { scanEvery, watch, onLost }: HintOptions): Hints {
  let isHinted = true;
  let due = 0;
  let failures = 0;
  let began = 0;
  let ended = 0;
  // How long it takes to read them. Units: milliseconds
  let cost = 0;
  let isLost = !watch;
  let stop: (() => Promise<void>) | undefined;
  const ending: Promise<unknown>[] = [];
  const end = () => {
    // What fails is thrown by `close`: nobody waits before.
    const keepError = (error: unknown) => error;
    if (stop !== undefined) ending.push(stop().then(() => undefined, keepError));
    stop = undefined;
  };
  const begin = () => {
    stop = watchFolders(folders, {
      onChange() {
        isHinted = true;
      },
      onLost(error) {
        isLost = true;
        end();
        onLost?.(error);
      },
    });
  };
  return {
    take() {
      began = performance.now();
      if (began < ended + Math.min(scanEvery, cost * (isHinted ? REST_IF_HINTED : REST))) return false;
      const isDue = isLost || stop === undefined || isHinted || began >= due;
      if (isDue) isHinted = false;
      return isDue;
    },
    done(isWell, isIdle) {
      ended = performance.now();
      if (isIdle) cost = ended - began;
      failures = isWell ? 0 : failures + 1;
      const retry = failures === 0 ? scanEvery : retryDelay(RETRY_AFTER, failures);
      due = ended + Math.min(scanEvery, retry);
      // Both are there now.
      if (!isLost && stop === undefined) begin();
    },
    // A folder that comes back is another one.
    fail: end,
    async close() {
      end();
      const error = (await Promise.all(ending)).find((outcome) => outcome !== undefined);
      if (error !== undefined) throw error;
    },
  };
}
