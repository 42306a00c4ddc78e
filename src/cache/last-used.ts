import { statSync, utimesSync } from 'node:fs';
import { isSystemError } from '../errors.ts';
import type { VersionRef } from '../model/refs.ts';
import type { Layout } from './layout.ts';

/** Units: milliseconds. Used again so soon, a version is not marked again: a warm save writes nothing. */
const SOON = 3_600_000;

/** Gives when a version was last saved or cloned, to the hour; nothing if neither its files nor its records are there. */
export function lastUsed(layout: Layout, ref: VersionRef): Date | undefined {
  return (statFolder(layout.versionFolder(ref)) ?? statFolder(layout.records(ref)))?.mtime;
}

/** Notes that a version is used, by the time of its folder. A cache that cannot be written to goes without. */
export function markUsed(layout: Layout, ref: VersionRef): void {
  const folder = layout.versionFolder(ref);
  const now = new Date();
  const before = statFolder(folder)?.mtimeMs;
  if (before === undefined || now.getTime() - before < SOON) return;
  try {
    utimesSync(folder, now, now);
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT')) throw error;
  }
}

/** Follows a symlink: the folder may have been moved to another disk. */
function statFolder(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
