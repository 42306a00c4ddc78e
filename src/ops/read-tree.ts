import { statSync } from 'node:fs';
import { join } from 'node:path';
import { keepTree, readKeptTree, treeSources } from '../cache/kept-tree.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { type FileList, type Manifest, manifestOf } from '../model/manifest.ts';
import { checkVersionRef, type Ref, type VersionRef } from '../model/refs.ts';
import { isImmutable } from '../model/summary.ts';
import { showText } from '../model/text.ts';
import { type Entry, entryAt } from '../model/tree.ts';
import { TREE_RECORD } from '../model/tree-record.ts';
import { type StaleEntry, treeOfFiles } from '../model/version-tree.ts';
import { absolutePath } from '../tree/real-path.ts';
import { scanFolder } from '../tree/scan.ts';
import { fetchLatest } from './fetch-latest.ts';
import { loadRecord } from './load-tree.ts';
import { run } from './run.ts';
import { saveFileOf } from './save-version.ts';
import { type LoadOptions, loadFileList, readRememberedSummary } from './version-documents.ts';

/** What is in a version or a folder: files, symlinks that nobody has followed, and all folders. */
export interface ReadTree {
  /** The version that was read; absent for a folder. */
  readonly ref?: VersionRef;
  /** The folder that was read, an absolute path; absent for a version. */
  readonly root?: string;
  /** In the order of paths, folder by folder. Modes and times of a version are known where it has a tree record. */
  readonly entries: readonly Entry[];
  /** What the tree record of a version says and its files do not bear out: it is left out. */
  readonly stale: readonly StaleEntry[];
}

export interface ReadTreeOptions extends LoadOptions {
  /** Of a local folder, look at the entry of this name alone: a file, or a symlink. */
  only?: string;
}

/**
 * Reads the tree of a version (without `version`, of the latest), or of a local folder, given by its path. Of a version, nothing is
 * fetched but its documents and its tree record; one that is refused is `invalid-manifest`.
 */
export async function readTree(ctx: Context, source: Ref | string, options: ReadTreeOptions = {}): Promise<ReadTree> {
  return (await openTree(ctx, source, options)).tree;
}

/** How many entries are worth it to keep what their texts say: those of fewer are read in 10 ms. */
const MANY = 1000;

/** A tree, and a way to its content. */
export interface OpenTree {
  readonly tree: ReadTree;
  /** Gives where a file of it is, once its content is there. */
  place(path: string): Promise<string>;
}

/** Reads the same, for who goes on to read files of it: the manifest is not read again for them. */
export async function openTree(
  ctx: Context,
  source: Ref | string,
  { only, ...options }: ReadTreeOptions = {},
): Promise<OpenTree> {
  if (typeof source === 'string') {
    const tree = await readLocal(source, only, options);
    return { tree, place: async (path) => join(tree.root, path) };
  }
  const { version, ...asset } = source;
  return run(ctx, options, async () => {
    const ref = version === undefined ? await fetchLatest(ctx, asset, options) : checkVersionRef({ ...asset, version });
    return (await openKept(ctx, ref, options)) ?? openTexts(ctx, ref, options);
  });
}

/** Opens a version whose tree the cache has kept: neither its manifest nor its record is read. */
async function openKept(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<OpenTree | undefined> {
  if (options.overwrite || !(await isSettled(ctx, ref))) return undefined;
  const kept = await readKeptTree(ctx.cache.layout, ref);
  if (kept === undefined) return undefined;
  const { entries, isLink } = kept;
  return {
    tree: { ref, entries, stale: [] },
    async place(path) {
      const entry = entryAt(entries, path);
      if (entry?.type !== 'file' || isLink(path)) return (await openTexts(ctx, ref, options)).place(path);
      const manifest = manifestOf([{ path, entry: { size: entry.size, md5sum: entry.digest.hex } }]);
      return saveFileOf(ctx, { ref, manifest }, path, options);
    },
  };
}

/** Whether the cache remembers a version as one that cannot change any more. */
async function isSettled(ctx: Context, ref: VersionRef): Promise<boolean> {
  const summary = await readRememberedSummary(ctx, ref);
  return summary !== undefined && isImmutable(summary);
}

/** Opens a version by its manifest and its record, and has the cache keep what they say of many files. */
async function openTexts(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<OpenTree> {
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

/** Gives a manifest of one file; of none, if there is no such file. */
function manifestOfOne(files: FileList, path: string): Manifest {
  const file = entryAt(files, path);
  return manifestOf(file === undefined ? [] : [file]);
}

async function readLocal(
  folder: string,
  only: string | undefined,
  options: LoadOptions,
): Promise<ReadTree & { readonly root: string }> {
  options.signal?.throwIfAborted();
  if (folder === '' || folder.includes('\0')) throw notAFolder(folder);
  const root = absolutePath(folder);
  if (!statSync(fsPath(root)).isDirectory()) throw notAFolder(folder);
  const skip = only === undefined ? {} : { skip: (path: string) => path !== only };
  return { root, entries: await scanFolder(root, { ...options, ...skip, facts: true }), stale: [] };
}

function notAFolder(folder: string): GypsumError {
  return new GypsumError('invalid-argument', `"${showText(folder)}" is no folder.`, {
    hint: 'Give a folder, or a version as PROJECT/ASSET/VERSION.',
    details: { folder },
  });
}
