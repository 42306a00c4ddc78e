import { type Manifest, selectEntries } from './manifest.ts';
import { manifestTree } from './manifest-tree.ts';
import { comparePaths, type DirectoryEntry, isBelow, type KnownFile, parentPath, withDirectories } from './tree.ts';
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

/** What a version has beside files: its symlinks, and the folders in which nothing is. */
export type OwnEntry = RecordSymlink | DirectoryEntry;

/** What a folder has of a version. */
export interface FolderTree {
  /** Its files, without the record. */
  readonly manifest: Manifest;
  /** By path; empty where the version has no record. */
  readonly own: ReadonlyMap<string, OwnEntry>;
}

/** Whether an entry is a symlink with this text. */
export function isSymlinkTo(entry: OwnEntry | undefined, target: string): boolean {
  return entry?.type === 'symlink' && entry.target === target;
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
export function versionTree(manifest: Manifest, record: TreeRecord = { entries: [] }): VersionTree {
  const files = new Map<string, KnownFile>();
  const folders = new Set<string>();
  for (const file of manifestTree(manifest)) {
    if (file.path === TREE_RECORD) continue;
    files.set(file.path, file);
    for (const folder of foldersAbove(file.path)) {
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  const stale: StaleEntry[] = [];
  const others: (RecordSymlink | DirectoryEntry)[] = [];
  for (const entry of record.entries) {
    const why = contradiction(entry, files, folders);
    const file = files.get(entry.path);
    if (why !== undefined) stale.push({ path: entry.path, why });
    else if (entry.type !== 'file') others.push(entry);
    else if (file !== undefined) files.set(entry.path, { ...entry, ...file });
  }
  const kept: VersionEntry[] = [...files.values(), ...others];
  return { entries: withDirectories(kept.sort((a, b) => comparePaths(a.path, b.path))), stale };
}

function contradiction(
  { type, path }: RecordEntry,
  files: ReadonlyMap<string, KnownFile>,
  folders: ReadonlySet<string>,
): string | undefined {
  const kind = type === 'directory' ? 'folder' : type;
  if (files.has(path))
    return type === 'file' ? undefined : `is a ${kind} in the tree record, and a file of the version`;
  if (type === 'file') return 'is a file in the tree record, and none of the version';
  if (type === 'symlink' && folders.has(path)) {
    return 'is a symlink in the tree record, and the version has files below it';
  }
  for (const folder of foldersAbove(path)) {
    if (folders.has(folder)) return undefined;
    if (files.has(folder)) return `is a ${kind} in the tree record, below what is a file of the version`;
  }
  return undefined;
}

/** Gives the folders that hold a path, the nearest first. */
function* foldersAbove(path: string): Generator<string> {
  for (let folder = parentPath(path); folder !== ''; folder = parentPath(folder)) yield folder;
}
