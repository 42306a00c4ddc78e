import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FolderStats, findReceipt, isFolderOf, type Receipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { fsPath } from '../model/local-path.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { checkFolder } from './check-folder.ts';
import { linksToClone } from './registered-clones.ts';

/** A clone, and what the cache knows of it. */
export interface FoundClone {
  /** The real path of its folder. */
  readonly root: string;
  readonly receipt: Receipt;
  /** The version that it is of. */
  readonly ref: VersionRef;
}

/**
 * Finds the clone that a folder is or lies in: the nearest folder with a receipt, on the same file system. Throws
 * `invalid-argument` if there is none.
 */
export async function findClone(ctx: Context, directory: string, options: CallOptions = {}): Promise<FoundClone> {
  const given = checkFolder(directory, 'Give the folder of a clone, or one in it.');
  const clone = await cloneAround(ctx, given, options);
  if (clone !== undefined) return clone;
  throw new GypsumError('invalid-argument', `${showText(given)} is no clone that the cache knows of, nor in one.`, {
    hint: 'Make one with "gypsum clone"; have the cache know one that was made elsewhere with "gypsum relink --as PROJECT/ASSET/VERSION FOLDER".',
    details: { directory: given },
  });
}

/** Gives the clone that a folder is or lies in, by its real path; nothing if there is none. */
export async function cloneAround(ctx: Context, folder: string, options: CallOptions): Promise<FoundClone | undefined> {
  const { dev } = lstatSync(fsPath(folder));
  for (let root = folder; ; root = dirname(root)) {
    options.signal?.throwIfAborted();
    const stats = lstatSync(fsPath(root));
    if (stats.dev !== dev) return undefined;
    const clone = await cloneAt(ctx, root, stats, options);
    if (clone !== undefined || dirname(root) === root) return clone;
  }
}

async function cloneAt(
  ctx: Context,
  root: string,
  stats: FolderStats,
  options: CallOptions,
): Promise<FoundClone | undefined> {
  const receipt = await findReceipt(ctx.cache.layout, root, stats);
  const isClone =
    receipt !== undefined && (isFolderOf(receipt, stats) || (await linksToClone(ctx, receipt, root, options)));
  return isClone ? { root, receipt, ref: checkVersionRef(receipt) } : undefined;
}
