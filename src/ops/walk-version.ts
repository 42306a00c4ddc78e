import type { Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { Layout } from '../cache/layout.ts';
import { isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { INTERNAL_NAMES } from '../model/keys.ts';
import type { VersionRef } from '../model/refs.ts';
import type { Entry } from '../model/tree.ts';
import { scanFolder, scanInParts } from '../tree/scan.ts';

/** Visits all that stands in a version's folder of the bucket, but for folders and documents. What goes meanwhile is left out. */
export async function walkVersion(
  layout: Layout,
  ref: VersionRef,
  visit: (path: string, stats: Stats) => void,
  options: CallOptions,
): Promise<void> {
  const folder = layout.versionFolder(ref);
  const pace = createPace(options.signal);
  for (const { path, type } of await scanIfThere(folder, options)) {
    if (type === 'directory' || INTERNAL_NAMES.has(basename(path))) continue;
    const stats = statIfThere(join(folder, path));
    if (stats !== undefined) visit(path, stats);
    if (pace.due()) await pace.rest();
  }
}

/** Scans a folder, which may not be there. */
export async function scanIfThere(folder: string, options: CallOptions): Promise<Entry[]> {
  try {
    return await scanFolder(folder, { ...options, sizes: false });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** Scans such a folder for whoever needs no entry for long. */
export async function* scanInPartsIfThere(folder: string, options: CallOptions): AsyncGenerator<Entry[]> {
  try {
    yield* scanInParts(folder, { ...options, sizes: false });
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}
