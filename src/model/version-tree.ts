import { versionText } from './link-text.ts';
import { type Manifest, selectEntries } from './manifest.ts';
import { manifestTree } from './manifest-tree.ts';
import {
  comparePaths,
  type DirectoryEntry,
  type EntryFacts,
  isBelow,
  type KnownFile,
  withDirectories,
} from './tree.ts';
import { type RecordEntry, type RecordSymlink, TREE_RECORD, type TreeRecord } from './tree-record.ts';
import type { Writable } from './writable.ts';

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
export function versionTree(manifest: Manifest, record: TreeRecord = { entries: [] }): VersionTree {
  const files = ownFiles(manifestTree(manifest));
  const entries: VersionEntry[] = [];
  const stale: StaleEntry[] = [];
  let at = 0;
  // Both are sorted: what lies below a file or a symlink follows it directly.
  for (const entry of record.entries) {
    for (let file = files[at]; file !== undefined && comparePaths(file.path, entry.path) < 0; file = files[at]) {
      entries.push(file);
      at++;
    }
    const file = files[at];
    const why = contradiction(entry, files[at - 1], file);
    if (why !== undefined) stale.push({ path: entry.path, why });
    else if (entry.type !== 'file') entries.push(entry);
    else if (file !== undefined) {
      addFacts(file, entry);
      entries.push(file);
      at++;
    }
  }
  return { entries: withDirectories([...entries, ...files.slice(at)]), stale };
}

/** Says how a version's files contradict an entry; of these, `next` is the first that does not stand before the entry. */
function contradiction(
  { type, path }: RecordEntry,
  previous: KnownFile | undefined,
  next: KnownFile | undefined,
): string | undefined {
  const kind = type === 'directory' ? 'folder' : type;
  if (next?.path === path)
    return type === 'file' ? undefined : `is a ${kind} in the tree record, and a file of the version`;
  if (type === 'file') return 'is a file in the tree record, and none of the version';
  if (type === 'symlink' && next !== undefined && isBelow(next.path, path)) {
    return 'is a symlink in the tree record, and the version has files below it';
  }
  if (previous !== undefined && isBelow(path, previous.path)) {
    return `is a ${kind} in the tree record, below what is a file of the version`;
  }
  return undefined;
}

/** In place, since 75,000 files take 190 ms where objects are spread. */
function addFacts(file: Writable<EntryFacts>, { mode, mtime }: EntryFacts): void {
  if (mode !== undefined) file.mode = mode;
  if (mtime !== undefined) file.mtime = mtime;
}
