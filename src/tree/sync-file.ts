import { closeSync, fsyncSync, openSync } from 'node:fs';
import { fsPath } from '../model/local-path.ts';

/** Has a file's bytes on the disk. */
export function syncFile(path: string): void {
  const file = openSync(fsPath(path), 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
