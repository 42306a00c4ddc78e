import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lock } from 'proper-lockfile';
import { isSystemError } from '../errors.ts';
import { sleep } from '../give-way.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { isAlive, type LockOwner, lockOwnerSchema, newLockOwner } from '../process-owner.ts';
import { publishDocument, removeIfThere } from './atomic.ts';
import { statIfThere } from './blobs.ts';
import { makeCacheFolder } from './folders.ts';
import type { Layout } from './layout.ts';
import { isStill } from './move-aside.ts';
import { readIfThere } from './read-document.ts';

/** Units: milliseconds. A lock whose owner has not touched it for so long belongs to nobody. */
const STALE = 15_000;

/** Units: milliseconds. */
const ASK_AGAIN = 100;

export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Called once, if another process has the lock, with what it has said of itself. */
  onWait?: (owner: LockOwner | undefined) => void;
  /** How long a lock may lie untouched. Units: milliseconds @default 15000 */
  stale?: number;
}

/**
 * Does some work while no other process does the same. A lock saves work and carries no correctness: where it is lost,
 * or where the file system has none to give, the work is done all the same.
 *
 * Shape:  <folder>/held/       there while it is held; touched by its owner
 *         <folder>/owner.json  whose process has it
 */
export async function withLock<T>(
  layout: Layout,
  folder: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const owner = join(folder, 'owner.json');
  makeCacheFolder(layout, folder);
  const release = await acquire(join(folder, 'held'), owner, options);
  try {
    await publishDocument(layout, owner, JSON.stringify(newLockOwner()));
    return await work();
  } finally {
    await release();
  }
}

async function acquire(
  held: string,
  ownerFile: string,
  { signal, onWait, stale = STALE }: LockOptions,
): Promise<() => Promise<void>> {
  const isUntouched = watchFor(held, stale);
  let told = false;
  for (let waited = false; ; waited = true) {
    signal?.throwIfAborted();
    try {
      let lost = false;
      const onCompromised = () => {
        lost = true;
      };
      const release = await lock(dirname(held), { lockfilePath: held, realpath: false, stale, onCompromised });
      return async () => {
        if (lost) return;
        try {
          await removeIfThere(ownerFile);
        } finally {
          await releaseIfOurs(release);
        }
      };
    } catch (error) {
      if (isSystemError(error, 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return async () => {};
      // Whoever took the one before for dead may have removed ours as soon as it was there.
      const isTakenAway = isSystemError(error, 'ENOENT') && statIfThere(dirname(held)) !== undefined;
      if (!isTakenAway && !isSystemError(error, 'ELOCKED')) throw error;
    }
    const found = statIfThere(held);
    const owner = await readOwner(ownerFile);
    if (hasDied(owner) || isUntouched()) {
      // Another one that waited may have taken it over by now; so it is taken away without a pause.
      if (found !== undefined && isStill(held, found)) {
        // In this order: whoever takes it next must not be taken for the one that has gone.
        rmSync(ownerFile, { force: true });
        rmSync(held, { recursive: true, force: true });
      }
      continue;
    }
    // One that has just taken it has not yet written down who it is.
    if (!told && (waited || owner !== undefined)) {
      told = true;
      onWait?.(owner);
    }
    await sleep(ASK_AGAIN, signal);
  }
}

/** Lets a lock go, unless it was taken over meanwhile by another call of this process. */
async function releaseIfOurs(release: () => Promise<void>): Promise<void> {
  try {
    await release();
  } catch (error) {
    if (!isSystemError(error, 'ERELEASED', 'ENOTACQUIRED')) throw error;
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
  return now - stats.mtimeMs > 4 * STALE || hasDied(await readOwner(join(folder, 'owner.json')));
}

/** Whether the owner was a process of this machine that is no more: then there is no point in waiting for it. */
function hasDied(owner: LockOwner | undefined): boolean {
  return owner !== undefined && isAlive(owner) === false;
}

/**
 * Tells when a lock has not been touched for so long while we were looking: whatever the clocks of its owner, of the disk
 * and of this machine show.
 */
function watchFor(held: string, stale: number): () => boolean {
  let touched: number | undefined;
  let since = performance.now();
  return () => {
    const now = statIfThere(held)?.mtimeMs;
    if (now !== touched) since = performance.now();
    touched = now;
    return performance.now() - since > stale;
  };
}

async function readOwner(file: string): Promise<LockOwner | undefined> {
  const text = await readIfThere(file);
  return text === undefined ? undefined : lockOwnerSchema.safeParse(parseJsonIfAny(text)).data;
}
