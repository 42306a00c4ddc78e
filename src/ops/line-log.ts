import { closeSync, openSync, writeSync } from 'node:fs';
import { fsPath } from '../model/local-path.ts';

/** A text file that lines are added to; it is made with the first one. */
export interface LineLog {
  add(line: string): void;
  /** Lets go of it until there is more to say. */
  close(): void;
}

export function openLineLog(path: string): LineLog {
  let fd: number | undefined;
  return {
    add(line) {
      fd ??= openSync(fsPath(path), 'a', 0o600);
      writeSync(fd, `${line}\n`);
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}
