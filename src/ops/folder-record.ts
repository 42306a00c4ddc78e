import { join, relative, sep } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { meantMode } from '../model/modes.ts';
import { type RecordSource, recordFor } from '../model/record-for.ts';
import { sameVersion } from '../model/refs.ts';
import { type Entry, type EntryFacts, entryAt, factsOf, isBelow, joinPath } from '../model/tree.ts';
import { type RecordSymlink, TREE_RECORD, type TreeRecord } from '../model/tree-record.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import { statThrough } from '../tree/stat-through.ts';
import { cloneAround, type FoundClone } from './find-clone.ts';
import type { Found } from './found.ts';
import type { SymlinkRule } from './kept-symlinks.ts';
import { completeTree, type LoadedTree, loadTree } from './load-tree.ts';
import { readStandingRecord } from './standing-record.ts';
import { isStored, storedManifest } from './stored-manifest.ts';
import type { LoadOptions, VersionDocuments } from './version-documents.ts';

/** The version of the clone that a folder is or lies in. */
export interface FolderBase extends LoadedTree {
  /** The real path of the clone. */
  readonly clone: string;
  /** Which folder of the version it is; empty for its root. */
  readonly below: string;
  /** Symlinks of the version that could not be made in the clone, by their paths in the folder. */
  readonly notMade: readonly RecordSymlink[];
}

/** What makes a folder keep its symlinks. */
export interface FolderRecord {
  /** The version of its clone, which has a tree record; absent where the folder has one itself. */
  readonly base?: FolderBase;
}

/**
 * Finds out whether a folder, given by its real path, has a tree record: the version of the clone that it is or lies in has
 * one, or it stands in the folder. Throws `invalid-tree` if what stands there is none. Asks the registry only for a record
 * that the cache has not got.
 */
export async function findFolderRecord(
  ctx: Context,
  root: string,
  options: LoadOptions,
): Promise<FolderRecord | undefined> {
  const clone = await cloneAround(ctx, root, options);
  const isBase = clone !== undefined && (await isStored(ctx, clone.ref, TREE_RECORD));
  return checkRecord(root, isBase ? await loadBase(ctx, clone, root, options) : undefined);
}

/** Does the same for a clone whose version's documents are at hand. */
export async function findCloneRecord(
  ctx: Context,
  clone: FoundClone,
  documents: VersionDocuments,
  options: LoadOptions,
): Promise<FolderRecord | undefined> {
  const isBase = TREE_RECORD in documents.manifest;
  const base = isBase ? baseIn(await completeTree(ctx, documents, options), clone, clone.root) : undefined;
  return checkRecord(clone.root, base);
}

function checkRecord(root: string, base: FolderBase | undefined): FolderRecord | undefined {
  const isThere = checkStandingRecord(root, base !== undefined);
  return base === undefined && !isThere ? undefined : { ...(base !== undefined && { base }) };
}

/** Gives the version of the clone that a folder, given by its real path, is or lies in, if the cache has its manifest. */
export async function findFolderBase(
  ctx: Context,
  root: string,
  options: LoadOptions,
): Promise<FolderBase | undefined> {
  const clone = await cloneAround(ctx, root, options);
  const isKnown = clone !== undefined && (await storedManifest(ctx, clone.ref)) !== undefined;
  return isKnown ? loadBase(ctx, clone, root, options) : undefined;
}

async function loadBase(ctx: Context, clone: FoundClone, root: string, options: LoadOptions): Promise<FolderBase> {
  return baseIn(await loadTree(ctx, clone.ref, options), clone, root);
}

function baseIn(loaded: LoadedTree, { root: clone, receipt }: FoundClone, folder: string): FolderBase {
  const below = relative(clone, folder).split(sep).join('/');
  const notMade = (receipt.notMade ?? []).flatMap((path): RecordSymlink[] => {
    const entry = entryAt(loaded.tree.entries, path);
    if (entry?.type !== 'symlink' || !isBelow(path, below)) return [];
    return [{ ...entry, path: below === '' ? path : path.slice(below.length + 1) }];
  });
  return { ...loaded, clone, below, notMade };
}

/** Whether a tree record stands in a folder. A link to that of a version, which has been read, may dangle. */
function checkStandingRecord(root: string, isKnown: boolean): boolean {
  const place = join(root, TREE_RECORD);
  if (statIfThere(place) === undefined) return false;
  if (!isKnown || statThrough(place) !== undefined) readStandingRecord(place);
  return true;
}

/** Says what becomes of a folder's symlinks if nobody says it: they are kept where a record says that they were. */
export function symlinkRule(given: SymlinkRule | undefined, record: FolderRecord | undefined): SymlinkRule {
  return given ?? (record === undefined ? 'follow' : 'keep');
}

/** Makes the record of what was read of a folder anew; nothing where symlinks are followed, or nothing needs one. */
export function recordOf(
  found: readonly Found[],
  record: FolderRecord | undefined,
  rule: SymlinkRule,
): TreeRecord | undefined {
  if (rule === 'follow') return undefined;
  const toSource = createSources(record?.base);
  return recordFor(
    found.flatMap((entry) => toSource(entry) ?? []),
    record !== undefined,
  );
}

/**
 * Says of what is in a folder what it would be in a version. What a clone cannot keep as it is, for it has links for files, is as its
 * version's.
 */
export function createSources(base: FolderBase | undefined): (found: Found) => RecordSource | undefined {
  const known = new Map(base?.tree.entries.map((entry) => [entry.path, entry]));
  return (found) => toSource(found, known, base);
}

function toSource(
  found: Found,
  known: ReadonlyMap<string, VersionEntry>,
  base: FolderBase | undefined,
): RecordSource | undefined {
  const { type, path } = found;
  const before = base === undefined ? undefined : known.get(joinPath(base.below, path));
  if (type === 'special') return undefined;
  if (type === 'directory') return { type, path, ...factsIn(found, before?.type === type ? before : undefined) };
  if (type === 'symlink' && found.isKept) {
    const { target, mtime } = found;
    const isSame = before?.type === 'symlink' && before.target === target;
    const targetType = isSame && found.leadsOut ? before.targetType : (found.targetType ?? 'unknown');
    return { type, path, target, targetType, ...(mtime !== undefined && { mtime }) };
  }
  const size = found.size ?? 0;
  if (type !== 'link')
    return { type: 'file', path, size, ...factsIn(found, before?.type === 'file' ? before : undefined) };
  const linked = base !== undefined && sameVersion(found.file, base.ref) ? known.get(found.file.path) : undefined;
  if (found.how !== 'copy') return { type: 'file', path, size, ...factsOf(linked ?? {}) };
  return { type: 'file', path, size, ...factsIn(found, linked) };
}

/** A mode that says nothing but who may run it is the version's, where that says the same of that. */
function factsIn(own: EntryFacts, before: Entry | undefined): EntryFacts {
  if (before?.type !== 'file' && before?.type !== 'directory') return factsOf(own);
  if (own.mode === undefined) return factsOf(own);
  return factsOf({ mtime: own.mtime, mode: meantMode(own.mode, before) });
}
