import type { Context } from '../context.ts';
import { isSystemError } from '../errors.ts';
import { liesIn, realPath } from '../tree/real-path.ts';
import { createSymlinkResolver, type Resolution } from '../tree/resolve-symlink.ts';

/** Knows where symlinks lead, into whichever cache. */
export interface Buckets {
  /** The real paths of the folders whose names are versions' files. */
  readonly roots: readonly string[];
  /** Whether a path lies in one of them. */
  holds(place: string): boolean;
  /** Follows a symlink with this text that stands in a folder, given by its real path. */
  resolve(folder: string, text: string): Resolution;
  /** Whether it leads into the site cache. */
  isSite(resolution: Resolution): boolean;
}

/** Watches the bucket of the user's own cache, and that of the site cache, whether it is there or not. */
export function watchBuckets({ cache, site }: Context): Buckets {
  const own = realIfReachable(cache.layout.bucket);
  const others = site === undefined ? undefined : realIfReachable(site.layout.bucket);
  const roots = [own, ...(others === undefined ? [] : [others])];
  const resolver = createSymlinkResolver(...roots);
  return {
    roots,
    holds: (place) => roots.some((root) => liesIn(place, root)),
    resolve: resolver.resolve,
    isSite: (resolution) => resolution.type === 'inside' && resolution.root === others,
  };
}

/** Gives a real path; what cannot be looked at is taken as it is written: links into it say still which files they are. */
export function realIfReachable(path: string): string {
  try {
    return realPath(path);
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM', 'EIO', 'ESTALE', 'ENOTCONN', 'ENOTDIR', 'ELOOP')) return path;
    throw error;
  }
}
