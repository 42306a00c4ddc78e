import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import type { Fingerprint } from '../model/fingerprint.ts';
import { versionText } from '../model/link-text.ts';
import { placeIn } from '../model/local-path.ts';
import { entryProject } from '../model/manifest.ts';
import { MAX_KEY_BYTES } from '../model/names.ts';
import { fileOf } from '../model/refs.ts';
import { type Entry, joinPath, parentPath, type SymlinkEntry } from '../model/tree.ts';
import { readFacts } from '../tree/entry-facts.ts';
import { IGNORE_FILE, readIgnoreFile } from '../tree/ignore-file.ts';
import { liesIn, realPath } from '../tree/real-path.ts';
import type { Resolution } from '../tree/resolve-symlink.ts';
import { scanInParts } from '../tree/scan.ts';
import type { SeenEntry } from '../tree/scan-list.ts';
import type { ScanThread } from '../tree/scan-thread.ts';
import { statThrough } from '../tree/stat-through.ts';
import { findAstray } from './astray-links.ts';
import { type Copies, type Copy, openCopies } from './find-copies.ts';
import { type Fault, type Found, type FoundLink, faultOf, faultOfName } from './found.ts';
import { isKept } from './is-kept.ts';
import { createKnownRight } from './known-right.ts';
import { createLinkTargets, type Home, type LinkTarget } from './link-targets.ts';
import type { VersionDocuments } from './version-documents.ts';
import { watchBuckets } from './watch-buckets.ts';

/**
 * What becomes of symlinks. `auto`: those into the cache become upload links, others the content they lead to.
 * `always`: one that cannot become a link is an error. `never`: all become the content they lead to.
 *
 * An unchanged file of a clone that has files instead of symlinks is treated like the symlink in its place would be.
 */
export type LinkRule = 'auto' | 'always' | 'never';

/** What a folder holds. */
export interface Reading {
  /** In the order of `comparePaths`. */
  readonly entries: readonly Found[];
  /** All that was seen, folders too, by path: with modes, times and what symlinks lead to, if that was asked for; else nothing. */
  readonly seen: ReadonlyMap<string, Entry>;
  /** How many entries the folder's ignore file leaves out, a folder as one; absent without such a file. */
  readonly ignored?: number;
}

export interface ReadOptions extends CallOptions {
  /** @default 'auto' */
  links?: LinkRule;
  /** Documents of versions that are at hand. */
  loaded?: readonly VersionDocuments[];
  /** Read files of clones that may be as their version's; else only what is known by stats is taken for that. @default true */
  content?: boolean;
  /** Keep symlinks that do not lead into a cache for what they are. @default false */
  keepSymlinks?: boolean;
  /** The real path of the clone that it lies in, to places of which its own symlinks may lead. @default the folder */
  clone?: string;
  /** Look up modes and times. @default false */
  facts?: boolean;
  /** Says of paths that they are left out, with all below. */
  exclude?: (path: string, isFolder: boolean) => boolean;
  /** A thread that reads the folder already; not for modes and times. */
  ahead?: ScanThread | undefined;
  /** Take the folder's ignore file into account. @default true */
  ignoreFile?: boolean;
  /** Hears of a folder that cannot be read; the rest goes on. Without it, the first one ends all. */
  onFailure?: (path: string, error: Error) => void;
}

/** A folder that is being read. */
interface Walked {
  readonly folder: string;
  /** Where it is a clone of real files. */
  readonly known: Copies | undefined;
  /** The folders that are being walked: itself, and those with the symlinks that lead here. */
  readonly real: readonly string[];
}

/** Reads a folder, given by its real path, and says of every entry what it would be in a version. Changes nothing. */
export async function readFolder(
  ctx: Context,
  root: string,
  { links: rule = 'auto', loaded = [], content = true, ...reading }: ReadOptions,
): Promise<Reading> {
  const {
    keepSymlinks = false,
    clone,
    facts = false,
    exclude,
    ignoreFile = true,
    onFailure,
    ahead,
    ...options
  } = reading;
  const entries: Found[] = [];
  const seen = new Map<string, Entry>();
  const targets = createLinkTargets(ctx, options, loaded);
  const remembered = createKnownRight(ctx);
  const buckets = watchBuckets(ctx);
  const pace = createPace(options.signal);
  const rules = ignoreFile ? readIgnoreFile(root) : undefined;
  let ignored = 0;

  const isIgnored = (path: string, isFolder = false) => {
    if (exclude?.(path, isFolder)) return true;
    if (!rules?.ignores(path, isFolder)) return false;
    if (path !== IGNORE_FILE) ignored++;
    return true;
  };

  const add = (entry: Found, real: readonly string[], wrong?: Fault) => {
    const fault = wrong ?? (isInVersion(entry) ? faultOfName(entry.path) : undefined);
    if (fault === undefined && real.length === 1) entries.push(entry);
    else {
      const isElsewhere = real.length > 1 && ({ isElsewhere: true } as const);
      entries.push({ ...entry, ...isElsewhere, ...(fault !== undefined && { fault }) });
    }
  };

  const addCopy = (path: string, size: number, { target, seen, inCache }: Copy, real: readonly string[]) => {
    const how = inCache ? 'hardlink' : 'copy';
    const link = linkOf(path, target, how, inCache ? undefined : seen);
    if (target.final) add(link, real);
    else if (rule === 'always') add({ ...link, sent: size }, real, faultOf('changing'));
    else add({ ...link, sent: size }, real);
  };

  /** Adds the entries of a folder; `real` are the folders that are being walked, so that a link back is noticed. */
  const addTree = async (prefix: string, folder: string, real: readonly string[]) => {
    const skip = (path: string, isFolder: boolean) => isIgnored(joinPath(prefix, path), isFolder);
    const known = rule === 'never' ? undefined : await openCopies(ctx, folder, targets, { ...options, content });
    const scan = {
      ...options,
      facts,
      ...((rules ?? exclude) !== undefined && { skip }),
      ...(onFailure !== undefined && {
        onFailure: (path: string, error: Error) => onFailure(joinPath(prefix, path), error),
      }),
    };
    const walked = { folder, known, real };
    // What was looked at need not stay: of a million links there would be two trees.
    const parts: AsyncIterable<readonly SeenEntry[]> =
      prefix === '' && ahead !== undefined ? ahead.parts(scan) : scanInParts(folder, scan);
    for await (const part of parts) {
      for (const entry of part) {
        if (pace.due()) await pace.rest();
        const path = joinPath(prefix, entry.path);
        if (facts) seen.set(path, { ...entry, path });
        const isStraight = entry.type === 'symlink' && prefix === '' && rule !== 'never';
        const home = isStraight ? targets.home(path, entry.target) : undefined;
        if (home?.immutable) {
          const link = ownLink(path, home);
          const shows = entry.type === 'symlink' ? entry.shows : undefined;
          if (shows !== undefined) {
            if (!remembered.isOpen(link.project)) await remembered.open(link.project);
            if (remembered.has(link, shows)) link.isRight = true;
          }
          add(link, real);
        } else await addEntry(path, entry, walked);
      }
    }
  };

  const addEntry = async (path: string, entry: Entry, { folder, known, real }: Walked) => {
    // No version holds it, and a kernel may not take its path: it is not looked at.
    const isTooLong = path.length > MAX_KEY_BYTES;
    if (entry.type === 'file') {
      const copy = isTooLong ? undefined : await known?.find(entry.path);
      if (copy === undefined) add({ type: 'file', path, size: entry.size }, real);
      else addCopy(path, entry.size, copy, real);
    } else if (entry.type === 'special') add({ type: 'special', path }, real, faultOf('special'));
    else if (entry.type === 'symlink') {
      if (isTooLong) add({ type: 'symlink', path, target: entry.target }, real, faultOfName(path));
      else await addSymlink(path, entry, folder, real);
    }
  };

  const addSymlink = async (path: string, entry: SymlinkEntry, folder: string, real: readonly string[]) => {
    const resolution = buckets.resolve(placeIn(folder, parentPath(entry.path)), entry.target);
    if (keepSymlinks && isKept(folder, entry, resolution, buckets, clone)) {
      return add({ type: 'symlink', path, target: versionText(entry.target), isKept: true }, real);
    }
    const link = placeIn(folder, entry.path);
    const astray = findAstray(folder, entry, resolution);
    if (astray !== undefined) {
      return add({ type: 'symlink', path, target: entry.target }, real, { ...faultOf('astray'), astray });
    }
    // Only what versions say is there: the other clients' files stand between the version's own.
    const isVersions = resolution.type === 'inside' && !(rule === 'never' && statThrough(link)?.isFile());
    const found = isVersions ? await targets.find(resolution.parts, { changing: true }) : [];
    const canLink = rule !== 'never' && found[0]?.final === true;
    if (found.length === 0 || (rule === 'always' && !canLink)) {
      return addForeign(path, entry, folder, resolution, real);
    }
    for (const target of found) {
      const at = joinPath(path, target.below);
      if (target.below !== '' && isIgnored(at)) continue;
      const linked = linkOf(at, target, 'symlink', undefined, buckets.isSite(resolution));
      add(canLink ? linked : withContent(linked, placeIn(link, target.below)), real);
    }
  };

  /** Adds a symlink that leads to no file of a version: what it leads to is the upload's. */
  const addForeign = async (
    path: string,
    entry: SymlinkEntry,
    folder: string,
    resolution: Resolution,
    real: readonly string[],
  ) => {
    const found = { type: 'symlink', path, target: entry.target } as const;
    const refuse = (kind: Parameters<typeof faultOf>[0]) => add(found, real, faultOf(kind));
    if (rule === 'always') return refuse('unlinked');
    if (resolution.type === 'loop') return refuse('loop');
    const link = placeIn(folder, entry.path);
    const stats = statThrough(link);
    if (stats?.isFile()) return add({ ...found, size: stats.size }, real);
    if (stats === undefined) return refuse(resolution.type === 'inside' ? 'lost' : 'dangling');
    if (!stats.isDirectory()) return refuse('no-file');
    const place = realPath(link);
    const around = placeIn(folder, parentPath(entry.path));
    if ([around, ...real].some((at) => liesIn(at, place))) return refuse('circle');
    add(found, real);
    if (facts) seen.set(path, { type: 'directory', path, ...readFacts(place).facts });
    await addTree(path, place, [...real, place]);
  };

  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  await addTree('', root, [root]);
  options.onEvent?.({ type: 'end', task: 'scan' });
  return { entries, seen, ...(rules !== undefined && { ignored }) };
}

/** Whether it would be a file of a version, whatever its name. */
function isInVersion(entry: Found): boolean {
  return entry.type !== 'symlink' || entry.size !== undefined || entry.isKept === true;
}

function linkOf(
  path: string,
  { file, size, md5sum, source }: LinkTarget,
  how: FoundLink['how'],
  seen?: Fingerprint,
  inSite = false,
): FoundLink {
  // Nearly all stand where their version has them: one text is enough for both.
  const at = path === file.path ? file.path : path;
  const link: FoundLink = { type: 'link', path: at, file, size, md5sum, project: source, how };
  return seen === undefined && !inSite
    ? link
    : { ...link, ...(seen !== undefined && { seen }), ...(inSite && { inSite }) };
}

/** Gives the link to the file of a version that stands at the path of that file, of which nobody knows yet whether it is right. */
function ownLink(path: string, { ref, manifest, isSite }: Home): FoundLink & { isRight?: true } {
  const entry = manifest[path];
  if (entry === undefined) throw new Error(`${path} is no file of the version`);
  const { size, md5sum } = entry;
  const file = fileOf(ref, path);
  const link: FoundLink = { type: 'link', path, file, size, md5sum, project: entryProject(ref, entry), how: 'symlink' };
  return isSite ? { ...link, inSite: true } : link;
}

/** Has the content of a cached file sent, which a link at this place leads to. */
function withContent(link: FoundLink, place: string): FoundLink {
  const stats = statThrough(place);
  return stats?.isFile() ? { ...link, sent: stats.size } : { ...link, sent: link.size, isMissing: true };
}
