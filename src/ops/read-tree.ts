import { statSync } from 'node:fs';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { checkVersionRef, type Ref, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { Entry } from '../model/tree.ts';
import type { StaleEntry } from '../model/version-tree.ts';
import { absolutePath } from '../tree/real-path.ts';
import { scanFolder } from '../tree/scan.ts';
import { fetchLatest } from './fetch-latest.ts';
import { loadTree } from './load-tree.ts';
import { run } from './run.ts';
import type { LoadOptions } from './version-documents.ts';

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
export async function readTree(
  ctx: Context,
  source: Ref | string,
  { only, ...options }: ReadTreeOptions = {},
): Promise<ReadTree> {
  if (typeof source === 'string') return readLocal(source, only, options);
  const { version, ...asset } = source;
  return run(ctx, options, async () => {
    const ref = version === undefined ? await fetchLatest(ctx, asset, options) : checkVersionRef({ ...asset, version });
    const { tree } = await loadTree(ctx, ref, options);
    return { ref, ...tree };
  });
}

async function readLocal(folder: string, only: string | undefined, options: LoadOptions): Promise<ReadTree> {
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
