import { lstatSync } from 'node:fs';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { realPath } from '../tree/real-path.ts';

/** Gives the real path of a folder that is there, or throws `invalid-argument` with what to give instead. */
export function checkFolder(directory: string, hint: string): string {
  // An empty text is what scripts give whose variable is not set: it does not mean the current folder.
  const isPath = directory !== '' && !directory.includes('\0');
  const root = isPath ? realPath(directory) : directory;
  const stats = isPath ? lstatSync(fsPath(root), { throwIfNoEntry: false }) : undefined;
  if (stats?.isDirectory()) return root;
  throw new GypsumError('invalid-argument', `${showText(directory) || 'An empty text'} is not a folder.`, {
    hint,
    details: { directory },
  });
}
