import { lstatSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Context } from '../context.ts';
import { GypsumError, isSystemError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { absolutePath, overlaps, realPath } from '../tree/real-path.ts';
import { realIfReachable } from './watch-buckets.ts';

/** Gives the absolute path of a destination that may be cloned into, or throws before anything is asked for. */
export function checkDestination(ctx: Context, destination: string, merge: boolean): string {
  if (destination === '' || destination.includes('\0')) {
    throw new GypsumError('invalid-argument', `"${showText(destination)}" is not the path of a folder.`, {
      hint: 'Give the folder that the clone shall be made in.',
    });
  }
  const place = absolutePath(destination);
  const real = findDestination(place);
  for (const cache of [ctx.cache, ctx.site]) {
    const root = cache && realIfReachable(cache.layout.root);
    if (root === undefined || !overlaps(real, root)) continue;
    throw refusal(
      place,
      `it and the cache ${showText(root)} lie in each other`,
      'Clone into a folder outside of the cache.',
    );
  }
  const stats = lstatSync(fsPath(real), { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isDirectory()) {
    throw refusal(place, 'it is not a folder', 'Give another destination.');
  }
  if (stats !== undefined && !merge) checkEmpty(place);
  return place;
}

function findDestination(place: string): string {
  try {
    return realPath(place);
  } catch (error) {
    if (!isSystemError(error, 'ENOTDIR', 'ELOOP')) throw error;
    throw refusal(place, 'what is above it is not a folder', 'Give another destination.', error);
  }
}

/** Throws `destination-refused` if a folder holds anything. */
export function checkEmpty(place: string): void {
  if (readdirSync(fsPath(place)).length === 0) return;
  throw refusal(place, 'it is not empty', 'Give a new folder, or "merge" (--merge) to keep what is there.');
}

function refusal(place: string, why: string, hint: string, cause?: unknown): GypsumError {
  return new GypsumError('destination-refused', `Cannot clone into ${showText(place)}: ${why}.`, {
    hint,
    details: { destination: place },
    cause,
  });
}

/** Makes a folder and what is missing above it, and gives what it made, innermost first. */
export function makeFolders(place: string): string[] {
  const missing: string[] = [];
  for (let at = place; lstatSync(fsPath(at), { throwIfNoEntry: false }) === undefined; at = dirname(at))
    missing.push(at);
  makeFolder(place);
  return missing;
}

/** Removes folders, as far as they are empty. */
export function removeFolders(made: readonly string[]): void {
  for (const folder of made) {
    try {
      rmdirSync(fsPath(folder));
    } catch (error) {
      // Somebody else has put something there meanwhile: theirs to keep.
      if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw error;
    }
  }
}
