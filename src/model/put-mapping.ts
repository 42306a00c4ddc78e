import { GypsumError } from '../errors.ts';
import { checkPath } from './names.ts';
import { showText } from './text.ts';
import { joinPath } from './tree.ts';
import { TREE_RECORD } from './tree-record.ts';

/** Whether a location means what is in a folder, and not the folder: it ends with a slash, or is named as the current one is. */
export function isContents(location: string): boolean {
  return /(?:^|\/)\.{0,2}$/.test(location);
}

/**
 * Says what a folder or file is called in a version; empty for the root. Throws `invalid-argument` for a destination that no
 * version can have.
 *
 * Shape:  location "td"   → "/td",  to "/my" → "/my", to "/my/" → "/my/td"
 *         location "td/"  → "/",    to "/my" → "/my", to "/my/" → "/my"
 *         location "td/f" → "/f",   to "/x"  → "/x",  to "/x/"  → "/x/f"
 */
export function mapPut(location: string, destination = '/'): string {
  const isFolderMeant = /(?:^|\/)$/.test(destination);
  const folder = destination.replace(/^\/|\/$/g, '');
  const name = location.slice(location.lastIndexOf('/') + 1);
  const path = isContents(location) || !isFolderMeant ? folder : joinPath(folder, name);
  if (path === '') return path;
  if (path !== TREE_RECORD) return checkPath(path);
  throw new GypsumError('invalid-argument', `"${showText(path)}" is where a version has its tree record.`, {
    hint: 'It is made by itself; give another name.',
    details: { path },
  });
}
