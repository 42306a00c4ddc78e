import { dirname, relative, sep } from 'node:path';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { type Count, countFiles } from '../model/count.ts';
import type { ChangeCounts } from '../model/file-change.ts';
import { manifestFiles, manifestTree } from '../model/manifest-tree.ts';
import type { VersionRef } from '../model/refs.ts';
import { showLines, showText } from '../model/text.ts';
import { type DirectoryEntry, isBelow, joinPath, type KnownFile, withDirectories } from '../model/tree.ts';
import type { StaleEntry } from '../model/version-tree.ts';
import { diffTrees } from '../tree/diff-trees.ts';
import type { FileOf } from '../tree/step.ts';
import type { TarEntry } from '../tree/write-tar.ts';
import { checkCollisions } from './check-collisions.ts';
import { checkFolder } from './check-folder.ts';
import { makeFolders, removeFolders } from './clone-destination.ts';
import { type FolderVersion, loadFolderVersion } from './cloned-version.ts';
import { checkExportDestination } from './export-destination.ts';
import { findClone } from './find-clone.ts';
import {
  type ExportedEntry,
  type ExportedFile,
  type ExportReading,
  type Origin,
  readExport,
  sourceOf,
} from './read-export.ts';
import { refusedSymlink } from './refused-symlink.ts';
import { run } from './run.ts';
import type { SaveOptions } from './save-contents.ts';
import { saveFileRefs } from './save-file-refs.ts';
import type { VersionDocuments } from './version-documents.ts';
import { isTar, writeExport } from './write-export.ts';

export interface ExportOptions extends SaveOptions {
  /** Fetch what links lead to and is not in the cache; without it, that is an error. @default false */
  fetch?: boolean;
}

export interface ExportResult extends VersionRef, Count {
  /** The real path of what was exported. */
  readonly directory: string;
  /** The absolute path of the folder, or tar file, that was made. */
  readonly destination: string;
  /** Symlinks among what was exported; absent where none are. */
  readonly symlinks?: number;
  /** Symlinks that are refused at the destination, and how. Absent where none are. */
  readonly notLaidOut?: readonly StaleEntry[];
  /** How its files differ from the version's. */
  readonly changes: ChangeCounts;
}

/**
 * Makes a folder, or a tar file where the destination ends with `.tar`, of a clone as it stands, or of a folder in one: with
 * the content of files where it has links, each verified against its version's manifest while it is copied, and with the
 * folder's own files as they are. Executable files stay executable; where the version has a tree record, symlinks that do not lead into
 * the cache are symlinks there too, and files and folders have its permissions. A tar file's entries all have the time of the version.
 *
 * Throws `invalid-tree` for links to anything but files of versions in the cache, `not-found` if one of those is not there,
 * `wrong-content` if one is not what it must be, and `destination-refused` for a destination that is there already. All of
 * it is made or nothing.
 */
export async function exportClone(
  ctx: Context,
  directory: string,
  destination: string,
  { fetch = false, ...options }: ExportOptions = {},
): Promise<ExportResult> {
  const root = checkFolder(directory, 'Give the folder of a clone, or one in it.');
  const place = checkExportDestination(ctx, root, destination);
  return run(ctx, options, async () => {
    const clone = await findClone(ctx, root, options);
    const version = await loadFolderVersion(ctx, clone.ref, options);
    const { ref } = version;
    const below = relative(clone.root, root).split(sep).join('/');
    const origin = { version, cloneRoot: clone.root, below };
    const hasOwnModes = clone.receipt.mode === 'copy' || clone.receipt.mode === 'reflink';
    const rights = createRights(origin, hasOwnModes);
    const notLaidOut: StaleEntry[] = [];
    const { entries } = await readSound(ctx, root, origin, fetch, options);
    const files = entries.filter((entry) => entry.type === 'file');
    checkNames(place, entries);
    const locate = (file: ExportedFile) => sourceOf(ctx, root, file);
    const made = makeFolders(dirname(place));
    try {
      await checkCollisions(ref, [...pathsOf(entries)], dirname(place));
      const all = withDirectories(entries);
      const steps = stepsOf(all, rights, locate);
      const onRefused = (path: string, error: Error) => void notLaidOut.push(refusedSymlink(path, error));
      const what = { place, steps, length: all.length, files, locate, mtime: timeOf(version) };
      await writeExport(what, { ...options, onRefused });
    } catch (error) {
      removeFolders(made);
      throw error;
    }
    if (notLaidOut.length > 0) options.onEvent?.({ type: 'left-out', ref, entries: notLaidOut });
    const { counts } = await diffTrees(filesBelow(version, below), knownFiles(files));
    const symlinks = entries.filter(({ type }) => type === 'symlink').length;
    return {
      ...ref,
      ...countFiles(files),
      ...(symlinks > 0 && { symlinks }),
      ...(notLaidOut.length > 0 && { notLaidOut }),
      directory: root,
      destination: place,
      changes: counts,
    };
  });
}

/** How many entries a message names; `details` has all. */
const NAMED = 10;

/** Reads a folder all of whose files are to be had, or throws naming those that are not. */
async function readSound(
  ctx: Context,
  root: string,
  origin: Origin,
  fetch: boolean,
  options: SaveOptions,
): Promise<ExportReading> {
  const reading = await readExport(ctx, root, origin, options);
  const { entries, faults } = reading;
  if (faults.length > 0) {
    throw new GypsumError('invalid-tree', `${showText(root)} cannot be exported:${showLines(faults, NAMED)}`, {
      hint: 'Links are followed into the cache only. Put files in the place of others, or remove them.',
      details: { directory: root, faults },
    });
  }
  const missing = entries.filter((entry) => entry.type === 'file').filter(({ at }) => at === undefined);
  if (missing.length === 0) return reading;
  if (fetch) {
    await saveFileRefs(
      ctx,
      missing.flatMap(({ file }) => file ?? []),
      options,
    );
    return readSound(ctx, root, origin, false, options);
  }
  const paths = missing.map(({ path }) => path);
  throw new GypsumError(
    'not-found',
    `${showText(root)} cannot be exported: files that it has links to are not in the cache:${showLines(paths.map(showText), NAMED)}`,
    {
      hint: 'Have them fetched: --fetch (in programs: fetch), or "gypsum fetch" in the folder.',
      details: { directory: root, missing: paths },
    },
  );
}

/** Gives steps when their turn comes, as often as one likes: with those of a million files at once, the peak was 1,300 MiB, not 710. */
function stepsOf(
  entries: readonly ExportedEntry[],
  rights: Rights,
  locate: (file: ExportedFile) => string,
): Iterable<TarEntry> {
  return {
    *[Symbol.iterator]() {
      for (const entry of entries) yield toStep(entry, rights, locate);
    },
  };
}

function toStep(entry: ExportedEntry, rights: Rights, locate: (file: ExportedFile) => string): TarEntry {
  const { path } = entry;
  if (entry.type === 'symlink') return { path, after: entry };
  const permissions = rights.of(entry);
  if (entry.type === 'directory') return { path, after: { type: 'directory', ...permissions } };
  const { size, digest } = knownFile(entry);
  return { path, after: { type: 'file', mode: 'copy', source: locate(entry), size, digest, ...permissions } };
}

function knownFiles(files: readonly ExportedFile[]): Iterable<KnownFile> {
  return {
    *[Symbol.iterator]() {
      for (const file of files) yield knownFile(file);
    },
  };
}

function knownFile({ type, path, size, md5sum }: ExportedFile): KnownFile {
  return { type, path, size, digest: { algorithm: 'md5', hex: md5sum } };
}

/** Knows the permissions of what is exported. */
interface Rights {
  of(entry: DirectoryEntry | ExportedFile): Pick<FileOf, 'permissions' | 'exact'>;
}

/** A file that is as its version's has the permissions of the version's record; one of a clone that `hasOwnModes`, its own. */
function createRights({ version: { manifest, tree }, below }: Origin, hasOwnModes: boolean): Rights {
  const modes = new Map(tree?.entries.flatMap(({ path, mode }) => (mode === undefined ? [] : [[path, mode]])));
  const isAsPublished = ({ path, md5sum }: ExportedFile) => manifest[path]?.md5sum === md5sum;
  return {
    of(entry) {
      const path = joinPath(below, entry.path);
      const isFile = entry.type === 'file';
      const published = !isFile || isAsPublished({ ...entry, path }) ? modes.get(path) : undefined;
      const own = isFile && hasOwnModes && tree !== undefined ? entry.mode : undefined;
      const permissions = own ?? published;
      if (permissions !== undefined) return { permissions, exact: true };
      return isFile && entry.isExecutable === true ? { permissions: 0o755 } : {};
    },
  };
}

function filesBelow({ manifest }: FolderVersion, folder: string): Iterable<KnownFile> {
  if (folder === '') return manifestFiles(manifest);
  const files = manifestTree(manifest);
  const inside = files.filter(({ path }) => isBelow(path, folder));
  return inside.map((file) => ({ ...file, path: file.path.slice(folder.length + 1) }));
}

function* pathsOf(entries: ExportReading['entries']): Generator<string> {
  for (const { path } of entries) yield path;
}

/** Throws `destination-refused` for names that the destination cannot hold. */
function checkNames(place: string, entries: ExportReading['entries']): void {
  const wrong = isTar(place)
    ? entries.flatMap((entry) => {
        const texts = [entry.path, ...(entry.type === 'symlink' ? [entry.target] : [])];
        return texts.filter((text) => !text.isWellFormed()).map((text) => `${showText(text)} is not UTF-8`);
      })
    : [];
  if (wrong.length === 0) return;
  throw new GypsumError(
    'destination-refused',
    `A tar file has names in UTF-8, and these are none:${showLines(wrong, NAMED)}`,
    { hint: 'Rename them, or export to a folder.', details: { destination: place } },
  );
}

/** Gives when a version was finished, without fractions of a second: tar files have none without an extension. */
function timeOf({ summary }: VersionDocuments): Date {
  return new Date(Math.floor((summary.uploadFinish?.getTime() ?? 0) / 1000) * 1000);
}
