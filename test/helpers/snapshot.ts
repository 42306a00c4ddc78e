import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What stands in a folder, to its inodes, modes and times; `leaveOut` is a folder in it that may change. */
export function snapshot(folder: string, leaveOut?: string): Record<string, string> {
  const seen: Record<string, string> = {};
  const visit = (path: string): void => {
    if (path === leaveOut) return;
    const stats = lstatSync(path);
    const { ino, mode, mtimeMs, nlink } = stats;
    const is = stats.isDirectory()
      ? ''
      : stats.isSymbolicLink()
        ? readlinkSync(path)
        : stats.isFile()
          ? readFileSync(path, 'hex')
          : 'special';
    // A folder that holds the one that may change counts it, and notes when it is made.
    const isAbove = stats.isDirectory() && leaveOut?.startsWith(`${path}/`);
    seen[relative(folder, path)] = `${[ino, mode, ...(isAbove ? [] : [mtimeMs, nlink])].join(' ')} ${is}`;
    if (stats.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  visit(folder);
  return seen;
}
