import { randomUUID } from 'node:crypto';
import { lstatSync, rmdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';

/**
 * Whether the file system of a folder takes names that differ by case or by Unicode form for the same. It is tried out
 * in the folder, or in the nearest one above it that is there.
 */
export async function foldsNames(folder: string): Promise<boolean> {
  const id = randomUUID();
  // One name for both: a capital letter, and a letter that has two forms.
  const name = `.gypsum-A\u00e9-${id}`;
  const others = [`.gypsum-a\u00e9-${id}`, `.gypsum-Ae\u0301-${id}`];
  const parent = await makeProbe(folder, name);
  try {
    return others.some((other) => lstatSync(fsPath(join(parent, other)), { throwIfNoEntry: false }) !== undefined);
  } finally {
    rmdirSync(fsPath(join(parent, name)));
  }
}

async function makeProbe(folder: string, name: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      await mkdir(fsPath(join(at, name)));
      return at;
    } catch (error) {
      if (!isSystemError(error, 'ENOENT') || dirname(at) === at) throw error;
    }
  }
}
