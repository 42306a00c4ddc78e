import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import type { Naming } from './disk-keys.ts';
import { writeNew } from './durable.ts';
import { exists } from './exists.ts';

/**
 * Says how names are written in a storage's folder: as its file `naming` says; where there is none, in a new folder, as
 * its file system needs. Throws `destination-refused` for a folder of plain names on a file system that takes two of
 * them for one.
 */
export async function readNaming(folder: string, { readOnly }: { readOnly: boolean }): Promise<Naming> {
  const file = join(folder, 'naming');
  const said = await readIfThere(file);
  if (said?.trim() === 'portable') return 'portable';
  if (said !== undefined && said.trim() !== 'plain') {
    throw new GypsumError('destination-refused', `The file ${file} says nothing that this version understands.`, {
      hint: 'Use a newer version of gypsum for this folder.',
    });
  }
  if (readOnly || !(await foldsNames(join(folder, 'incoming')))) return 'plain';
  const isNew = (await readdir(join(folder, 'objects'))).length === 0;
  if (!isNew) {
    throw new GypsumError(
      'destination-refused',
      `The folder ${folder} has been copied to a file system that folds names.`,
      {
        hint: 'Copy it with "gypsum registry backup" instead, which writes names so that they stay apart.',
        details: { folder },
      },
    );
  }
  await writeNew(file, 'portable\n');
  return 'portable';
}

/** Whether names that differ by case or by Unicode normalisation are one file. */
async function foldsNames(folder: string): Promise<boolean> {
  const id = randomUUID();
  const written = join(folder, `Probe-\u00e9-${id}`);
  await writeFile(written, '', { flag: 'wx' });
  try {
    for (const other of [`probe-\u00e9-${id}`, `Probe-e\u0301-${id}`]) {
      if (await exists(join(folder, other))) return true;
    }
    return false;
  } finally {
    await rm(written, { force: true });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
