import { basename, dirname, join, sep } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { absolutePath, liesIn, realPath } from '../tree/real-path.ts';
import { statThrough } from '../tree/stat-through.ts';
import { realIfReachable } from './watch-buckets.ts';

/** What is to be written somewhere. */
export interface Wanted {
  /** Its name in its folder; absent for the root of a version. */
  readonly name?: string;
  readonly isFolder: boolean;
}

/** Where something is written. */
export interface GetPlace {
  /** A folder that is there: a real path. */
  readonly root: string;
  /** What it is called there; empty where it is the content of a folder, and goes into `root`. */
  readonly name: string;
}

/**
 * Finds out where something goes, as `cp` does: into a folder that is there, onto a file that is there, or to what is not there
 * yet in a folder that is. Throws `destination-refused`, and `invalid-argument` for no path.
 */
export function findGetPlace(ctx: Context, destination: string, wanted: Wanted): GetPlace {
  if (destination === '' || destination.includes('\0')) {
    throw new GypsumError('invalid-argument', `"${showText(destination)}" is not the path of a folder or a file.`, {
      hint: 'Give where it is to go, such as "." or the name of something new.',
    });
  }
  const place = placeOf(absolutePath(destination), destination.endsWith('/') || destination.endsWith(sep), wanted);
  const target = join(place.root, place.name);
  const cache = realIfReachable(ctx.cache.layout.root);
  if (liesIn(target, cache)) {
    throw refused(target, 'it lies in the cache', 'Give another folder.');
  }
  return place;
}

function placeOf(place: string, isFolderMeant: boolean, { name, isFolder }: Wanted): GetPlace {
  if (statThrough(place)?.isDirectory()) return { root: realPath(place), name: name ?? '' };
  const isThere = statIfThere(place) !== undefined;
  if (isThere && (isFolder || isFolderMeant)) {
    throw refused(place, 'what is there is no folder', 'Give a folder, or the name of something new.');
  }
  const parent = dirname(place);
  const missing = !isThere && isFolderMeant && !isFolder ? place : parent;
  if (!statThrough(missing)?.isDirectory()) {
    throw refused(place, `there is no folder ${showText(missing)}`, 'Make it, or give another destination.');
  }
  return { root: realPath(parent), name: basename(place) };
}

function refused(destination: string, why: string, hint: string): GypsumError {
  return new GypsumError('destination-refused', `Nothing can be written to ${showText(destination)}: ${why}.`, {
    hint,
    details: { destination },
  });
}
