import { basename, dirname, join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { ifReachable } from '../cache/if-reachable.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { createMatcher } from '../model/select-files.ts';
import { showText } from '../model/text.ts';
import { joinPath, type SymlinkEntry } from '../model/tree.ts';
import { absolutePath, overlaps, realPath } from '../tree/real-path.ts';
import { readLink, scanFolder } from '../tree/scan.ts';
import { statThrough } from '../tree/stat-through.ts';
import { describeAstray, findAstray } from './astray-links.ts';
import type { Linked } from './found.ts';
import { createLinkTargets } from './link-targets.ts';
import { watchBuckets } from './watch-buckets.ts';

/** A link of a clone, found by its place. */
export interface CloneLink extends Linked {
  /** An absolute path. */
  readonly source: string;
  readonly inSite: boolean;
  /** The text of the link; absent where a folder that the file is in is the link. */
  readonly text?: string;
}

/**
 * Finds the links into the cache at paths in clones: paths of links, folders with all links in them, or globs. What else
 * is there is left out. Throws `not-found` naming a path where there is none, and `invalid-argument`.
 */
export async function findCloneLinks(
  ctx: Context,
  paths: readonly string[],
  options: CallOptions,
): Promise<readonly CloneLink[]> {
  const found = new Map<string, CloneLink>();
  const targets = createLinkTargets(ctx, options);
  const buckets = watchBuckets(ctx);
  const pace = createPace(options.signal);
  const astray = (folder: string, entry: SymlinkEntry) => {
    const found = findAstray(folder, entry, buckets.resolve(dirname(join(folder, entry.path)), entry.target));
    return found === undefined ? [] : [{ ...found, name: entry.path }];
  };
  const isCached = (folder: string) => buckets.roots.some((root) => overlaps(folder, root));
  for (const path of paths) {
    let some = false;
    const { folder, links } = await linksAt(path, isCached, options);
    for (const entry of links) {
      if (pace.due()) await pace.rest();
      const link = join(folder, entry.path);
      const to = buckets.resolve(dirname(link), entry.target);
      if (to.type !== 'inside') continue;
      const inSite = buckets.isSite(to);
      for (const { below, file, size, md5sum, source: project } of await targets.find(to.parts, { changing: true })) {
        const source = below === '' ? link : join(link, below);
        const text = below === '' ? { text: entry.target } : {};
        found.set(source, { path: joinPath(entry.path, below), source, file, size, md5sum, project, inSite, ...text });
        some = true;
      }
    }
    if (!some) throw noLink(path, describeAstray(links.flatMap((entry) => astray(folder, entry))));
  }
  return [...found.values()];
}

interface Links {
  /** A real path. */
  readonly folder: string;
  readonly links: readonly SymlinkEntry[];
}

/**
 * Gives the symlinks that a path means: the folder is as much of it as there is outside of the cache, and the rest a name
 * or pattern in there.
 */
async function linksAt(path: string, isCached: (folder: string) => boolean, options: CallOptions): Promise<Links> {
  if (path === '' || path.includes('\0')) throw noLink(path);
  const rest: string[] = [];
  let at = absolutePath(path);
  // What a link leads to may be out of reach, and is still what it says.
  const isFolder = (place: string) =>
    ifReachable(() => statThrough(place)?.isDirectory() === true && !isCached(realPath(place)));
  for (; !(await isFolder(at)); at = dirname(at)) {
    if (dirname(at) === at) throw noLink(path);
    rest.unshift(basename(at));
  }
  const folder = realPath(at);
  const named = rest.join('/');
  // One that is named needs no search: a shell may have made a thousand names of a pattern.
  if (named !== '' && isLink(join(folder, named))) {
    return { folder, links: [{ type: 'symlink', path: named, target: readLink(join(folder, named)) }] };
  }
  const matches = named === '' ? () => true : createMatcher(named);
  const tree = await scanFolder(folder, { ...options, sizes: false });
  return { folder, links: tree.filter((entry) => entry.type === 'symlink' && matches(entry.path)) as SymlinkEntry[] };
}

function isLink(path: string): boolean {
  return statIfThere(path)?.isSymbolicLink() === true;
}

function noLink(path: string, astray: readonly string[] = []): GypsumError {
  return new GypsumError(
    'not-found',
    `"${showText(path)}" is no link of a clone into the cache, nor a folder with any.`,
    {
      hint:
        astray.length > 0
          ? astray.join('\n')
          : 'Give paths of links in a clone, folders, or quoted globs such as "my-clone/**/*.csv". Files of a folder that are no links are its own.',
      details: { path },
    },
  );
}
