import { lstatSync } from 'node:fs';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { realPath } from '../tree/real-path.ts';

/** Gives the real path of a folder that is there, or throws `invalid-argument` with what to give instead. */
export function checkFolder(directory: string, hint: string): string {
  const root = directory.includes('\0') ? directory : realPath(directory);
  const stats = directory.includes('\0') ? undefined : lstatSync(fsPath(root), { throwIfNoEntry: false });
  if (stats?.isDirectory()) return root;
  throw new GypsumError('invalid-argument', `${showText(directory)} is not a folder.`, {
    hint,
    details: { directory },
  });
}
