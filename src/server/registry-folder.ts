import { copyFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { type BackedUp, type BackupOptions, backupRegistry } from './backup-registry.ts';
import { checkFolder, checkRegistry, checkWhole, makeDataFolder } from './data-folder.ts';
import { diskStorage } from './disk-storage.ts';
import { lockFolder } from './open-registry.ts';
import { type Verified, type VerifyOptions, verifyRegistry } from './verify-registry.ts';

/** What a registry keeps beside its objects, and a copy of it needs to be the same registry. */
const SECRETS = ['tokens.json', 'admin-token', 'secret'];

/** Compares every object in a registry's folder with its manifest, also while it is served. */
export async function verifyFolder(data: string, options: VerifyOptions): Promise<Verified> {
  return verifyRegistry(await openForReading(data), options);
}

/**
 * Copies what is new in a registry's folder to another, which can be served in its place; also while it is served.
 *
 * Throws `destination-refused` for a folder that holds other things, `in-use` for one that is served itself.
 */
export async function backupFolder(
  data: string,
  destination: string,
  { signal, ...options }: BackupOptions = {},
): Promise<BackedUp> {
  const from = await openForReading(data);
  const folder = resolve(destination);
  if (folder === resolve(data)) {
    throw new GypsumError('destination-refused', `The folder ${folder} is the registry itself.`, {
      hint: 'Name another folder, best on another disk.',
    });
  }
  makeDataFolder(folder);
  await checkFolder(folder);
  await checkWhole(folder);
  const release = await lockFolder(folder, signal, () => {});
  try {
    const done = await backupRegistry(from, await diskStorage(folder), { ...options, ...(signal && { signal }) });
    for (const name of SECRETS) await copySecret(join(data, name), join(folder, name));
    return done;
  } finally {
    await release();
  }
}

async function openForReading(data: string) {
  await checkRegistry(resolve(data));
  return diskStorage(data, { readOnly: true });
}

async function copySecret(from: string, to: string): Promise<void> {
  const fresh = `${to}.new`;
  try {
    // A copy has the mode of what it was copied from: nobody else may read it.
    await copyFile(from, fresh);
    await rename(fresh, to);
  } catch (error) {
    await rm(fresh, { force: true });
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}
