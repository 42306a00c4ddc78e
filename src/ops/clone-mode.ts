import { readReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { CLONE_MODES, type CloneMode } from '../model/clone-mode.ts';
import { showText } from '../model/text.ts';
import { chooseMode } from '../tree/choose-mode.ts';
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

/** Finds the mode that works; what is added to a clone is made like the rest of it. */
export async function chooseCloneMode(
  ctx: Context,
  { ref, selected }: ClonedVersion,
  place: string,
  { download, merge }: { readonly download: boolean; readonly merge: boolean },
  put: PutFile,
): Promise<CloneMode> {
  const { layout } = ctx.cache;
  const before = merge ? (await readReceipt(layout, realPath(place)))?.mode : undefined;
  const [path] = Object.keys(selected);
  // Without the files nothing but symlinks can be made, so that there is nothing to try.
  if (before !== undefined || !download || path === undefined) return before ?? 'symlink';
  return chooseMode(place, layout.file({ ...ref, path }), put);
}
