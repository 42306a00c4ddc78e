import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { readLockOwner, type WaitOptions, waitForLock } from '../owned-lock.ts';
import { isAlive } from '../process-owner.ts';
import { publishDocument } from './atomic.ts';
import { statIfThere } from './blobs.ts';
import { makeCacheFolder } from './folders.ts';
import type { Layout } from './layout.ts';

export type LockOptions = Omit<WaitOptions, 'writeOwner'>;

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
  makeCacheFolder(layout, folder);
  const release = await acquire(layout, folder, options);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function acquire(layout: Layout, folder: string, options: LockOptions): Promise<() => Promise<void>> {
  const files = lockFiles(folder);
  try {
    const writeOwner = (text: string) => publishDocument(layout, files.owner, text);
    const { release } = await waitForLock(files, { ...options, writeOwner });
    return release;
  } catch (error) {
    if (isSystemError(error, 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return async () => {};
    throw error;
  }
}

function lockFiles(folder: string) {
  return { held: join(folder, 'held'), owner: join(folder, 'owner.json') };
}

/** Units: milliseconds. No owner lets a lock lie untouched for so long, whatever the clocks. */
const ABANDONED = 60_000;

/**
 * Whether a lock is held by nobody: its owner has ended, or has not touched it for longer than any owner waits.
 *
 * Units: milliseconds since 1970
 */
export function isAbandoned(folder: string, now: number): boolean {
  const files = lockFiles(folder);
  const stats = statIfThere(files.held);
  if (stats === undefined) return false;
  if (now - stats.mtimeMs > ABANDONED) return true;
  // Then there is no point in waiting for it.
  const owner = readLockOwner(files.owner);
  return owner !== undefined && isAlive(owner) === false;
}
