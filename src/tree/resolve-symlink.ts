import { dirname, isAbsolute, join, parse, sep } from 'node:path';
import { isSystemError } from '../errors.ts';
import { reach } from './places.ts';
import { readLink } from './scan.ts';

/** Where a symlink leads. */
export type Resolution =
  /** Into a watched folder, `root`: `parts` are the names below it, whether anything is there or not. */
  | { readonly type: 'inside'; readonly root: string; readonly parts: readonly string[] }
  /** To this real path, where something is or, if `exists` is false, nothing. */
  | { readonly type: 'outside'; readonly path: string; readonly exists: boolean }
  /** To itself, or through more links than a kernel would follow. */
  | { readonly type: 'loop' };

export interface SymlinkResolver {
  /** Follows a symlink with this text that stands in a folder, given by its real path. */
  resolve(folder: string, text: string): Resolution;
}

/** Source: Linux, path_resolution(7) */
const MAX_EXPANSIONS = 40;

/**
 * Makes a resolver that stops where a link enters one of the watched folders, given by their real paths: what matters is
 * the name it leads to there, not whether the file exists or where the folder's own links lead.
 */
export function createSymlinkResolver(...watched: readonly string[]): SymlinkResolver {
  // The texts of links met on the way, by path; undefined for what is not a link, null for what is not there.
  const known = new Map<string, string | undefined | null>();
  const read = (path: string): string | undefined | null => {
    if (known.has(path)) return known.get(path);
    const text = readLinkIfAny(path);
    known.set(path, text);
    return text;
  };
  const roots = watched.map((root) => ({ root, prefix: root + sep }));
  const rootOf = (path: string) => roots.find(({ root, prefix }) => path === root || path.startsWith(prefix));

  return {
    resolve(folder, text) {
      // Nearly all links of a clone have this form, and their text alone says where they lead.
      const named = rootOf(text);
      if (named !== undefined) {
        const parts = text.slice(named.prefix.length).split(sep);
        if (parts.every(isPlain)) return { type: 'inside', root: named.root, parts };
      }
      const pending = split(text).reverse();
      let at = isAbsolute(text) ? parse(text).root : folder;
      let exists = true;
      let expansions = 1;
      for (;;) {
        const entered = pending.includes('..') ? undefined : rootOf(at);
        if (entered !== undefined) {
          const names = at.slice(entered.prefix.length);
          const parts = [...(names === '' ? [] : names.split(sep)), ...pending.reverse()];
          return { type: 'inside', root: entered.root, parts };
        }
        const part = pending.pop();
        if (part === undefined) return { type: 'outside', path: at, exists };
        if (part === '..') {
          at = dirname(at);
          continue;
        }
        const next = join(at, part);
        const target = exists ? read(next) : undefined;
        if (target === null) exists = false;
        if (typeof target === 'string') {
          if (++expansions > MAX_EXPANSIONS) return { type: 'loop' };
          pending.push(...split(target).reverse());
          if (isAbsolute(target)) at = parse(target).root;
        } else at = next;
      }
    },
  };
}

function split(text: string): string[] {
  const relative = isAbsolute(text) ? text.slice(parse(text).root.length) : text;
  return relative.split(SEPARATORS).filter((part) => part !== '' && part !== '.');
}

const SEPARATORS = sep === '\\' ? /[/\\]/ : /\//;

function isPlain(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..';
}

function readLinkIfAny(path: string): string | undefined | null {
  try {
    return reach(path, readLink);
  } catch (error) {
    if (isSystemError(error, 'EINVAL', 'UNKNOWN')) return undefined;
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return null;
    throw error;
  }
}
