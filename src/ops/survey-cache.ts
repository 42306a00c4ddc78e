import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { cachedVersions } from '../cache/cached-names.ts';
import { lastUsed } from '../cache/last-used.ts';
import type { Layout } from '../cache/layout.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { inodeId } from '../model/fingerprint.ts';
import type { VersionRef } from '../model/refs.ts';
import { scanIfThere, walkVersion } from './walk-version.ts';

/** One file of the disk, whatever names it has. */
export interface Inode {
  /** Units: bytes */
  readonly size: number;
  /** How many names it has, on the whole disk. */
  readonly names: number;
  /** How many of them are files of versions. */
  files: number;
  /** Its names as a blob: one at most, but for a cache that somebody has tampered with. */
  readonly blobs: string[];
  /** Units: milliseconds since 1970. When its content was written. */
  readonly written: number;
}

export interface SurveyedVersion {
  readonly ref: VersionRef;
  /** When it was last saved or cloned; absent where nothing of it is in the bucket. */
  readonly lastUsed?: Date;
  /** Its files by path. */
  readonly files: ReadonlyMap<string, Inode>;
}

/** What is stored in the whole cache. */
export interface Survey {
  readonly versions: readonly SurveyedVersion[];
  readonly inodes: readonly Inode[];
}

export async function surveyCache(layout: Layout, options: CallOptions): Promise<Survey> {
  const inodes = new Map<string, Inode>();
  const look = (stats: Stats): Inode => {
    const id = inodeId(stats);
    const known = inodes.get(id);
    if (known !== undefined) return known;
    const inode = { size: stats.size, names: stats.nlink, files: 0, blobs: [], written: stats.mtimeMs };
    inodes.set(id, inode);
    return inode;
  };
  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  const versions: SurveyedVersion[] = [];
  for (const ref of await cachedVersions(layout)) {
    const files = new Map<string, Inode>();
    const used = lastUsed(layout, ref);
    const visit = (path: string, stats: Stats) => {
      const inode = look(stats);
      inode.files++;
      files.set(path, inode);
    };
    await walkVersion(layout, ref, visit, options);
    versions.push({ ref, files, ...(used !== undefined && { lastUsed: used }) });
  }
  const pace = createPace(options.signal);
  for (const { path, type } of await scanIfThere(layout.blobs, options)) {
    const blob = join(layout.blobs, path);
    const stats = type === 'file' ? statIfThere(blob) : undefined;
    if (stats !== undefined) look(stats).blobs.push(blob);
    if (pace.due()) await pace.rest();
  }
  options.onEvent?.({ type: 'end', task: 'scan' });
  return { versions, inodes: [...inodes.values()] };
}

/** Whether all names of an inode are in the cache: then its bytes are free when those have gone. */
export function isOnlyHere({ names, files, blobs }: Inode): boolean {
  return names <= files + blobs.length;
}
