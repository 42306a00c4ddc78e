import { lstatSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fsPath } from '../model/local-path.ts';
import { checkTreePath, parseTreeRef, type Ref } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { OpenTree } from '../ops/read-tree.ts';
import { absolutePath, realPath } from '../tree/real-path.ts';
import { statThrough } from '../tree/stat-through.ts';
import { argument, type Call } from './command.ts';
import { isLocal } from './is-local.ts';

/** What commands that look into trees take. */
export const TREE_ARGUMENT = '<project/asset[/version][:/path]|folder[:/path]|file>';

/** What a local symlink that is named stands for: what it leads to, itself, or every step to where it leads in its folder. */
type SymlinkUse = 'follow' | 'show' | 'trace';

/** A tree, and the path in it that is meant. */
export interface NamedTree extends OpenTree {
  readonly path: string;
}

/** Reads the tree that the first argument names, and says what its record has wrong. */
export async function openNamed(
  call: Pick<Call, 'args' | 'client' | 'signal' | 'onEvent' | 'warn' | 'quiet'>,
  symlink: SymlinkUse = 'follow',
): Promise<NamedTree> {
  const { client, signal, onEvent, warn, quiet } = call;
  const text = argument(call.args, 0);
  const { source, path, ...only } = isLocal(text) ? parseLocal(text, symlink) : parseRemote(text);
  const { openTree } = await import('../ops/read-tree.ts');
  const opened = await openTree(client().context, source, { ...only, signal, onEvent });
  if (!quiet) for (const { path, why } of opened.tree.stale) warn(`"${showText(path)}" ${why}; it is left out.`);
  return { ...opened, path };
}

interface Parsed {
  readonly source: Ref | string;
  readonly path: string;
  readonly only?: string;
}

function parseRemote(text: string): Parsed {
  const { path, ...source } = parseTreeRef(text);
  return { source, path };
}

/** The folder's own path ends at the first ":/" that is not a drive's. */
function parseLocal(text: string, symlink: SymlinkUse): Parsed {
  const colon = text.indexOf(':/', 'C:'.length);
  if (colon === -1) return findLocal(text, symlink);
  return { source: text.slice(0, colon), path: checkTreePath(text.slice(colon + 1)) };
}

/** What is no folder is an entry of the one that it lies in. */
function findLocal(text: string, symlink: SymlinkUse): Parsed {
  const isSymlink = text !== '' && lstatSync(fsPath(text), { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const place = absolutePath(isSymlink && symlink === 'follow' ? realPath(text) : text);
  const stats = statThrough(place);
  const isEntry = (isSymlink && symlink !== 'follow') || stats?.isDirectory() === false;
  if (!isEntry) return { source: text, path: '/' };
  const name = basename(place);
  const only = isSymlink && symlink === 'trace' ? {} : { only: name };
  return { source: dirname(place), path: `/${name}`, ...only };
}
