import { lstatSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { decodePath, fsPath } from '../model/local-path.ts';
import { type FolderStats, isFolderOf, type Receipt } from './receipts.ts';

/**
 * Where a clone is. `replaced`: another folder stands in its place, which may be a copy of it. `missing`: it was
 * removed, or moved further than we can see. `unreadable`: whether it is there is hidden from us.
 */
export type Whereabouts =
  | { readonly state: 'found'; readonly place: string }
  | { readonly state: 'replaced'; readonly place: string }
  | { readonly state: 'missing' | 'unreadable' };

/** Finds a clone in its place, else by device and inode under another name in the same folder. */
export function locateClone(receipt: Receipt): Whereabouts {
  const { destination, device } = receipt;
  const here = folderAt(destination);
  if (here === 'hidden') return { state: 'unreadable' };
  if (here !== undefined && isFolderOf(receipt, here)) return { state: 'found', place: destination };
  const folder = dirname(destination);
  const names = namesAt(folder);
  if (names === 'hidden') return { state: 'unreadable' };
  for (const name of names) {
    const place = join(folder, name);
    const there = folderAt(place);
    if (there !== undefined && there !== 'hidden' && there.dev === device && isFolderOf(receipt, there)) {
      return { state: 'found', place };
    }
  }
  return here === undefined ? { state: 'missing' } : { state: 'replaced', place: destination };
}

/**
 * Whether a clone that cannot be found is gone from its place for good: its disk is there. A disk that was mounted anew may
 * have another number, so that it cannot be known.
 */
export function isGone({ destination, device }: Receipt): boolean {
  let folder = destination;
  let there = folderAt(folder);
  for (; there === undefined && dirname(folder) !== folder; there = folderAt(folder)) folder = dirname(folder);
  return there !== undefined && there !== 'hidden' && there.dev === device;
}

function folderAt(path: string): FolderStats | 'hidden' | undefined {
  try {
    const stats = lstatSync(fsPath(path), { throwIfNoEntry: false });
    return stats?.isDirectory() ? stats : undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR', 'ELOOP')) return undefined;
    if (isSystemError(error, ...HIDDEN)) return 'hidden';
    throw error;
  }
}

function namesAt(folder: string): string[] | 'hidden' {
  try {
    return readdirSync(fsPath(folder), { encoding: 'buffer' }).map(decodePath);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return [];
    if (isSystemError(error, ...HIDDEN)) return 'hidden';
    throw error;
  }
}

/** Another user's folder, or a network disk that does not answer. */
const HIDDEN = ['EACCES', 'EPERM', 'EIO', 'ESTALE', 'ENOTCONN', 'ETIMEDOUT', 'EHOSTDOWN'];
