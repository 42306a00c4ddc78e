import { createReadStream, type Stats } from 'node:fs';
import { isGypsumError, isSystemError } from '../errors.ts';
import type { FileRef } from '../model/refs.ts';
import { place } from './atomic.ts';
import { hasContent, isExecutable, statIfThere, writeBlob } from './blobs.ts';
import type { Content } from './contents.ts';
import type { Fingerprints } from './fingerprints.ts';
import type { Layout } from './layout.ts';
import { isStill } from './move-aside.ts';

/**
 * Makes a file of a content one that can be executed, if it is there: it gets an inode of its own, since equal files of other
 * versions share theirs, and are no programs. One that holds something else is left alone, and so is one of a cache that
 * others may not change.
 */
export async function makeExecutable(
  layout: Layout,
  fingerprints: Fingerprints,
  content: Content,
  file: FileRef,
  signal: AbortSignal | undefined,
): Promise<void> {
  const path = layout.file(file);
  const seen = statIfThere(path);
  if (!seen?.isFile() || isExecutable(seen)) return;
  try {
    await putExecutable(layout, fingerprints, content, path, seen, signal);
  } catch (error) {
    // Edited through a link, or removed meanwhile.
    if (!isGypsumError(error, 'wrong-content') && !isSystemError(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS'))
      throw error;
  }
}

async function putExecutable(
  layout: Layout,
  fingerprints: Fingerprints,
  content: Content,
  path: string,
  seen: Stats,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { digest, source } = content;
  const blob = layout.executable(source.project, digest);
  const renew = () =>
    writeBlob(layout, source.project, content, path, createReadStream(path), { signal, executable: true });
  let verified = await findBlob(blob, fingerprints, content, signal);
  verified ??= await renew();
  // An edit that was made meanwhile must not go.
  if (!isStill(path, seen)) return;
  let placed = await place(layout, blob, path);
  if (placed === 'too-many-links') {
    verified = await renew();
    placed = await place(layout, blob, path);
  }
  fingerprints.remember(digest.hex, path, placed === 'copied' ? (statIfThere(path) ?? verified) : verified);
}

async function findBlob(
  blob: string,
  fingerprints: Fingerprints,
  content: Content,
  signal: AbortSignal | undefined,
): Promise<Stats | undefined> {
  const stats = statIfThere(blob);
  if (!stats?.isFile() || stats.size !== content.size || !isExecutable(stats)) return undefined;
  if (fingerprints.check(content.digest.hex, stats) === 'same') return stats;
  return (await hasContent(blob, content, signal)) ? stats : undefined;
}
