import { dirname, isAbsolute, join, parse, sep } from 'node:path';
import { isSystemError } from '../errors.ts';
import { readLink } from './scan.ts';

/** Where a symlink leads. */
export type Resolution =
  /** Into the watched folder: `parts` are the names below it, whether anything is there or not. */
  | { readonly type: 'inside'; readonly parts: readonly string[] }
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
 * Makes a resolver that stops where a link enters the watched folder, given by its real path: what matters is the name
 * it leads to there, not whether the file exists or where the folder's own links lead.
 */
export function createSymlinkResolver(watched: string): SymlinkResolver {
  // The texts of links met on the way, by path; undefined for what is not a link, null for what is not there.
  const known = new Map<string, string | undefined | null>();
  const read = (path: string): string | undefined | null => {
    if (known.has(path)) return known.get(path);
    const text = readLinkIfAny(path);
    known.set(path, text);
    return text;
  };
  const prefix = watched + sep;

  return {
    resolve(folder, text) {
      // Nearly all links of a clone have this form, and their text alone says where they lead.
      if (text.startsWith(prefix)) {
        const parts = text.slice(prefix.length).split(sep);
        if (parts.every(isPlain)) return { type: 'inside', parts };
      }
      const pending = split(text).reverse();
      let at = isAbsolute(text) ? parse(text).root : folder;
      let exists = true;
      let expansions = 1;
      for (;;) {
        if ((at === watched || at.startsWith(prefix)) && !pending.includes('..')) {
          const entered = at.slice(prefix.length);
          return { type: 'inside', parts: [...(entered === '' ? [] : entered.split(sep)), ...pending.reverse()] };
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
    return readLink(path);
  } catch (error) {
    if (isSystemError(error, 'EINVAL', 'UNKNOWN')) return undefined;
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
