import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readKeptTree } from '../cache/kept-tree.ts';
import { markUsed } from '../cache/last-used.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { manifestOf } from '../model/manifest.ts';
import { checkVersionRef, type Ref, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { type Entry, entryAt } from '../model/tree.ts';
import type { StaleEntry } from '../model/version-tree.ts';
import { absolutePath } from '../tree/real-path.ts';
import { scanFolder } from '../tree/scan.ts';
import { fetchLatest } from './fetch-latest.ts';
import { run } from './run.ts';
import { isSettled, type LoadOptions } from './version-documents.ts';

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
    return (await openKept(ctx, ref, options)) ?? (await openTexts(ctx, ref, options));
  });
}

/** Opens a version whose tree the cache has kept: neither its manifest nor its record is read. */
async function openKept(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<OpenTree | undefined> {
  if (options.overwrite || !(await isSettled(ctx, ref))) return undefined;
  const kept = await readKeptTree(ctx.cache.layout, ref);
  if (kept === undefined) return undefined;
  markUsed(ctx.cache.layout, ref);
  const { entries, isLink } = kept;
  return {
    tree: { ref, entries, stale: [] },
    async place(path) {
      const entry = entryAt(entries, path);
      if (entry?.type !== 'file' || isLink(path)) {
        const { saveListed } = await import('./open-texts.ts');
        return saveListed(ctx, ref, path, options);
      }
      const manifest = manifestOf([{ path, entry: { size: entry.size, md5sum: entry.digest.hex } }]);
      const { saveFileOf } = await import('./save-version.ts');
      return saveFileOf(ctx, { ref, manifest }, path, options);
    },
  };
}

/** What texts are read with is loaded where they are: that takes 40 ms of CPU. */
async function openTexts(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<OpenTree> {
  const texts = await import('./open-texts.ts');
  return texts.openTexts(ctx, ref, options);
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
