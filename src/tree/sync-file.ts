import { closeSync, fsync, fsyncSync, openSync } from 'node:fs';
import { each } from '../each.ts';
import { fsPath } from '../model/local-path.ts';

/** How many files wait for the disk at once, of which Node has 4 in hand: 4 took a quarter more time, and 64 on as many threads as much. */
const AT_ONCE = 16;

/** Has a file's bytes on the disk. */
export function syncFile(path: string): void {
  const file = openSync(fsPath(path), 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Has the bytes of files on the disk, many at once: a file system then writes its journal once for many of them. `placeOf` says where
 * one is when its turn comes. Without `onFailure`, the first failure ends it.
 */
export async function syncFiles<T>(
  files: Iterable<T>,
  placeOf: (file: T) => string,
  { signal, onFailure }: { readonly signal?: AbortSignal | undefined; readonly onFailure?: (file: T) => void },
): Promise<void> {
  await each(files, { concurrency: AT_ONCE, signal }, async (file) => {
    try {
      await syncLater(placeOf(file));
    } catch (error) {
      if (onFailure === undefined) throw error;
      onFailure(file);
    }
  });
}

async function syncLater(path: string): Promise<void> {
  const file = openSync(fsPath(path), 'r+');
  try {
    await new Promise<void>((resolve, reject) => fsync(file, (error) => (error === null ? resolve() : reject(error))));
  } finally {
    closeSync(file);
  }
}
