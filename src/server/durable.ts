import { mkdir, open, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from '../errors.ts';

/** Makes what happened to the names in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
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
export async function writeNew(path: string, content: string, mode = 0o644): Promise<void> {
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
