import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lock } from 'proper-lockfile';
import { isSystemError } from '../errors.ts';
import { sleep } from '../give-way.ts';

/** Units: milliseconds. A lock whose owner has not touched it for so long belongs to nobody. */
const STALE = 15_000;

/** Units: milliseconds. */
const ASK_AGAIN = 100;

export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Called once, if another process has the lock. */
  onWait?: () => void;
}

/**
 * Does some work while no other process does the same. A lock saves work and carries no correctness: where it is lost,
 * or where the file system has none to give, the work is done all the same.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { signal, onWait }: LockOptions = {},
): Promise<T> {
  const release = await acquire(path, signal, onWait);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function acquire(path: string, signal?: AbortSignal, onWait?: () => void): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true });
  for (let waited = false; ; waited = true) {
    signal?.throwIfAborted();
    try {
      let lost = false;
      const release = await lock(path, {
        realpath: false,
        stale: STALE,
        onCompromised: () => {
          lost = true;
        },
      });
      return async () => {
        if (!lost) await release();
      };
    } catch (error) {
      if (!isSystemError(error, 'ELOCKED')) {
        if (isSystemError(error, 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return async () => {};
        throw error;
      }
    }
    if (!waited) onWait?.();
    await sleep(ASK_AGAIN, signal);
  }
}
