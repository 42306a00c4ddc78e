import { createReadStream, type Stats } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { inodeId } from '../model/fingerprint.ts';
import type { FileRef } from '../model/refs.ts';
import { parentPath } from '../model/tree.ts';
import type { Expected } from '../verify-stream.ts';
import { place, READ_ONLY, removeIfThere } from './atomic.ts';
import { hasContent, isExecutable, statIfThere, writeBlob } from './blobs.ts';
import { WORTH_KEEPING } from './download.ts';
import type { Fingerprints } from './fingerprints.ts';
import { downloadId } from './incoming-name.ts';
import type { Layout } from './layout.ts';
import { isStill, moveAside, setAside } from './move-aside.ts';

/** Some content and the files of the bucket that must hold it. */
export interface Content extends Expected {
  /** Where its bytes are stored; its project is the one that the blob is shared in. */
  readonly source: FileRef;
  readonly files: readonly FileRef[];
}

/** Where the content came from: the cache had it, another client had left it there, or it was fetched. */
export type Supplied = 'cached' | 'adopted' | 'fetched';

/** Says which files of a content are not known to be right, from their stats alone. */
export function unverifiedFiles(layout: Layout, fingerprints: Fingerprints, content: Content): FileRef[] {
  return content.files.filter((file) => {
    const stats = statIfThere(layout.file(file));
    return stats?.size !== content.size || fingerprints.check(content.digest.hex, stats) !== 'same';
  });
}

/**
 * Says how much of some contents has to be fetched, as far as sizes tell: what is there may prove wrong.
 *
 * Units: bytes
 */
export function missingBytes(layout: Layout, contents: readonly Content[]): number {
  let bytes = 0;
  for (const content of contents) {
    if (!isMissing(layout, content)) continue;
    const { source, digest, size } = content;
    const partial =
      size < WORTH_KEEPING ? 0 : statIfThere(layout.partial(downloadId(source.project, { digest, size })))?.size;
    bytes += Math.max(size - (partial ?? 0), 0);
  }
  return bytes;
}

/** Whether a content is nowhere in the cache, as far as sizes tell. */
export function isMissing(layout: Layout, { source, digest, size, files }: Content): boolean {
  const places = [layout.blob(source.project, digest), ...files.map(layout.file)];
  return !places.some((place) => statIfThere(place)?.size === size);
}

export interface SupplyOptions extends CallOptions {
  /** Fetch it, also if it is there: what is there is replaced once the new bytes have been verified. @default false */
  overwrite?: boolean | undefined;
  /** Make one inode of files that hold the right content each by itself. @default false */
  relink?: boolean | undefined;
}

/** How `supply` gets content that the cache does not have: it must write the blob and give its stats. */
export type Fetch = (content: Content) => Promise<Stats>;

/**
 * Makes every file of a content hold it: from the blob, from a file that another client left in its place, or fetched.
 *
 * Nothing is believed that was not hashed, by us, at some time since it last changed. A file with other content is moved
 * aside and reported, never thrown away.
 */
export async function supply(
  layout: Layout,
  fingerprints: Fingerprints,
  content: Content,
  fetch: Fetch,
  options: SupplyOptions = {},
): Promise<Supplied> {
  let isFetched = false;
  const fetchNoted: Fetch = async (wanted) => {
    const stats = await fetch(wanted);
    isFetched = true;
    return stats;
  };
  try {
    return await supplyOnce(layout, fingerprints, content, fetchNoted, options);
  } catch (error) {
    // Somebody who frees space has removed a blob between two steps: then from the beginning.
    if (!isSystemError(error, 'ENOENT')) throw error;
    const supplied = await supplyOnce(layout, fingerprints, content, fetchNoted, options);
    return isFetched ? 'fetched' : supplied;
  }
}

/** What stands at a path: the content, or something else; nothing where nothing is there. */
interface Found {
  readonly right?: Stats;
  readonly wrong?: Stats;
}

async function supplyOnce(
  layout: Layout,
  fingerprints: Fingerprints,
  content: Content,
  fetch: Fetch,
  { signal, onEvent, overwrite = false, relink = false }: SupplyOptions,
): Promise<Supplied> {
  const { hex } = content.digest;
  const blob = layout.blob(content.source.project, content.digest);
  const good = new Set<string>();
  const aside = new Set<string>();
  let supplied: Supplied = 'cached';
  let program: string | undefined;

  const look = async (path: string): Promise<Found> => {
    const stats = statIfThere(path);
    if (stats === undefined) return {};
    if (!stats.isFile() || stats.size !== content.size) return { wrong: stats };
    if (fingerprints.check(hex, stats) === 'same') return { right: stats };
    if (!(await hasContent(path, content, signal))) return { wrong: stats };
    fingerprints.remember(hex, path, stats);
    return { right: stats };
  };

  // A copy becomes the blob's next inode, which can be linked again.
  const renew = (path: string) =>
    writeBlob(layout, content.source.project, content, path, createReadStream(path), { signal });

  const before = await look(blob);
  let verified = overwrite ? undefined : before.right;
  for (const file of content.files) {
    const path = layout.file(file);
    const obstacle = clearWay(layout, file);
    if (obstacle !== undefined) onEvent?.({ type: 'damaged', file, ...obstacle });
    const { right: stats, wrong } = await look(path);
    if (stats !== undefined) {
      if (overwrite || (relink && verified !== undefined && stats.ino !== verified.ino)) continue;
      good.add(path);
      if (verified !== undefined) continue;
      // Its inode is its own, and none for files that are no programs.
      if (isExecutable(stats) && (stats.mode & 0o222) === 0) {
        program = path;
        continue;
      }
      // Another client left it here: from now on it serves every file with this content.
      await protect(path);
      const placed = await place(layout, path, blob);
      if (placed === 'linked') verified = stats;
      else if (placed === 'copied') verified = (await look(blob)).right;
      else verified = await renew(path);
      supplied = 'adopted';
    } else if (wrong !== undefined && aside.has(inodeId(wrong))) {
      if (isStill(path, wrong)) await removeIfThere(path);
    } else if (wrong !== undefined) {
      const equal = otherNames(layout, content, file, wrong);
      const movedTo = moveAside(layout, path, wrong);
      if (movedTo === undefined) continue;
      aside.add(inodeId(wrong));
      onEvent?.({ type: 'damaged', file, path, movedTo, ...(equal.length > 0 && { equal }) });
    }
  }
  // Where locks do not work, another process may have fetched it by now.
  if (before.right === undefined && before.wrong === undefined) verified ??= (await look(blob)).right;
  if (verified === undefined && good.size === content.files.length) return supplied;
  if (verified === undefined && program !== undefined && before.wrong === undefined) {
    verified = await renew(program);
    supplied = 'adopted';
  }
  if (verified === undefined) {
    // What was edited through a clone's link is still in the bucket; a blob that stands alone is kept like any other file.
    if (before.wrong?.nlink === 1) moveAside(layout, blob, before.wrong);
    else if (before.wrong !== undefined && isStill(blob, before.wrong)) await removeIfThere(blob);
    verified = await fetch(content);
    supplied = 'fetched';
  }
  for (const file of content.files) {
    const path = layout.file(file);
    if (good.has(path)) continue;
    let placed = await place(layout, blob, path);
    if (placed === 'too-many-links') {
      verified = await renew(blob);
      placed = await place(layout, blob, path);
    }
    if (placed === 'linked') fingerprints.remember(hex, path, verified);
    else if ((await look(path)).right === undefined) throw new Error(`${path} is not what was copied to it`);
  }
  return supplied;
}

/** Gives the other files of a content that are the same inode: what was written into one shows in all. */
function otherNames(layout: Layout, { files }: Content, file: FileRef, stats: Stats): FileRef[] {
  if (stats.nlink === 1) return [];
  return files.filter((other) => {
    const there = other === file ? undefined : statIfThere(layout.file(other));
    return there !== undefined && inodeId(there) === inodeId(stats);
  });
}

async function protect(path: string): Promise<void> {
  try {
    await chmod(path, READ_ONLY);
  } catch (error) {
    // Another user's file in a shared cache: theirs to protect.
    if (!isSystemError(error, 'EPERM')) throw error;
  }
}

/**
 * Moves out of the way what stands where a folder of the version must be: a file, since the version was another one then,
 * or a symlink, since nothing is read or written through one.
 */
function clearWay(layout: Layout, file: FileRef): { path: string; movedTo: string } | undefined {
  const folders = parentPath(file.path);
  if (folders === '') return undefined;
  let path = layout.versionFolder(file);
  for (const part of folders.split('/')) {
    path = join(path, part);
    const stats = statIfThere(path);
    if (stats === undefined) return undefined;
    if (stats.isDirectory()) continue;
    // Without a pause in between: files of one folder are supplied side by side.
    return { path, movedTo: setAside(layout, path) };
  }
  return undefined;
}
