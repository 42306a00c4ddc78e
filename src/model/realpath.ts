import { type Entry, entryAt, joinPath, parentPath, type Tree } from './tree.ts';

/** A symlink that was followed on the way. */
export interface PathStep {
  /** Where the symlink stands. */
  readonly path: string;
  readonly target: string;
  /** The whole path once the symlink's text stands in its place; what is before it has been followed. */
  readonly becomes: string;
}

/** What a path in a tree leads to. */
export type Resolved =
  /** The entry, which is no symlink unless the last one was to be kept; `path` is empty for the root, and no entry is known of that. */
  | { readonly kind: 'found'; readonly path: string; readonly entry?: Entry; readonly steps: readonly PathStep[] }
  | { readonly kind: PathFault; readonly at: string; readonly steps: readonly PathStep[] };

export type PathFault =
  /** Nothing stands at `at`. */
  | 'missing'
  /** The path goes on behind `at`, which is no folder. */
  | 'not-directory'
  /** More symlinks would have to be followed than anybody does; `at` is the first one too many. */
  | 'loop'
  /** The path leaves the tree; `at` is the symlink that was followed last, or empty if there was none. */
  | 'escape'
  /** The symlink at `at` has an absolute target, which means nothing in a tree. */
  | 'absolute'
  /** The symlink at `at` has no target. */
  | 'corrupt'
  /** The path is empty or does not begin with "/". */
  | 'invalid';

export interface PathResolver {
  /** Follows an absolute path, of which "/" is the root of the tree, to what is no symlink. */
  resolve(path: string, options?: ResolveOptions): Resolved;
}

export interface ResolveOptions {
  /** Where the path ends in a symlink, without a slash behind it, give that itself. @default false */
  keepLast?: boolean;
}

/** How many symlinks are followed in one resolution. */
export const MAX_EXPANSIONS = 16;

/**
 * Makes a resolver of a tree, which has all its folders. It does what a kernel does where the tree is the root of all, but
 * that nothing is above the root, that absolute symlinks lead nowhere, and for the number of symlinks.
 *
 * Source: Linux, path_resolution(7)
 */
export function createPathResolver(tree: Tree): PathResolver {
  return { resolve: (path, options = {}) => resolvePath(tree, path, options) };
}

function resolvePath(tree: Tree, path: string, { keepLast = false }: ResolveOptions): Resolved {
  const steps: PathStep[] = [];
  const fault = (kind: PathFault, at: string): Resolved => ({ kind, at, steps });
  if (!path.startsWith('/')) return fault('invalid', path);
  // The parts that are still to come, last first. Empty ones stand for "the folder itself", as "." does.
  const pending = path.slice(1).split('/').reverse();
  let at = '';
  let entry: Entry | undefined;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (entry !== undefined && entry.type !== 'directory') return fault('not-directory', at);
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at === '') return fault('escape', steps.at(-1)?.path ?? '');
      at = parentPath(at);
      entry = entryAt(tree, at);
      continue;
    }
    const next = joinPath(at, part);
    const found = entryAt(tree, next);
    if (found === undefined) return fault('missing', next);
    if (found.type !== 'symlink' || (keepLast && pending.length === 0)) {
      at = next;
      entry = found;
      continue;
    }
    const { target } = found;
    if (steps.length === MAX_EXPANSIONS) return fault('loop', next);
    if (target === '') return fault('corrupt', next);
    if (target.startsWith('/')) return fault('absolute', next);
    pending.push(...target.split('/').reverse());
    steps.push({ path: next, target, becomes: `/${joinPath(at, pending.toReversed().join('/'))}` });
  }
  return { kind: 'found', path: at, ...(entry !== undefined && { entry }), steps };
}

/** Follows a path in what has a tree. */
export function realpath(
  { entries }: { readonly entries: Tree },
  path: string,
  options: ResolveOptions = {},
): Resolved {
  return createPathResolver(entries).resolve(path, options);
}
