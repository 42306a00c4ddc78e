import { versionText } from './link-text.ts';
import { type FileList, type Manifest, selectEntries } from './manifest.ts';
import { knownFile, listFiles } from './manifest-tree.ts';
import { comparePaths, type DirectoryEntry, isBelow, type KnownFile, withDirectories } from './tree.ts';
import { type RecordEntry, type RecordSymlink, TREE_RECORD, type TreeRecord } from './tree-record.ts';

export type VersionEntry = KnownFile | RecordSymlink | DirectoryEntry;

/** A version as the folder that it was. */
export interface VersionTree {
  /** Its files without the record, its symlinks, and all its folders, in the order of `comparePaths`. */
  readonly entries: readonly VersionEntry[];
  /** What the record says and the manifest does not bear out, which is left out. */
  readonly stale: readonly StaleEntry[];
}

/** An entry of a record that the version's files contradict, since somebody published them without making the record anew. */
export interface StaleEntry {
  readonly path: string;
  /** The end of a sentence that begins with the path. */
  readonly why: string;
}

/** Gives the files that a version's folder has: all but the record; the manifest itself where there is none. */
export function withoutRecord(manifest: Manifest): Manifest {
  return TREE_RECORD in manifest ? selectEntries(manifest, (_, path) => path !== TREE_RECORD) : manifest;
}

/** Gives files of a version without its record: that is counted nowhere, since it stands for what is no file. */
export function ownFiles<File extends { readonly path: string }>(files: readonly File[]): File[] {
  return files.filter(({ path }) => path !== TREE_RECORD);
}

/** What a version has beside files: its symlinks, and the folders in which nothing is. */
export type OwnEntry = RecordSymlink | DirectoryEntry;

/** What a folder has of a version. */
export interface FolderTree {
  /** Its files, without the record. */
  readonly manifest: Manifest;
  /** By path; empty where the version has no record. */
  readonly own: ReadonlyMap<string, OwnEntry>;
}

/** Whether an entry is a symlink with this text, as it stands in a folder. */
export function isSymlinkTo(entry: OwnEntry | undefined, target: string): boolean {
  return entry?.type === 'symlink' && entry.target === versionText(target);
}

export function ownEntries({ entries }: VersionTree): ReadonlyMap<string, OwnEntry> {
  const own = new Map<string, OwnEntry>();
  for (const [at, entry] of entries.entries()) {
    const isKnown =
      entry.type === 'file' || (entry.type === 'directory' && isBelow(entries[at + 1]?.path ?? '', entry.path));
    if (!isKnown) own.set(entry.path, entry);
  }
  return own;
}

/** Puts a version's files and its record together; where they contradict each other, the manifest is right. */
export function versionTree(manifest: Manifest, record?: TreeRecord): VersionTree {
  return treeOfFiles(listFiles(manifest), record);
}

/** Puts the same together of files that are a list. */
export function treeOfFiles(files: FileList, record: TreeRecord = { entries: [] }): VersionTree {
  const stale: StaleEntry[] = [];
  return { entries: withDirectories(mergeRecord(ownFiles(files), record, stale)), stale };
}

function* mergeRecord(files: FileList, record: TreeRecord, stale: StaleEntry[]): Generator<VersionEntry> {
  let at = 0;
  // Both are sorted: what lies below a file or a symlink follows it directly.
  for (const entry of record.entries) {
    for (let file = files[at]; file !== undefined && isBefore(file.path, entry.path); file = files[at]) {
      yield knownFile(file);
      at++;
    }
    const file = files[at];
    const why = contradiction(entry, files[at - 1]?.path, file?.path);
    if (why !== undefined) stale.push({ path: entry.path, why });
    else if (entry.type !== 'file') yield entry;
    else if (file !== undefined) {
      yield knownFile(file, entry);
      at++;
    }
  }
  for (const file of files.slice(at)) yield knownFile(file);
}

function isBefore(path: string, other: string): boolean {
  return path !== other && comparePaths(path, other) < 0;
}

/** Says how a version's files contradict an entry; of these, `next` is the first that does not stand before the entry. */
function contradiction(
  { type, path }: RecordEntry,
  previous: string | undefined,
  next: string | undefined,
): string | undefined {
  const kind = type === 'directory' ? 'folder' : type;
  if (next === path) {
    return type === 'file' ? undefined : `is a ${kind} in the tree record, and a file of the version`;
  }
  if (type === 'file') return 'is a file in the tree record, and none of the version';
  if (type === 'symlink' && next !== undefined && isBelow(next, path)) {
    return 'is a symlink in the tree record, and the version has files below it';
  }
  if (previous !== undefined && isBelow(path, previous)) {
    return `is a ${kind} in the tree record, below what is a file of the version`;
  }
  return undefined;
}
