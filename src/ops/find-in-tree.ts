import { GypsumError } from '../errors.ts';
import { type PathFault, type Resolved, type ResolveOptions, realpath } from '../model/realpath.ts';
import { formatRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { DirectoryEntry, Entry } from '../model/tree.ts';
import type { ReadTree } from './read-tree.ts';

/** Where a path leads in a tree. */
export interface FoundInTree {
  /** Empty for the root. */
  readonly path: string;
  readonly entry: Entry;
}

const ROOT: DirectoryEntry = { type: 'directory', path: '' };

/** Follows an absolute path in a tree, or throws `not-found` or `invalid-argument` saying why it leads nowhere. */
export function findInTree(tree: ReadTree, path: string, options: ResolveOptions = {}): FoundInTree {
  const resolved = realpath(tree, path, options);
  if (resolved.kind !== 'found') throw pathError(tree, path, resolved);
  return { path: resolved.path, entry: resolved.entry ?? ROOT };
}

/** The error for a path that leads nowhere; its details have the kind and the place. */
export function pathError(tree: Pick<ReadTree, 'ref' | 'root'>, path: string, { kind, at }: Fault): GypsumError {
  const name = nameInTree(tree, path);
  return new GypsumError(kind === 'invalid' ? 'invalid-argument' : 'not-found', `${name}: ${whyOf(kind, at)}.`, {
    hint:
      kind === 'invalid'
        ? 'Write paths as they are in the folder, such as "/folder/file.txt".'
        : `See what there is with "gypsum tree ${nameOfTree(tree)}", and where a path leads with "gypsum resolve".`,
    details: { ...tree.ref, path, kind, at },
  });
}

/** Names an entry of a tree as the command line takes it. */
export function nameInTree(tree: Pick<ReadTree, 'ref' | 'root'>, path: string): string {
  return path === '/' ? nameOfTree(tree) : `${nameOfTree(tree)}:${showText(path)}`;
}

type Fault = Extract<Resolved, { kind: PathFault }>;

function nameOfTree({ ref, root = '' }: Pick<ReadTree, 'ref' | 'root'>): string {
  return ref === undefined ? showText(root) : formatRef(ref);
}

function whyOf(kind: PathFault, at: string): string {
  const place = `"/${showText(at)}"`;
  switch (kind) {
    case 'missing':
      return `there is nothing at ${place}`;
    case 'not-directory':
      return `${place} is no folder`;
    case 'loop':
      return `there are too many levels of symlinks, up to ${place}`;
    case 'escape':
      return at === '' ? 'it ascends beyond the root' : `the symlink ${place} ascends beyond the root`;
    case 'absolute':
      return `the symlink ${place} has an absolute target, which leads nowhere in here`;
    case 'corrupt':
      return `the symlink ${place} has no target`;
    case 'invalid':
      return 'a path begins with "/"';
  }
}
