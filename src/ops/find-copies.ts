import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { hasContent, statIfThere } from '../cache/blobs.ts';
import { type CloneFiles, pathsByInode, readCloneFiles } from '../cache/clone-files.ts';
import { findReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { type Fingerprint, fingerprintOf, inodeId, sameFingerprint } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import type { VersionRef } from '../model/refs.ts';
import { reach } from '../tree/places.ts';
import type { LinkTarget, LinkTargets } from './link-targets.ts';

/** A real file that is a file of the version that its folder is a clone of. */
export interface Copy {
  readonly target: LinkTarget;
  /** How it looks. */
  readonly seen: Fingerprint;
  /** It is the cached file itself, by a hard link, of which it is not known here whether it was edited. */
  readonly inCache: boolean;
}

/** Knows which real files of a clone are what its version says. */
export interface Copies {
  /**
   * Gives the version's file that the one at this path of the folder is unchanged, also if it was renamed. Only a file
   * that was touched is read.
   */
  find(path: string): Promise<Copy | undefined>;
}

export interface CopyOptions extends CallOptions {
  /** Read what was touched; else only what is known by stats is found. @default true */
  content?: boolean;
}

/** Looks a folder up in the receipts; nothing if it is no clone, or one of symlinks. */
export async function openCopies(
  ctx: Context,
  folder: string,
  targets: LinkTargets,
  options: CopyOptions,
): Promise<Copies | undefined> {
  const { layout } = ctx.cache;
  const receipt = await findReceipt(layout, folder, lstatSync(fsPath(folder)));
  if (receipt === undefined || receipt.mode === 'symlink') return undefined;
  const known = await readCloneFiles(layout, receipt.destination, receipt);
  return createCopies(ctx, folder, receipt, known, targets, options);
}

/** Compares the files of a folder with a version, of which some are known. */
export function createCopies(
  ctx: Context,
  folder: string,
  { project, asset, version }: VersionRef,
  known: CloneFiles,
  targets: LinkTargets,
  { content = true, signal }: CopyOptions,
): Copies {
  const byInode = pathsByInode(known);

  /** Gives the version's files that a file may be: the one at its own path, and the one that its inode had been. */
  const candidates = async (path: string, inode: string): Promise<LinkTarget[]> => {
    const found: LinkTarget[] = [];
    for (const from of new Set([path, byInode.get(inode) ?? path])) {
      const [target] = await targets.find([project, asset, version, ...from.split('/')], { changing: true });
      if (target?.below === '') found.push(target);
    }
    return found;
  };

  return {
    async find(path) {
      const at = join(folder, path);
      const stats = reach(at, (place) => lstatSync(fsPath(place), { throwIfNoEntry: false }));
      if (stats === undefined) return undefined;
      const seen = fingerprintOf(stats);
      for (const target of await candidates(path, inodeId(stats))) {
        const cached = stats.nlink > 1 ? statIfThere(ctx.cache.layout.file(target.file)) : undefined;
        if (cached !== undefined && inodeId(cached) === inodeId(stats)) return { target, seen, inCache: true };
        if (target.size !== stats.size) continue;
        const before = known.get(target.file.path);
        const expected = { digest: { algorithm: 'md5', hex: target.md5sum }, size: target.size } as const;
        const same = before !== undefined && sameFingerprint(before, seen);
        if (same || (content && (await hasContent(at, expected, signal)))) return { target, seen, inCache: false };
      }
      return undefined;
    },
  };
}
