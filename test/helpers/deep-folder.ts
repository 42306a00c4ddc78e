import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { fsPath } from '../../src/model/local-path.ts';
import { tempFolder } from './temp-folder.ts';

export interface DeepFolder {
  /** Where it begins; it holds nothing but the next one. */
  readonly root: string;
  /** Leads to the innermost folder while the test runs, in few bytes. */
  readonly inmost: string;
}

/** Makes folders in one another, and removes them when the test has ended. Works on Linux only. */
export async function deepFolder(names: readonly string[]): Promise<DeepFolder> {
  const root = await tempFolder();
  // Node removes by whole paths, which are too long; this goes before the folder's own removal.
  onTestFinished(() => void execFileSync('rm', ['-rf', root]));
  let at = openSync(root, 'r');
  for (const name of names) {
    const folder = fsPath(join('/proc/self/fd', String(at), name));
    mkdirSync(folder);
    const next = openSync(folder, 'r');
    closeSync(at);
    at = next;
  }
  onTestFinished(() => closeSync(at));
  return { root, inmost: `/proc/self/fd/${at}` };
}
