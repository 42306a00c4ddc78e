import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { isSystemError } from '../errors.ts';
import { sleep } from '../give-way.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { isAlive, ownerSchema, thisProcess } from '../process-owner.ts';
import { statIfThere } from './blobs.ts';
import { readIfThere } from './read-document.ts';

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
 *
 * Shape:  <folder>/held/       there while it is held; touched by its owner
 *         <folder>/owner.json  whose process had it last
 */
export async function withLock<T>(
  folder: string,
  work: () => Promise<T>,
  { signal, onWait }: LockOptions = {},
): Promise<T> {
  const release = await acquire(folder, signal, onWait);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function acquire(folder: string, signal?: AbortSignal, onWait?: () => void): Promise<() => Promise<void>> {
  const held = join(folder, 'held');
  const owner = join(folder, 'owner.json');
  await mkdir(folder, { recursive: true });
  for (let waited = false; ; waited = true) {
    signal?.throwIfAborted();
    try {
      let lost = false;
      const onCompromised = () => {
        lost = true;
      };
      const release = await lock(folder, { lockfilePath: held, realpath: false, stale: STALE, onCompromised });
      await writeFile(owner, JSON.stringify(thisProcess()));
      return async () => {
        if (!lost) await release();
      };
    } catch (error) {
      if (isSystemError(error, 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return async () => {};
      if (!isSystemError(error, 'ELOCKED')) throw error;
    }
    if (await hasDied(owner)) {
      await rm(held, { recursive: true, force: true });
      continue;
    }
    if (!waited) onWait?.();
    await sleep(ASK_AGAIN, signal);
  }
}

/**
 * Whether a lock is held by nobody: its owner has ended, or has not touched it for longer than any owner waits.
 *
 * Units: milliseconds since 1970
 */
export async function isAbandoned(folder: string, now: number): Promise<boolean> {
  const stats = statIfThere(join(folder, 'held'));
  if (stats === undefined) return false;
  return now - stats.mtimeMs > 4 * STALE || (await hasDied(join(folder, 'owner.json')));
}

/** Whether the owner was a process of this machine that is no more: then there is no point in waiting for it. */
async function hasDied(file: string): Promise<boolean> {
  const text = await readIfThere(file);
  const owner = text === undefined ? undefined : ownerSchema.safeParse(parseJsonIfAny(text)).data;
  return owner !== undefined && isAlive(owner) === false;
}
