import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { liesIn, overlaps, realPath } from '../tree/real-path.ts';
import { checkFolder } from './check-folder.ts';

/** A folder and its replica, by their real paths. */
export interface ReplicaFolders {
  readonly source: string;
  /** The source is no folder: its name stands there, and is no path. */
  readonly isAsset?: true;
  readonly destination: string;
  /** The replica is not there yet; the folder that it is to be in is. */
  readonly isMissing: boolean;
}

/**
 * Gives two folders of which one may become a replica of the other, or throws: `invalid-argument` where one is, holds or lies in the
 * other, by whatever path, or a file that is written meanwhile lies in one of them; `destination-refused` where the replica is no
 * folder and cannot become one. Nothing is written.
 */
export function checkReplicaFolders(
  source: string,
  destination: string,
  written: readonly string[] = [],
): ReplicaFolders {
  const folders = checkApart(source, destination, written);
  return { ...folders, isMissing: checkIsFolder(folders.destination, destination) };
}

/** Checks the same but whether the replica is there, or can be made. */
export function checkApart(
  source: string,
  destination: string,
  written: readonly string[],
): Pick<ReplicaFolders, 'source' | 'destination'> {
  const from = checkFolder(source, 'Give a folder that is there as the source.');
  const to = placeOf(destination);
  if (overlaps(from, to) || isReached(from, to) || isReached(to, from)) {
    throw new GypsumError(
      'invalid-argument',
      `${showText(source)} and ${showText(destination)} are one folder, or one lies in the other.`,
      { hint: 'Give two folders that have nothing in common.', details: { source: from, destination: to } },
    );
  }
  checkWritten(written, [from, to]);
  return { source: from, destination: to };
}

/** Checks in the same way a folder that may become a replica of an asset, which must have nothing in common with the caches. */
export function checkAssetReplica(
  asset: string,
  destination: string,
  { caches, written = [] }: { readonly caches: readonly string[]; readonly written?: readonly string[] | undefined },
): ReplicaFolders {
  const to = placeOf(destination);
  for (const cache of caches) {
    const root = realPath(cache);
    if (!overlaps(root, to) && !isReached(root, to) && !isReached(to, root)) continue;
    throw new GypsumError(
      'invalid-argument',
      `${showText(destination)} is the cache folder, or one lies in the other.`,
      { hint: 'Give a folder that has nothing in common with it.', details: { destination: to, cache: root } },
    );
  }
  const isMissing = checkIsFolder(to, destination);
  checkWritten(written, [to]);
  return { source: asset, isAsset: true, destination: to, isMissing };
}

/** Checks a folder that is published to an asset: what is written meanwhile must lie outside of it. */
export function checkPublishedFolder(source: string, written: readonly string[] = []): string {
  const from = checkFolder(source, 'Give a folder that is there as the source.');
  checkWritten(written, [from]);
  return from;
}

function placeOf(destination: string): string {
  if (destination !== '' && !destination.includes('\0')) return realPath(destination);
  throw new GypsumError('invalid-argument', 'The destination is no path.', { hint: 'Give a folder.' });
}

/** Says whether the replica has yet to be made. */
function checkIsFolder(to: string, destination: string): boolean {
  const stats = lookAt(to);
  if (stats !== undefined && !stats.isDirectory()) throw refused(destination, 'is no folder');
  if (stats === undefined && !lookAt(dirname(to))?.isDirectory()) {
    throw refused(destination, 'is not there, and neither is the folder that it would be in');
  }
  return stats === undefined;
}

function checkWritten(written: readonly string[], folders: readonly string[]): void {
  for (const file of written) {
    const real = realPath(file);
    const folder = folders.find((one) => liesIn(real, one));
    if (folder !== undefined) throw inside(file, folder);
  }
}

/** Whether a folder is, or lies in, another one, also by a path that no symlink shows, as bind mounts give it. */
function isReached(path: string, folder: string): boolean {
  const wanted = lookAt(folder);
  for (let at = path; wanted !== undefined; at = dirname(at)) {
    const stats = statSync(fsPath(at), { throwIfNoEntry: false });
    if (stats?.dev === wanted.dev && stats.ino === wanted.ino) return true;
    if (dirname(at) === at) break;
  }
  return false;
}

function lookAt(path: string): Stats | undefined {
  return lstatSync(fsPath(path), { throwIfNoEntry: false });
}

function refused(destination: string, why: string): GypsumError {
  return new GypsumError('destination-refused', `${showText(destination)} ${why}.`, {
    hint: 'Give a folder, or the name of one to be made in a folder that is there.',
    details: { destination },
  });
}

function inside(file: string, folder: string): GypsumError {
  return new GypsumError(
    'invalid-argument',
    `${showText(file)} lies in ${showText(folder)}, and would change with it.`,
    {
      hint: 'Have it written outside of both folders.',
      details: { file, folder },
    },
  );
}
