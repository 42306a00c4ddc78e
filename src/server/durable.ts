import { mkdir, open, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from '../errors.ts';

/** By folder: the sync that is going on, and the one after it. */
const running = new Map<string, Promise<void>>();
const waiting = new Map<string, Promise<void>>();

/**
 * Makes what happened to the names in a folder survive a power cut. Whoever comes while a sync of it goes on, which may have missed what
 * they did, shares the next one: 16 files that arrive at once in one folder wait for two, and not for 16.
 */
export function syncFolder(folder: string): Promise<void> {
  const next = waiting.get(folder);
  if (next !== undefined) return next;
  const mine = (running.get(folder) ?? Promise.resolve())
    .catch(() => {})
    .then(() => {
      waiting.delete(folder);
      running.set(folder, mine);
      return syncNow(folder);
    })
    .finally(() => {
      if (running.get(folder) === mine) running.delete(folder);
    });
  waiting.set(folder, mine);
  return mine;
}

async function syncNow(folder: string): Promise<void> {
  // Windows does not open folders, and writes names through by itself.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder with those above it, durably. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let at = folder; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at));
}

/** Writes a new file durably; whoever calls renames or removes it. */
export async function writeNew(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a folder and those above it as far as they are empty, up to `root`, which stays, or to another that does. */
export async function removeEmptyFolders(folder: string, root: string, lasting = root): Promise<void> {
  for (let at = folder; at.length > root.length && at !== lasting; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch (error) {
      if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR')) return;
      throw error;
    }
  }
}
