import { copyFile, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
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
 * Throws `destination-refused` for a folder that holds other things or overlaps with the registry, `in-use` for one that
 * is served itself.
 */
export async function backupFolder(
  data: string,
  destination: string,
  { signal, ...options }: BackupOptions = {},
): Promise<BackedUp> {
  const from = await openForReading(data);
  const folder = resolve(destination);
  await checkApart(data, folder);
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

/** Throws `destination-refused` where one of two folders lies in the other, whatever links lead there. */
async function checkApart(data: string, folder: string): Promise<void> {
  const [from, to] = [await realPath(resolve(data)), await realPath(folder)];
  if (!`${from}${sep}`.startsWith(`${to}${sep}`) && !`${to}${sep}`.startsWith(`${from}${sep}`)) return;
  const relation =
    from === to ? 'is the registry itself' : from.startsWith(to) ? 'holds the registry' : 'lies in the registry';
  throw new GypsumError('destination-refused', `The folder ${folder} ${relation}.`, {
    hint: 'Name another folder, best on another disk.',
    details: { folder, data },
  });
}

/** Gives the real path of a folder, also where its last parts are not there yet. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR') || dirname(path) === path) throw error;
    return join(await realPath(dirname(path)), basename(path));
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
