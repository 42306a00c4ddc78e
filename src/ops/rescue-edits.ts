import { constants, lstatSync } from 'node:fs';
import { chmod, copyFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { filesOfInodes } from '../cache/files-of-inodes.ts';
import { moveAside } from '../cache/move-aside.ts';
import type { Trash } from '../cache/trash.ts';
import type { Context } from '../context.ts';
import type { CallOptions, OnEvent } from '../events.ts';
import { inodeId } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { freshName } from '../tree/put-file.ts';
import { realPath } from '../tree/real-path.ts';
import { statThrough } from '../tree/stat-through.ts';
import { digestFile } from './digest-file.ts';
import { fileChanged } from './file-changed.ts';
import type { Linked } from './found.ts';
import { saveFileRefs } from './save-file-refs.ts';

/** Whether a symlink or hard link that was edited through can become a file of the folder: it stands in the folder itself. */
export function isRescuable(root: string, { path }: Linked): boolean {
  const source = join(root, path);
  const stats = lstatSync(fsPath(source), { throwIfNoEntry: false });
  const isLink = stats?.isSymbolicLink() || stats?.isFile();
  return isLink === true && realPath(dirname(source)) === dirname(source) && statThrough(source)?.isFile() === true;
}

/**
 * Makes files of links whose cached file was edited through them, each a verified copy of the edit; then gives every
 * file of the cache that shares the edited inode its right content again. What was edited is moved aside, not removed.
 */
export async function rescueEdits(
  ctx: Context,
  root: string,
  edited: readonly Linked[],
  options: CallOptions,
): Promise<void> {
  const { signal, onEvent } = options;
  await mendEdited(ctx, root, edited, options, async ({ path, file }) => {
    await replaceLink(join(root, path), signal);
    onEvent?.({ type: 'rescued', path, file });
  });
}

/**
 * Keeps in the trash what was edited through symlinks, and gives the cache its right content again; a hard link of the folder
 * is left with the edit, as a file that is none of the cache's.
 */
export async function discardEdits(
  ctx: Context,
  root: string,
  edited: readonly Linked[],
  { trash, ...options }: CallOptions & { readonly trash: Trash },
): Promise<void> {
  await mendEdited(ctx, root, edited, options, ({ path }) => {
    const place = join(root, path);
    if (lstatSync(fsPath(place)).isSymbolicLink()) trash.keep(realPath(place), path);
  });
}

/** Gives every file of the cache that shares an edited inode its right content again, when the edits have been seen to. */
async function mendEdited(
  ctx: Context,
  root: string,
  edited: readonly Linked[],
  { signal, onEvent }: CallOptions,
  seeTo: (link: Linked) => void | Promise<void>,
): Promise<void> {
  const inodes = new Set(edited.flatMap(({ path }) => inodeIfAny(join(root, path))));
  for (const link of edited) {
    signal?.throwIfAborted();
    await seeTo(link);
  }
  const notice: OnEvent = (event) => {
    const isRescued = event.type === 'damaged' && inodeIfAny(event.movedTo).some((inode) => inodes.has(inode));
    onEvent?.(isRescued ? { ...event, isRescued } : event);
  };
  const shared = await filesOfInodes(ctx.cache.layout, inodes, signal);
  // Where an editor has put a new file in place, the link's own file is none of the others.
  const { unknown } = await saveFileRefs(ctx, [...edited.map(({ file }) => file), ...shared], {
    signal,
    onEvent: notice,
  });
  for (const file of unknown) {
    const path = ctx.cache.layout.file(file);
    const movedTo = moveAside(ctx.cache.layout, path);
    if (movedTo !== undefined) notice({ type: 'damaged', file, path, movedTo });
  }
}

function inodeIfAny(path: string): string[] {
  const stats = statThrough(path);
  return stats === undefined ? [] : [inodeId(stats)];
}

/**
 * Puts a copy of what a link leads to in its place, by rename. What a killed process leaves beside it has a name that no
 * version may hold, so that it is not published unseen.
 */
async function replaceLink(path: string, signal: AbortSignal | undefined): Promise<void> {
  const fresh = freshName(dirname(path));
  try {
    await copyFile(fsPath(path), fsPath(fresh), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const [copied, edited] = [await digestFile(fresh, signal), await digestFile(path, signal)];
    if (copied.md5sum !== edited.md5sum) throw fileChanged(path, undefined);
    // A program stays one.
    await chmod(fsPath(fresh), 0o644 | (lstatSync(fsPath(fresh)).mode & 0o111));
    await rename(fsPath(fresh), fsPath(path));
  } catch (error) {
    await rm(fsPath(fresh), { force: true });
    throw error;
  }
}
