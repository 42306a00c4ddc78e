import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ignore from 'ignore';
import { GypsumError } from '../errors.ts';
import { decodePath, fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { statThrough } from './stat-through.ts';

/** The file in the root of a folder that says what of the folder is not published; nor is the file itself. */
export const IGNORE_FILE = '.gypsumignore';

/** Units: bytes */
const MAX_SIZE = 1024 * 1024;

/** Says of paths of a folder whether they are left out. */
export interface IgnoreRules {
  ignores(path: string, isFolder: boolean): boolean;
}

/**
 * Reads the rules of a folder; nothing if it has none. Throws `invalid-tree` if they are not to be had: then nobody knows
 * what must not be published.
 *
 * Source: gitignore(5). Of git's ignore files, only the one in the root has a counterpart. Case counts.
 */
export function readIgnoreFile(root: string): IgnoreRules | undefined {
  const file = join(root, IGNORE_FILE);
  const stats = statThrough(file);
  if (stats === undefined && lstatSync(fsPath(file), { throwIfNoEntry: false }) === undefined) return undefined;
  if (!stats?.isFile() || stats.size > MAX_SIZE) {
    throw new GypsumError('invalid-tree', `${showText(file)} cannot be read: what is to be left out is not known.`, {
      hint: `Make it a file of at most ${MAX_SIZE} bytes, or remove it.`,
      details: { file },
    });
  }
  const text = decodePath(readFileSync(fsPath(file))).replace(/^\ufeff/, '');
  const rules = createIgnoreRules(text);
  return { ignores: (path, isFolder) => path === IGNORE_FILE || rules.ignores(path, isFolder) };
}

/** Makes rules of lines as such a file has them. */
export function createIgnoreRules(lines: string | readonly string[]): IgnoreRules {
  // The library takes 2 µs a path, and keeps it, though there is nothing to look for.
  if (lines.length === 0) return { ignores: () => false };
  const rules = ignore({ ignorecase: false }).add(lines);
  return { ignores: (path, isFolder) => rules.ignores(isFolder ? `${path}/` : path) };
}
