import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { ifReachable } from '../cache/if-reachable.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import type { Content } from '../model/content.ts';
import { inodeId } from '../model/fingerprint.ts';
import { placeIn } from '../model/local-path.ts';
import { type FileRef, fileOf } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { type DirectoryEntry, joinPath, parentPath, type SymlinkEntry } from '../model/tree.ts';
import type { RecordSymlink } from '../model/tree-record.ts';
import { isSymlinkTo } from '../model/version-tree.ts';
import { readTargetType } from '../tree/entry-facts.ts';
import { createPlaces } from '../tree/places.ts';
import { isShortLived } from '../tree/put-file.ts';
import { scanInParts } from '../tree/scan.ts';
import type { FolderVersion } from './cloned-version.ts';
import { digestFiles } from './digest-files.ts';
import { fileChanged } from './file-changed.ts';
import { isKept } from './is-kept.ts';
import { createLinkTargets } from './link-targets.ts';
import { watchBuckets } from './watch-buckets.ts';

/** A file of a clone, as it is to be exported. */
export interface ExportedFile {
  readonly type: 'file';
  readonly path: string;
  /** Units: bytes */
  readonly size: number;
  readonly md5sum: string;
  /** Where its bytes are: in the folder itself, or in a cache; nothing if they are in none. */
  readonly at?: 'folder' | 'cache' | 'site';
  /** The version's file that it is, if it is a link. */
  readonly file?: FileRef;
  /** Of one of the folder's own. */
  readonly mode?: number;
  readonly isExecutable?: true;
}

/** Symlinks are kept as they are where the version of a clone has a tree record. */
export type ExportedEntry = DirectoryEntry | RecordSymlink | ExportedFile;

/** What a folder holds, in the order of `comparePaths`. */
export interface ExportReading {
  readonly entries: readonly ExportedEntry[];
  /** What is no file of the folder nor of the cache, as lines for people. */
  readonly faults: readonly string[];
}

/** What of a version a folder is. */
export interface Origin {
  readonly version: FolderVersion;
  /** The real path of the clone. */
  readonly cloneRoot: string;
  /** Which folder of the version; empty for its root. */
  readonly below: string;
}

interface LocalFile {
  readonly type: 'local';
  readonly path: string;
  readonly size: number;
  readonly isExecutable: boolean;
  readonly mode: number;
}

/**
 * Reads a folder of a clone as it stands, given by its real path: with its own files, what its links into the cache lead to,
 * folders that are empty, and other symlinks where the version has a tree record. No other link is followed. What a killed
 * process has left behind is left out.
 */
export async function readExport(
  ctx: Context,
  root: string,
  { version: { ref, summary, whole, tree, own }, cloneRoot, below }: Origin,
  options: CallOptions,
): Promise<ExportReading> {
  const entries: (ExportedEntry | LocalFile)[] = [];
  const faults: string[] = [];
  const targets = createLinkTargets(ctx, options, [{ ref, summary, manifest: whole }]);
  const buckets = watchBuckets(ctx);
  const places = createPlaces(root);
  const pace = createPace(options.signal);

  const addLinked = async (path: string, file: FileRef, { size, md5sum }: Content, inSite: boolean) => {
    const at = await findSource(ctx, file, inSite);
    // Written out: where objects are spread, a million take 200 MiB more.
    if (at === undefined) entries.push({ type: 'file', path, size, md5sum, file });
    else entries.push({ type: 'file', path, size, md5sum, file, at });
  };

  const findTarget = ({ project, asset, version, path }: FileRef) =>
    targets.find([project, asset, version, ...path.split('/')], { changing: true });

  const addFile = async (path: string) => {
    const stats = statIfThere(places.to(path));
    if (!stats?.isFile()) throw fileChanged(join(root, path), undefined);
    const published = { ...ref, path: joinPath(below, path) };
    const isCached = stats.nlink > 1 && isInode(ctx.cache.layout.file(published), stats);
    const [target] = isCached ? await findTarget(published) : [];
    if (target !== undefined) await addLinked(path, target.file, target, false);
    else {
      const mode = stats.mode & 0o777;
      entries.push({ type: 'local', path, size: stats.size, isExecutable: (mode & 0o111) !== 0, mode });
    }
  };

  const addSymlink = async ({ path, target: text }: SymlinkEntry) => {
    const published = joinPath(below, path);
    const home = targets.home(published, text);
    const file = home?.manifest[published];
    if (home !== undefined && file !== undefined) {
      return addLinked(path, fileOf(home.ref, published), file, home.isSite);
    }
    const to = buckets.resolve(placeIn(root, parentPath(path)), text);
    const entry = { type: 'symlink', path: published, target: text } as const;
    const isOwn = isSymlinkTo(own.get(entry.path), text);
    if (isOwn || (tree !== undefined && isKept(cloneRoot, entry, to, buckets))) {
      entries.push({ type: 'symlink', path, target: text, targetType: readTargetType(places.to(path)) });
      return;
    }
    const found = to.type === 'inside' ? await targets.find(to.parts, { changing: true }) : [];
    for (const target of found) {
      await addLinked(joinPath(path, target.below), target.file, target, buckets.isSite(to));
    }
    if (found.length === 0)
      faults.push(`${showText(path)} is a symlink that leads to no file of a version in the cache`);
  };

  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  try {
    for await (const part of scanInParts(root, { ...options, sizes: false, skip: isShortLived })) {
      for (const entry of part) {
        if (pace.due()) await pace.rest();
        if (entry.type === 'directory') entries.push(entry);
        else if (entry.type === 'file') await addFile(entry.path);
        else if (entry.type === 'symlink') await addSymlink(entry);
        else faults.push(`${showText(entry.path)} is neither a file nor a folder nor a link`);
      }
    }
    options.onEvent?.({ type: 'end', task: 'scan' });
    return { entries: faults.length > 0 ? [] : await digestLocal(ctx, root, entries, options), faults };
  } finally {
    places.close();
  }
}

const OWN = ['cache'] as const;
const BOTH = ['site', 'cache'] as const;

/** Says in which cache a file is: in that to which a link leads, or else in the user's own; nothing if it is in neither. */
async function findSource(ctx: Context, file: FileRef, inSite: boolean): Promise<'cache' | 'site' | undefined> {
  for (const at of inSite ? BOTH : OWN) {
    const place = ctx[at]?.layout.file(file);
    if (place !== undefined && (await ifReachable(() => statIfThere(place)))?.isFile()) return at;
  }
  return undefined;
}

/** Gives where the bytes of a file of a folder are, an absolute path. */
export function sourceOf(ctx: Context, root: string, { path, at, file }: ExportedFile): string {
  if (at === 'folder') return join(root, path);
  const source = at === undefined || file === undefined ? undefined : ctx[at]?.layout.file(file);
  if (source === undefined) throw new Error(`${path} has no source`);
  return source;
}

function isInode(path: string, stats: Stats): boolean {
  const other = statIfThere(path);
  return other !== undefined && inodeId(other) === inodeId(stats);
}

/** Finds out what a folder's own files hold. */
async function digestLocal(
  ctx: Context,
  root: string,
  entries: readonly (ExportedEntry | LocalFile)[],
  options: CallOptions,
): Promise<ExportedEntry[]> {
  const local = entries.filter((entry) => entry.type === 'local');
  const sources = local.map((file) => ({ ...file, source: join(root, file.path) }));
  const digests = new Map((await digestFiles(ctx, sources, options)).map((file) => [file.path, file]));
  return entries.map((entry) => {
    if (entry.type !== 'local') return entry;
    const { path, size, isExecutable, mode } = entry;
    const { md5sum } = digests.get(path) ?? {};
    if (md5sum === undefined) throw new Error(`${path} was not digested`);
    return { type: 'file', path, size, md5sum, at: 'folder', mode, ...(isExecutable && { isExecutable }) };
  });
}
