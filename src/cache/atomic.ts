import { linkSync, lstatSync, renameSync, type Stats } from 'node:fs';
import { chmod, constants, copyFile, link, lstat, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from '../errors.ts';
import { ownedName } from '../owned-name.ts';
import { documentMode, makeCacheFolder } from './folders.ts';
import type { Layout } from './layout.ts';

/**
 * What stands in the cache is read-only: clones point at it, and an editor that follows the link must be stopped.
 */
export const READ_ONLY = 0o444;
export const READ_AND_EXECUTE = 0o555;

/** Gives the permissions of a file without the one to write, and so that all may read it. */
export function readOnly({ mode }: Pick<Stats, 'mode'>): number {
  return READ_ONLY | (mode & READ_AND_EXECUTE);
}

/** Lets `write` make a file at a fresh private path, and publishes it at `target` by rename; leaves nothing if it fails. */
export async function publish(
  layout: Layout,
  target: string,
  write: (incoming: string) => Promise<void>,
): Promise<void> {
  const incoming = layout.incoming(ownedName());
  makeCacheFolder(layout, layout.incomings);
  try {
    await write(incoming);
    moveInto(layout, incoming, target);
  } catch (error) {
    await removeIfThere(incoming);
    throw error;
  }
}

/**
 * Renames a file into a folder that is made if need be: again, if somebody who frees space takes it away between.
 *
 * Here and where links are made, the calls are synchronous: each takes 15 µs, and through the threads of Node 45.
 */
export function moveInto(layout: Layout, source: string, target: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      renameSync(source, target);
      return;
    } catch (error) {
      if (!isSystemError(error, 'ENOENT') || attempt === MAX_ATTEMPTS) throw error;
      makeCacheFolder(layout, dirname(target));
    }
  }
}

/** Writes a small file as a whole or not at all. */
export function publishDocument(layout: Layout, target: string, content: string | Uint8Array): Promise<void> {
  return publish(layout, target, async (incoming) => {
    await writeFile(incoming, content, { flag: 'wx', mode: 0o600 });
    await chmod(incoming, documentMode(layout));
  });
}

/** Writes a small file as a whole unless one is there; says whether it did. */
export async function publishOnce(layout: Layout, target: string, content: string): Promise<boolean> {
  const incoming = layout.incoming(ownedName());
  makeCacheFolder(layout, layout.incomings);
  makeCacheFolder(layout, dirname(target));
  try {
    await writeFile(incoming, content, { flag: 'wx' });
    await chmod(incoming, documentMode(layout));
    try {
      await link(incoming, target);
    } catch (error) {
      if (!isSystemError(error, ...LINK_REFUSED)) throw error;
      await copyFile(incoming, target, constants.COPYFILE_EXCL);
    }
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await removeIfThere(incoming);
  }
}

/** How a file came to its second place. */
export type Placed = 'linked' | 'copied' | 'too-many-links';

/**
 * Puts the content of `source` at `target` as a hard link, or as a copy where links are refused; replaces what is there.
 *
 * `too-many-links` means that nothing was done, since `source` has as many links as its file system allows.
 */
export async function place(layout: Layout, source: string, target: string): Promise<Placed> {
  let placed: Placed = 'linked';
  try {
    linkFile(layout, source, target);
    return placed;
  } catch (error) {
    if (isSystemError(error, 'EMLINK')) return 'too-many-links';
    if (!isSystemError(error, 'EEXIST', ...LINK_REFUSED)) throw error;
  }
  const incoming = layout.incoming(ownedName());
  makeCacheFolder(layout, layout.incomings);
  try {
    try {
      linkFile(layout, source, incoming);
    } catch (error) {
      if (isSystemError(error, 'EMLINK')) return 'too-many-links';
      if (!isSystemError(error, ...LINK_REFUSED)) throw error;
      await copyFile(source, incoming, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      await chmod(incoming, readOnly(await lstat(source)));
      placed = 'copied';
    }
    renameSync(incoming, target);
    return placed;
  } finally {
    // Renaming one link of an inode over another is a no-op that leaves both: POSIX wants it so.
    await removeIfThere(incoming);
  }
}

/**
 * Makes a hard link, and the folder for it where that is missing. A source that is replaced by rename at the same moment makes Linux answer ENOENT, since the inode
 * that was found has just lost its last name: then it is looked for again.
 */
function linkFile(layout: Layout, source: string, target: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      linkSync(source, target);
      return;
    } catch (error) {
      if (!isSystemError(error, 'ENOENT') || attempt === MAX_ATTEMPTS) throw error;
      lstatSync(source);
      makeCacheFolder(layout, dirname(target));
    }
  }
}

/** Removes a file; that it is not there is fine. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}

/** How often others may come between. */
const MAX_ATTEMPTS = 20;

// EPERM: another user's file under protected_hardlinks, or a file system without links. EXDEV: another file system.
const LINK_REFUSED = ['EPERM', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];
