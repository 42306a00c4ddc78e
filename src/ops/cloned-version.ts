import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { entryDigest, type Manifest, manifestPaths, selectEntries } from '../model/manifest.ts';
import type { VersionRef } from '../model/refs.ts';
import { type Entry, type KnownFile, withDirectories } from '../model/tree.ts';
import { type FolderTree, ownEntries, type VersionTree, versionTree, withoutRecord } from '../model/version-tree.ts';
import { eachContent, groupContents } from './content-parts.ts';
import { makeExecutables, programsOf } from './executables.ts';
import { loadRecord } from './load-tree.ts';
import { type LoadOptions, loadVersion, type VersionDocuments } from './version-documents.ts';

/** A version as a folder has it: the record of its tree is none of its files. */
export interface FolderVersion extends VersionDocuments, FolderTree {
  /** Its manifest with the record, as the registry has it. */
  readonly whole: Manifest;
  /** Absent where it has no record: then its files are all. */
  readonly tree?: VersionTree;
}

/** A version, and which of its files are wanted in a clone. */
export interface ClonedVersion extends Omit<FolderVersion, 'whole' | 'own'> {
  readonly selected: Manifest;
}

/** Reads a version as a folder has it, or throws what `loadTree` throws. */
export async function loadFolderVersion(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<FolderVersion> {
  const documents = await loadVersion(ctx, ref, options);
  const whole = documents.manifest;
  const record = await loadRecord(ctx, documents, options);
  if (record === undefined) return { ...documents, whole, own: new Map() };
  const tree = versionTree(whole, record);
  return { ...documents, manifest: withoutRecord(whole), whole, tree, own: ownEntries(tree) };
}

/** Gives every path that such a folder has. */
export function pathsOf({ manifest, tree }: Pick<FolderVersion, 'manifest' | 'tree'>): string[] {
  return tree === undefined ? Object.keys(manifest) : tree.entries.map(({ path }) => path);
}

/** Gives what such a folder holds where each file stands as `layOut` says. */
export function layOutTree(
  { manifest, tree }: Pick<FolderVersion, 'manifest' | 'tree'>,
  layOut: (file: KnownFile) => Entry,
): Entry[] {
  if (tree === undefined) return withDirectories(layOutFiles(manifest, layOut));
  return tree.entries.map((entry) => (entry.type === 'file' ? layOut(entry) : entry));
}

function* layOutFiles(manifest: Manifest, layOut: (file: KnownFile) => Entry): Generator<Entry> {
  for (const path of manifestPaths(manifest)) {
    const entry = manifest[path];
    if (entry !== undefined) yield layOut({ type: 'file', path, size: entry.size, digest: entryDigest(entry) });
  }
}

/** Makes a version's programs executable in the cache, as far as they are there: somebody may have brought them who knows of none. */
export async function makeProgramsOf(
  ctx: Context,
  { ref, manifest, tree }: Pick<FolderVersion, 'ref' | 'manifest' | 'tree'>,
  options: CallOptions,
): Promise<void> {
  const programs = programsOf(tree?.entries ?? []);
  if (programs.size === 0) return;
  const contents = groupContents({ ref, manifest: selectEntries(manifest, (_, path) => programs.has(path)) });
  await makeExecutables(ctx, eachContent(contents), programs, options);
}
