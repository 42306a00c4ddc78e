import { statSync } from 'node:fs';
import { fsPath } from '../model/local-path.ts';

/** Whether a path, which may be no path at all, leads to a folder. */
export function isFolder(path: string): boolean {
  return (
    path !== '' && !path.includes('\0') && statSync(fsPath(path), { throwIfNoEntry: false })?.isDirectory() === true
  );
}
