import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { absolutePath, overlaps, realPath } from '../tree/real-path.ts';
import { realIfReachable } from './watch-buckets.ts';

/** Endings of files that a folder is not likely to be called by. */
const COMPRESSED = /\.(?:tar\.\w+|tgz|tbz2|txz|zip)$/i;

/** Gives the absolute path of what a folder, given by its real path, may be exported to, or throws before anything is read. */
export function checkExportDestination({ cache, site }: Context, root: string, destination: string): string {
  if (destination === '' || destination.includes('\0')) {
    throw new GypsumError('invalid-argument', `"${showText(destination)}" is not the path of a folder or a file.`, {
      hint: 'Give a folder, or a file that ends with ".tar"; it must not be there yet.',
    });
  }
  const place = absolutePath(destination);
  if (COMPRESSED.test(place)) {
    throw new GypsumError('invalid-argument', `${showText(place)} would be compressed; only ".tar" can be made.`, {
      hint: 'Make a ".tar", and compress it then.',
      details: { destination: place },
    });
  }
  const real = findReal(place);
  if (statIfThere(place) !== undefined) throw isThereAlready(place);
  if (overlaps(real, root)) throw refusal(place, 'it lies in the folder itself', 'Export to somewhere else.');
  for (const one of [cache, site]) {
    const folder = one && realIfReachable(one.layout.root);
    if (folder === undefined || !overlaps(real, folder)) continue;
    throw refusal(place, `it lies in the cache ${showText(folder)}`, 'Export to somewhere else.');
  }
  return place;
}

function findReal(place: string): string {
  try {
    return realPath(place);
  } catch (error) {
    if (!isSystemError(error, 'ENOTDIR', 'ELOOP')) throw error;
    throw refusal(place, 'what is above it is not a folder', 'Give another destination.', error);
  }
}

export function isThereAlready(place: string): GypsumError {
  return refusal(place, 'it is there already', 'Give the name of something new.');
}

function refusal(place: string, why: string, hint: string, cause?: unknown): GypsumError {
  return new GypsumError('destination-refused', `Cannot export to ${showText(place)}: ${why}.`, {
    hint,
    details: { destination: place },
    cause,
  });
}
