import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { CloneMode } from '../model/clone-mode.ts';
import type { Manifest } from '../model/manifest.ts';
import { manifestFiles } from '../model/manifest-tree.ts';
import type { VersionRef } from '../model/refs.ts';
import { isImmutable } from '../model/summary.ts';
import { withoutRecord } from '../model/version-tree.ts';
import { type Comparison, compareClone } from './compare-clone.ts';
import { digestFiles } from './digest-files.ts';
import { inspectLinks } from './find-changed.ts';
import { type FoundClone, findClone } from './find-clone.ts';
import { createSources, type FolderBase, findCloneRecord, symlinkRule } from './folder-record.ts';
import { foreseePublishing, type Publishing } from './foresee-publishing.ts';
import { cachedPlace, type Found, type FoundLink } from './found.ts';
import { readKept } from './kept-symlinks.ts';
import { run } from './run.ts';
import { type ScanAhead, withScanAhead } from './scan-ahead.ts';
import { loadVersion } from './version-documents.ts';

/** How a clone differs from the version that it is of, and what would become of it. */
export interface CloneStatus extends VersionRef, Comparison {
  /** The real path of the clone. */
  readonly directory: string;
  readonly mode: CloneMode;
  /** The versions that some of it may be of: a checkout from them was interrupted. Absent where none was. */
  readonly from?: readonly VersionRef[];
  /** Nothing differs; links may dangle. */
  readonly clean: boolean;
  /** What publishing it would do. */
  readonly publishing: Publishing;
  /** How many entries `.gypsumignore` leaves out, a folder as one; absent without such a file. */
  readonly ignored?: number;
}

/**
 * Compares the clone that a folder is or lies in with its version. What `.gypsumignore` names counts as not there. Of real
 * files, those are read whose size is that of a file of the version, unless they were read before and not touched since.
 * Changes nothing, and asks the registry only if the cache does not remember the version.
 *
 * Throws `invalid-argument` for a folder that is in no clone.
 */
export async function cloneStatus(ctx: Context, directory: string, options: CallOptions = {}): Promise<CloneStatus> {
  return run(ctx, options, async () => {
    const clone = await findClone(ctx, directory, options);
    return withScanAhead(ctx, clone, (ahead) => statusOf(ctx, clone, ahead, options));
  });
}

async function statusOf(ctx: Context, clone: FoundClone, ahead: ScanAhead, options: CallOptions): Promise<CloneStatus> {
  const { root, ref, receipt } = clone;
  const documents = await loadVersion(ctx, ref, options);
  const { summary } = documents;
  const manifest = withoutRecord(documents.manifest);
  const record = await findCloneRecord(ctx, clone, documents, options);
  const symlinks = symlinkRule(undefined, record);
  const { notMade = [] } = record?.base ?? {};
  const reading = { ...options, symlinks, notMade, loaded: [documents], content: false, ahead: await ahead };
  const { entries, ignored } = await readKept(ctx, root, reading);
  const { changed, gone } = await inspectLinks(ctx, linksOf(entries), (link) => cachedPlace(ctx, link), options);
  const digests = await digestCandidates(ctx, root, entries, manifest, options);
  const modes = findModes(entries, record?.base);
  const known = { mode: receipt.mode, digests, edited: new Set(changed), gone: new Set(gone), modes };
  const wanted = record?.base?.tree.entries ?? manifestFiles(manifest);
  const comparison = await compareClone(wanted, entries, known, options.signal);
  return {
    ...ref,
    directory: root,
    mode: receipt.mode,
    ...(receipt.from !== undefined && { from: receipt.from }),
    clean: comparison.entries.length === comparison.states.dangling.files,
    ...comparison,
    publishing: foreseePublishing(entries, known, isImmutable(summary) ? manifest : {}),
    ...(ignored !== undefined && { ignored }),
  };
}

/** Gives the permissions that are others than in the version, by path. */
function findModes(entries: readonly Found[], base: FolderBase | undefined): Map<string, number> {
  const modes = new Map<string, number>();
  if (base === undefined) return modes;
  const before = new Map(base.tree.entries.map((entry) => [entry.path, entry]));
  const toSource = createSources(base);
  for (const found of entries) {
    const entry = toSource(found);
    const was = before.get(found.path);
    if (entry?.mode === undefined || was?.type !== entry.type) continue;
    if (was.mode !== undefined && was.mode !== entry.mode) modes.set(found.path, entry.mode);
  }
  return modes;
}

/** Gives the links that somebody may have written through, but those that are known to be right. */
function linksOf(entries: readonly Found[]): FoundLink[] {
  return entries.filter((entry): entry is FoundLink => entry.type === 'link' && entry.how !== 'copy' && !entry.isRight);
}

/** Gives the digests, by path, of files that have the size of a file of the version: others have none of its contents. */
async function digestCandidates(
  ctx: Context,
  root: string,
  entries: readonly Found[],
  manifest: Manifest,
  options: CallOptions,
): Promise<Map<string, string>> {
  const files = entries.flatMap((entry) =>
    (entry.type === 'file' || entry.type === 'symlink') && entry.size !== undefined
      ? { path: entry.path, size: entry.size, source: join(root, entry.path) }
      : [],
  );
  if (files.length === 0) return new Map();
  const sizes = new Set(Object.values(manifest).map(({ size }) => size));
  const candidates = files.filter(({ size }) => sizes.has(size));
  return new Map((await digestFiles(ctx, candidates, options)).map(({ path, md5sum }) => [path, md5sum]));
}
