import { lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder on another file system; nothing where there is none that everybody may write to. */
export function otherFileSystem(than: string): string | undefined {
  const shared = '/dev/shm';
  const stats = lstatSync(shared, { throwIfNoEntry: false });
  if (stats === undefined || stats.dev === lstatSync(than).dev) return undefined;
  const folder = mkdtempSync(join(shared, 'gypsum-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
