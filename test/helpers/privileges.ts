import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';

/** A user without rights, for tests that run as root, whom permissions do not stop. */
const NOBODY = 65_534;

const isRoot = process.getuid?.() === 0;

/** Gives the options that make a child process one that permissions apply to. */
export function withoutPrivileges(): { uid?: number; gid?: number } {
  return isRoot ? { uid: NOBODY, gid: NOBODY } : {};
}

/** Lets the process of `withoutPrivileges` write to a folder of the test's. */
export function giveTo(folder: string): void {
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
}

/** Whether a small file system of one's own can be mounted here, without being root. */
export function canMount(): boolean {
  const { status } = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt']);
  return status === 0;
}
