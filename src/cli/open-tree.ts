import { checkTreePath, parseTreeRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { ReadTree } from '../ops/read-tree.ts';
import { argument, type Call } from './command.ts';
import { isLocal } from './is-local.ts';

/** What commands that look into trees take. */
export const TREE_ARGUMENT = '<project/asset[/version][:/path]|folder[:/path]>';

/** A tree, and the path in it that is meant. */
export interface OpenTree {
  readonly tree: ReadTree;
  readonly path: string;
}

/** Reads the tree that the first argument names, and says what its record has wrong. */
export async function openTree(
  call: Pick<Call, 'args' | 'client' | 'signal' | 'onEvent' | 'warn' | 'quiet'>,
): Promise<OpenTree> {
  const { client, signal, onEvent, warn, quiet } = call;
  const text = argument(call.args, 0);
  const { source, path } = isLocal(text) ? parseLocal(text) : parseRemote(text);
  const tree = await client().readTree(source, { signal, onEvent });
  if (!quiet) for (const { path, why } of tree.stale) warn(`"${showText(path)}" ${why}; it is left out.`);
  return { tree, path };
}

function parseRemote(text: string) {
  const { path, ...source } = parseTreeRef(text);
  return { source, path };
}

/** The folder's own path ends at the first ":/" that is not a drive's. */
function parseLocal(text: string) {
  const colon = text.indexOf(':/', 'C:'.length);
  if (colon === -1) return { source: text, path: '/' };
  return { source: text.slice(0, colon), path: checkTreePath(text.slice(colon + 1)) };
}
