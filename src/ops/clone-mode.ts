import { readReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { CLONE_MODES, type CloneMode } from '../model/clone-mode.ts';
import { showText } from '../model/text.ts';
import { chooseMode, takesSymlinks } from '../tree/choose-mode.ts';
import type { PutFile } from '../tree/put-file.ts';
import { realPath } from '../tree/real-path.ts';
import type { ClonedVersion } from './clone-files.ts';

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

interface ChooseOptions {
  readonly download: boolean;
  readonly merge: boolean;
  /** Brings files from the site cache into the user's own: none of it may be linked to but by symlinks. Absent where there are none. */
  readonly bring?: (() => Promise<void>) | undefined;
}

/** Finds the mode that works; what is added to a clone is made like the rest of it. */
export async function chooseCloneMode(
  ctx: Context,
  { ref, selected }: ClonedVersion,
  place: string,
  { download, merge, bring }: ChooseOptions,
  put: PutFile,
): Promise<CloneMode> {
  const { layout } = ctx.cache;
  const before = merge ? (await readReceipt(layout, realPath(place)))?.mode : undefined;
  const [path] = Object.keys(selected);
  // Without the files nothing but symlinks can be made, so that there is nothing to try.
  if (before !== undefined || !download || path === undefined) return before ?? 'symlink';
  if (bring !== undefined) {
    if (takesSymlinks(place, put)) return 'symlink';
    await bring();
  }
  return chooseMode(place, layout.file({ ...ref, path }), put);
}
