import { statIfThere } from '../cache/blobs.ts';
import { findReceipt, isFolderOf } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { CLONE_MODES, type CloneMode } from '../model/clone-mode.ts';
import { showText } from '../model/text.ts';
import { chooseMode, takesSymlinks } from '../tree/choose-mode.ts';
import type { PutFile } from '../tree/put-file.ts';
import { realPath } from '../tree/real-path.ts';
import type { ClonedVersion } from './cloned-version.ts';

/** Throws `invalid-argument` for what is no mode, and for one that files which are not fetched cannot have. */
export function checkMode(mode: CloneMode | 'auto', download: boolean): void {
  if (mode !== 'auto' && !CLONE_MODES.includes(mode)) {
    throw new GypsumError('invalid-argument', `"${showText(String(mode))}" is not a mode of clones.`, {
      hint: `Give "auto" or one of "${CLONE_MODES.join('", "')}".`,
      details: { mode },
    });
  }
  if (download || mode === 'auto' || mode === 'symlink') return;
  throw new GypsumError('invalid-argument', `A clone whose files are not fetched cannot be of the mode "${mode}".`, {
    hint: 'Only symlinks can dangle: leave out the mode or take "symlink", or have the files fetched.',
    details: { mode },
  });
}

/**
 * Gives the mode of the clone that a folder is already, also if it was moved; nothing of another folder. Throws
 * `destination-refused` if it is of hard links and shall be otherwise: links that stay are the cached files, and whoever
 * takes them for files of the clone's own, or for none of it, edits those.
 */
export async function findMode(
  { cache: { layout } }: Context,
  place: string,
  mode: CloneMode | 'auto',
): Promise<CloneMode | undefined> {
  const real = realPath(place);
  const stats = statIfThere(real);
  const receipt = stats === undefined ? undefined : await findReceipt(layout, real, stats);
  if (stats === undefined || receipt === undefined) return undefined;
  const staysSo = mode === 'auto' || mode === 'hardlink' || receipt.mode !== 'hardlink';
  if (staysSo || !isFolderOf(receipt, stats)) return receipt.mode;
  throw new GypsumError('destination-refused', `${showText(place)} is a clone of hard links, and stays one.`, {
    hint: 'Leave out the mode (--mode), or clone into another folder.',
    details: { destination: place, mode },
  });
}

interface ChooseOptions {
  readonly download: boolean;
  /** The mode of the clone that is there already, if there is one. */
  readonly before: CloneMode | undefined;
  /** Brings files from the site cache into the user's own: none of it may be linked to but by symlinks. Absent where there are none. */
  readonly bring?: (() => Promise<void>) | undefined;
}

/** Finds the mode that works; what is added to a clone is made like the rest of it. */
export async function chooseCloneMode(
  ctx: Context,
  { ref, selected }: ClonedVersion,
  place: string,
  { download, before, bring }: ChooseOptions,
  put: PutFile,
): Promise<CloneMode> {
  const [path] = Object.keys(selected);
  // Without the files nothing but symlinks can be made, so that there is nothing to try.
  if (before !== undefined || !download || path === undefined) return before ?? 'symlink';
  if (bring !== undefined) {
    if (takesSymlinks(place, put)) return 'symlink';
    await bring();
  }
  return chooseMode(place, ctx.cache.layout.file({ ...ref, path }), put);
}
