import { join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { CallOptions } from '../events.ts';
import { inodeId } from '../model/fingerprint.ts';
import { scanIfThere } from './walk-version.ts';

/** Gives the bytes of a file, or of all files in a folder, each once whatever names it has. */
export async function measureTree(path: string, { signal }: CallOptions): Promise<number> {
  const stats = statIfThere(path);
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.isFile() ? stats.size : 0;
  const sizes = new Map<string, number>();
  for (const entry of await scanIfThere(path, { signal })) {
    const there = entry.type === 'file' ? statIfThere(join(path, entry.path)) : undefined;
    if (there !== undefined) sizes.set(inodeId(there), there.size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
