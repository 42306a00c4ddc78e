import { keepTree, treeSources } from '../cache/kept-tree.ts';
import type { Context } from '../context.ts';
import { type FileList, type Manifest, manifestOf } from '../model/manifest.ts';
import type { VersionRef } from '../model/refs.ts';
import { entryAt } from '../model/tree.ts';
import { TREE_RECORD } from '../model/tree-record.ts';
import { treeOfFiles, type VersionTree } from '../model/version-tree.ts';
import { loadRecord } from './load-tree.ts';
import { saveFileOf } from './save-version.ts';
import { isSettled, type LoadOptions, loadFileList } from './version-documents.ts';

/** How many entries are worth it to keep what their texts say: those of fewer are read in 10 ms. */
const MANY = 1000;

/** A version's tree as its manifest and its record say it, and a way to its content. */
interface OpenTexts {
  readonly tree: VersionTree & { readonly ref: VersionRef };
  place(path: string): Promise<string>;
}

/** Opens a version by its manifest and its record, and has the cache keep what they say of many entries. */
export async function openTexts(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<OpenTexts> {
  const { layout } = ctx.cache;
  const sources = treeSources(layout, ref);
  const files = await loadFileList(ctx, ref, options);
  const record = await loadRecord(ctx, { ref, manifest: manifestOfOne(files, TREE_RECORD) }, options);
  const tree = treeOfFiles(files, record);
  const isWhole = (record !== undefined) === (sources.record !== null) && tree.stale.length === 0;
  if (isWhole && tree.entries.length >= MANY && (await isSettled(ctx, ref))) {
    const isLink = (path: string) => entryAt(files, path)?.entry.link !== undefined;
    await keepTree(layout, ref, { entries: tree.entries, isLink }, sources);
  }
  return {
    tree: { ref, ...tree },
    place: (path) => saveFileOf(ctx, { ref, manifest: manifestOfOne(files, path) }, path, options),
  };
}

/** Fetches one file of a version, as far as it is not there, by what its manifest says, and gives its path. */
export async function saveListed(ctx: Context, ref: VersionRef, path: string, options: LoadOptions): Promise<string> {
  const files = await loadFileList(ctx, ref, options);
  return saveFileOf(ctx, { ref, manifest: manifestOfOne(files, path) }, path, options);
}

/** Gives a manifest of one file; of none, if there is no such file. */
function manifestOfOne(files: FileList, path: string): Manifest {
  const file = entryAt(files, path);
  return manifestOf(file === undefined ? [] : [file]);
}
