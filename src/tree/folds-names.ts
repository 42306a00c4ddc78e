import { closeSync, lstatSync, openSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { PROBE, shortLivedName } from './put-file.ts';

/**
 * Whether the file system of a folder takes names that differ by case or by Unicode form for the same. It is tried out
 * in the folder, or in the nearest one above it that is there.
 */
export async function foldsNames(folder: string): Promise<boolean> {
  // A name of ours: what a process leaves that is killed here is no entry of any tree, and goes with the next run.
  const name = shortLivedName();
  const parent = makeProbe(folder, name + PROBE);
  try {
    const others = [PROBE.toLowerCase(), PROBE.normalize('NFD')].map((end) => fsPath(join(parent, name + end)));
    return others.some((other) => lstatSync(other, { throwIfNoEntry: false }) !== undefined);
  } finally {
    unlinkSync(fsPath(join(parent, name + PROBE)));
  }
}

function makeProbe(folder: string, name: string): string {
  for (let at = folder; ; at = dirname(at)) {
    try {
      closeSync(openSync(fsPath(join(at, name)), 'wx'));
      return at;
    } catch (error) {
      if (!isSystemError(error, 'ENOENT') || dirname(at) === at) throw error;
    }
  }
}
