import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { fsPath } from '../model/local-path.ts';
import type { TreeChange } from '../model/merge-trees.ts';
import { type FileRef, formatRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { type DirectoryEntry, type EntryFacts, factsOf, isBelow, joinPath } from '../model/tree.ts';
import { TREE_RECORD } from '../model/tree-record.ts';
import type { LocalSource } from '../model/upload-plan.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import { readFacts } from '../tree/entry-facts.ts';
import { isShortLived } from '../tree/put-file.ts';
import { liesIn, realPath } from '../tree/real-path.ts';
import { digestFiles } from './digest-files.ts';
import { findChanged } from './find-changed.ts';
import { createSources, type FolderBase, findFolderBase } from './folder-record.ts';
import { cachedPlace, type Found, type FoundLink } from './found.ts';
import { checkKept, withFacts } from './kept-symlinks.ts';
import type { Origin } from './publish-tree.ts';
import type { PutSource } from './put-source.ts';
import { type Reading, readFolder } from './read-folder.ts';
import { isRescuable } from './rescue-edits.ts';
import { saveFileRefs } from './save-file-refs.ts';
import { notMadeIn } from './standing-record.ts';

export interface ReadPutOptions extends CallOptions {
  followLinks: boolean;
  /** Follow no symlink out of the folder. */
  noOutside: boolean;
  /** Says of paths below the folder that they are left out, with all below. */
  isExcluded: (path: string, isFolder: boolean) => boolean;
}

/** What a folder or file would be in a version, by paths there. */
export interface PutReading {
  readonly entries: readonly VersionEntry[];
  readonly origins: ReadonlyMap<string, Origin>;
  /** What cannot be in a version, and why. */
  readonly faults: readonly TreeChange[];
  /** How many symlinks were followed out of the folder. */
  readonly outside: number;
  /** Links that were edited through, each a fault, of which files of the folder can be made. */
  readonly rescuable: readonly FoundLink[];
}

/** Reads what is to be put, digests its files, and says of what cannot be read or published why. */
export async function readPut(
  ctx: Context,
  put: PutSource,
  { followLinks, noOutside, isExcluded, ...options }: ReadPutOptions,
): Promise<PutReading> {
  const { root, name, path: top } = put;
  const inVersion = (path: string) => (path === name ? top : joinPath(top, path));
  const entries: VersionEntry[] = [];
  const origins = new Map<string, Origin>();
  const faults: TreeChange[] = [];
  const sources: (LocalSource & { facts: EntryFacts })[] = [];
  const missing: FileRef[] = [];
  /** Symlinks behind which nothing is taken. */
  const bars: string[] = [];
  let outside = 0;

  const refuse = (path: string, type: TreeChange['type'], why: string) =>
    faults.push({ sign: 'E', path: inVersion(path), ...(type !== undefined && { type }), why });

  const how = { followLinks, isExcluded };
  const { reading, found, base, unreadable } = await readSource(ctx, put, how, options);
  for (const path of unreadable) refuse(path, 'directory', 'cannot be read');
  const toSource = createSources(base);
  const edited = await findEdited(ctx, found, options);
  const rescuable = edited.filter((link) => isRescuable(root, link));
  const isEdited = new Set<Found>(edited);
  const isSaved = new Set<Found>(rescuable);

  const folder = (entry: DirectoryEntry): DirectoryEntry => ({
    type: 'directory',
    path: entry.path,
    ...factsOf(toSource(entry) ?? {}),
  });

  const addFile = (path: string, size: number, facts: EntryFacts) => {
    const source = join(root, path);
    if (isReadable(source)) sources.push({ path: inVersion(path), source, size, facts });
    else refuse(path, 'file', 'cannot be read');
  };

  const addFound = (found: Found) => {
    const { path } = found;
    // Folders are told of apart: names that no version can have are judged of all entries at once.
    if (found.type === 'directory' || bars.some((bar) => isBelow(path, bar))) return;
    if (name === undefined && isOwnRecord(found)) return;
    if (found.fault !== undefined) return void refuse(path, typeOf(found), found.fault.why);
    if (found.type === 'link' && isEdited.has(found)) {
      return void refuse(path, 'file', describeEdit(found, isSaved.has(found)));
    }
    const source = toSource(found);
    if (source?.type === 'symlink') return void entries.push({ ...source, path: inVersion(path) });
    const facts = factsOf(source ?? {});
    if (found.type === 'symlink' && isOutside(root, path)) {
      outside++;
      if (noOutside) {
        bars.push(path);
        return void refuse(path, 'symlink', 'is a symlink that leads out of the folder');
      }
    }
    if (found.type === 'file') addFile(path, found.size, facts);
    else if (found.type === 'symlink' && found.size !== undefined)
      addFile(path, found.size, factsThrough(join(root, path)));
    else if (found.type === 'link' && found.sent !== undefined) {
      if (found.isMissing) missing.push(found.file);
      sources.push({ path: inVersion(path), source: join(root, path), size: found.sent, facts });
    } else if (found.type === 'link') addLink(found, facts);
  };

  const addLink = ({ path, file, size, md5sum, seen }: FoundLink, facts: EntryFacts) => {
    const digest = { algorithm: 'md5', hex: md5sum } as const;
    entries.push({ type: 'file', path: inVersion(path), size, digest, ...facts });
    origins.set(inVersion(path), { link: file, source: join(root, path), ...(seen !== undefined && { seen }) });
  };

  if (top !== '' && name === undefined)
    entries.push({ ...folder({ type: 'directory', path: '', ...readFacts(root).facts }), path: top });
  for (const entry of found) addFound(entry);
  for (const entry of foldersOf(reading)) {
    if (bars.some((bar) => bar === entry.path || isBelow(entry.path, bar))) continue;
    entries.push({ ...folder(entry), path: inVersion(entry.path) });
  }
  await saveFileRefs(ctx, missing, options);
  const digested = await digestFiles(ctx, sources, options);
  for (const [index, { path, size, md5sum, source }] of digested.entries()) {
    entries.push({ type: 'file', path, size, digest: { algorithm: 'md5', hex: md5sum }, ...sources[index]?.facts });
    origins.set(path, { source });
  }
  return { entries, origins, faults, outside, rescuable };
}

/** What is in a folder, or the one file of it that is put, before anything is made of it. */
interface SourceReading {
  readonly reading: Reading;
  readonly found: readonly Found[];
  /** The version of the clone that the folder is or lies in. */
  readonly base: FolderBase | undefined;
  /** Folders that cannot be read. */
  readonly unreadable: readonly string[];
}

async function readSource(
  ctx: Context,
  { root, name }: PutSource,
  { followLinks, isExcluded }: Pick<ReadPutOptions, 'followLinks' | 'isExcluded'>,
  options: CallOptions,
): Promise<SourceReading> {
  const base = await findFolderBase(ctx, root, options);
  const unreadable: string[] = [];
  const reading = await readFolder(ctx, root, {
    ...options,
    facts: true,
    keepSymlinks: !followLinks,
    ...(base !== undefined && { clone: base.clone }),
    ignoreFile: name === undefined,
    exclude: (path, isFolder) =>
      (name !== undefined && path !== name && !path.startsWith(`${name}/`)) ||
      isExcluded(path, isFolder) ||
      isShortLived(path),
    onFailure: (path) => unreadable.push(path),
  });
  const rest = { reading, base, unreadable };
  if (followLinks) return { ...rest, found: withFacts(reading, []) };
  const own = reading.entries.some(isOwnRecord) ? notMadeIn(root) : [];
  const notMade =
    name === undefined ? [...(base?.notMade ?? []), ...own].filter(({ path }) => !isExcluded(path, false)) : [];
  return { ...rest, found: checkKept(withFacts(reading, notMade), 'keep') };
}

/** Says of a link that was edited through what can be done about it. */
function describeEdit({ path, file, inSite }: FoundLink, isRescuable: boolean): string {
  const keep = isRescuable
    ? 'publish the edit with --rescue (in programs: rescue)'
    : 'replace the folder that it stands in, which is a link itself, by a folder of links to its files';
  const undo = inSite ? `gypsum fetch ${showText(path)}, in the folder` : `gypsum save ${formatRef(file)}`;
  return `was edited through its link, in the cache: ${keep}; if it is not wanted: ${undo}`;
}

function typeOf({ type }: Found): TreeChange['type'] {
  return type === 'link' ? 'file' : type;
}

/** The record that is in the folder is left out: a new one is made. */
function isOwnRecord({ path }: Found): boolean {
  return path === TREE_RECORD;
}

/** Gives what is known of the file that a symlink leads to. */
function factsThrough(link: string): EntryFacts {
  return readFacts(realPath(link)).facts;
}

function isReadable(file: string): boolean {
  try {
    accessSync(fsPath(file), constants.R_OK);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) return false;
    throw error;
  }
}

function isOutside(root: string, path: string): boolean {
  return !liesIn(realPath(join(root, path)), root);
}

function* foldersOf({ seen }: Reading) {
  for (const entry of seen.values()) if (entry.type === 'directory') yield entry;
}

async function findEdited(
  ctx: Context,
  entries: readonly Found[],
  options: CallOptions,
): Promise<readonly FoundLink[]> {
  const links = entries.filter((entry) => entry.type === 'link');
  const shared = links.filter(({ fault, how }) => fault === undefined && how !== 'copy');
  return findChanged(ctx, shared, (link) => cachedPlace(ctx, link), options);
}
