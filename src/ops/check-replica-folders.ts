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
  const from = checkFolder(source, 'Give a folder that is there as the source.');
  if (destination === '' || destination.includes('\0')) {
    throw new GypsumError('invalid-argument', 'The destination is no path.', { hint: 'Give a folder.' });
  }
  const to = realPath(destination);
  if (overlaps(from, to) || isReached(from, to) || isReached(to, from)) {
    throw new GypsumError(
      'invalid-argument',
      `${showText(source)} and ${showText(destination)} are one folder, or one lies in the other.`,
      { hint: 'Give two folders that have nothing in common.', details: { source: from, destination: to } },
    );
  }
  const stats = lookAt(to);
  if (stats !== undefined && !stats.isDirectory()) throw refused(destination, 'is no folder');
  if (stats === undefined && !lookAt(dirname(to))?.isDirectory()) {
    throw refused(destination, 'is not there, and neither is the folder that it would be in');
  }
  for (const file of written) {
    const real = realPath(file);
    const folder = [from, to].find((one) => liesIn(real, one));
    if (folder !== undefined) throw inside(file, folder);
  }
  return { source: from, destination: to, isMissing: stats === undefined };
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
