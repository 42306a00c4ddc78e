import { lstatSync } from 'node:fs';
import { basename, dirname, sep } from 'node:path';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { isContents, mapPut } from '../model/put-mapping.ts';
import { showText } from '../model/text.ts';
import { absolutePath, realPath } from '../tree/real-path.ts';
import { statThrough } from '../tree/stat-through.ts';

/** What is read for a put. */
export interface PutSource {
  /** A folder, given by its real path. */
  readonly root: string;
  /** The one entry of it that is meant; all of it without one. */
  readonly name?: string;
  /** What the folder, or that entry, is in the version; empty for the root. */
  readonly path: string;
}

/** Finds what a location is, and what it is called in the version; or throws `invalid-argument`. */
export function findPutSource(location: string, destination: string, followLinks: boolean): PutSource {
  if (location === '' || location.includes('\0')) throw nothingThere(location);
  const written = sep === '\\' ? location.replaceAll('\\', '/') : location;
  const path = mapPut(written, destination);
  const place = absolutePath(location);
  const stats =
    isContents(written) || followLinks ? statThrough(place) : lstatSync(fsPath(place), { throwIfNoEntry: false });
  if (stats === undefined) throw nothingThere(location);
  if (stats.isDirectory()) return { root: realPath(place), path };
  if (isContents(written)) {
    throw new GypsumError('invalid-argument', `${showText(location)} is no folder.`, {
      hint: 'Leave out the slash at the end.',
      details: { location },
    });
  }
  if (stats.isSymbolicLink() && statThrough(place)?.isDirectory()) {
    throw new GypsumError('invalid-argument', `${showText(location)} is a symlink to a folder.`, {
      hint: `Put a slash behind it to have what is in the folder published: ${showText(location)}/`,
      details: { location },
    });
  }
  return { root: realPath(dirname(place)), name: basename(place), path };
}

function nothingThere(location: string): GypsumError {
  return new GypsumError('invalid-argument', `There is no file or folder ${showText(location) || '""'}.`, {
    hint: 'Give a folder, or a file.',
    details: { location },
  });
}
