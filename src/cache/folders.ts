import { chmodSync, mkdirSync, renameSync, rmdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { showText } from '../model/text.ts';
import { ownedName } from '../owned-name.ts';
import type { Layout } from './layout.ts';

/** Group and set-group-ID: what is made in such a folder belongs to its group, and the group may write there. */
const SHARED = 0o2020;

/** What a folder of a shared cache is, whatever the umask of whoever makes it. */
const SHARED_FOLDER = 0o2775;

/** Whether all of a group write to a cache: its folder says so itself, so that nobody needs to be told. */
export function isShared({ root }: Pick<Layout, 'root'>): boolean {
  const stats = statFolder(root);
  return stats !== undefined && (stats.mode & SHARED) === SHARED;
}

/** Makes the folder of a cache, for a group if it is to be `shared`; throws `invalid-argument` if it cannot become that. */
export function makeRoot({ root }: Layout, shared: boolean): void {
  makeFolder(root);
  if (!shared || isShared({ root })) return;
  try {
    chmodSync(root, SHARED_FOLDER);
  } catch (error) {
    if (!isSystemError(error, 'EPERM', 'EROFS')) throw error;
    throw notShared(root, error);
  }
}

/** Gives the error for a cache that is its owner's alone, and was to be a shared one. */
export function notShared(root: string, cause?: unknown): GypsumError {
  return new GypsumError('invalid-argument', `The cache ${showText(root)} is not shared with its group.`, {
    hint: 'Its owner can share it, as docs/shared-cache.md says, or use another folder; to go on with it as it is, leave out "shared" (--shared, GYPSUM_SHARED).',
    details: { cacheDir: root },
    cause,
  });
}

/** Makes a folder of the cache and what is missing above it. */
export function makeCacheFolder(layout: Layout, path: string): void {
  if (statFolder(path) !== undefined) return;
  if (isShared(layout)) makeSharedFolder(layout, path);
  else makeFolder(path);
}

/** Nobody ever sees it with another mode: others of the group may want to write there at once, and we may be killed. */
function makeSharedFolder(layout: Layout, path: string): void {
  if (statFolder(path) !== undefined) return;
  makeSharedFolder(layout, dirname(path));
  const isAbove = layout.incomings.startsWith(path);
  if (!isAbove) makeSharedFolder(layout, layout.incomings);
  const fresh = isAbove ? `${path}.${ownedName()}` : layout.incoming(ownedName());
  mkdirSync(fresh);
  try {
    chmodSync(fresh, SHARED_FOLDER);
    renameSync(fresh, path);
  } catch (error) {
    rmdirSync(fresh);
    // Somebody else has made it meanwhile, and put something there.
    if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}

/** Gives the mode of a document of the cache, which is only ever replaced. */
export function documentMode(layout: Layout): number {
  return isShared(layout) ? 0o664 : 0o644;
}

/** Gives the mode of what came of a download that broke off, for whoever goes on with it. */
export function partialMode(layout: Layout): number {
  return isShared(layout) ? 0o660 : 0o600;
}

function statFolder(path: string): Stats | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isDirectory() ? stats : undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
