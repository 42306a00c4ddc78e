import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { hasContent } from '../cache/blobs.ts';
import { type CloneFiles, writeCloneFiles } from '../cache/clone-files.ts';
import { passClock } from '../cache/pass-clock.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { FileMode } from '../model/clone-mode.ts';
import { type Fingerprint, fingerprintOf } from '../model/fingerprint.ts';
import { fsPath, placeIn } from '../model/local-path.ts';
import { entryDigest, type Manifest } from '../model/manifest.ts';
import { fileOf, type VersionRef } from '../model/refs.ts';
import type { Entry, FileEntry } from '../model/tree.ts';
import { type ApplyOptions, applySteps, type RevocableStep } from '../tree/apply.ts';
import { type LayoutPlan, planLayout } from '../tree/plan.ts';
import { freshName } from '../tree/put-file.ts';
import { realPath } from '../tree/real-path.ts';
import { type ClonedVersion, layOutTree } from './cloned-version.ts';
import { proveContents } from './prove-contents.ts';
import type { VersionDocuments } from './version-documents.ts';

/** Lays a version out as real files, with symlinks that dangle in place of those that are not wanted, and remembers how they look. */
export async function cloneFiles(
  ctx: Context,
  cloned: ClonedVersion,
  place: string,
  mode: FileMode,
  actual: readonly Entry[],
  options: ApplyOptions,
): Promise<LayoutPlan> {
  const { ref, selected, summary } = cloned;
  const wanted = { ref, summary, manifest: selected };
  const { tree, known } = await recognize(place, actual, selected, options);
  const source = ({ path }: FileEntry) => ctx.cache.layout.file(fileOf(ref, path));
  const folder = ctx.cache.layout.versionFolder(ref);
  const wished = layOutTree(cloned, (file) => (file.path in selected ? file : symlinkTo(file.path, folder)));
  const plan = planLayout(wished, tree, { mode, source });
  await putFiles(ctx, wanted, place, mode, plan.steps, {
    ...options,
    remember: (made) => rememberFiles(ctx, ref, place, new Map([...known, ...made]), options),
  });
  return plan;
}

export interface PutFilesOptions extends ApplyOptions {
  /** Remembers files that were made, by their paths in the folder; else all is taken back. */
  remember: (made: CloneFiles) => Promise<void>;
}

/** Carries out steps that make real files of a version's cached ones, all of which must be there and are proven right. */
export async function putFiles(
  ctx: Context,
  documents: VersionDocuments,
  place: string,
  mode: FileMode,
  steps: readonly RevocableStep[],
  { remember, ...options }: PutFilesOptions,
): Promise<void> {
  const bytes = steps.reduce((sum, { after }) => sum + (after.type === 'file' ? after.size : 0), 0);
  options.onEvent?.({ type: 'start', task: 'clone', files: steps.length, bytes });
  const proof = mode === 'hardlink' ? await proveContents(ctx, documents, options) : undefined;
  try {
    await applySteps(place, steps, {
      ...options,
      async finish(made) {
        // Hard links were proven before they changed the inodes; copies have proven themselves.
        if (mode === 'reflink') await proveContents(ctx, documents, options);
        await remember(made);
      },
    });
  } finally {
    await proof?.remember();
  }
  options.onEvent?.({ type: 'end', task: 'clone' });
}

/**
 * Remembers the files of a clone as they look now: those that were changed last once the clock has passed that. `destination`
 * is where its receipt says that it is.
 */
export async function rememberFiles(
  ctx: Context,
  ref: VersionRef,
  place: string,
  files: CloneFiles,
  { signal, destination = realPath(place) }: CallOptions & { destination?: string },
): Promise<void> {
  let last = 0;
  for (const [, , , , ctime] of files.values()) last = Math.max(last, ctime);
  const clock = await passClock(freshName(place), last, signal);
  const settled = [...files].filter(([, [, , , , ctime]]) => ctime < clock);
  await writeCloneFiles(ctx.cache.layout, destination, ref, new Map(settled));
}

/** Finds out which files of a folder are what a version has at the same path: they are read. */
async function recognize(
  place: string,
  actual: readonly Entry[],
  manifest: Manifest,
  { signal }: CallOptions,
): Promise<{ tree: Entry[]; known: Map<string, Fingerprint> }> {
  const known = new Map<string, Fingerprint>();
  const tree: Entry[] = [];
  for (const entry of actual) {
    const wanted = manifest[entry.path];
    const digest = wanted === undefined ? undefined : entryDigest(wanted);
    if (entry.type !== 'file' || digest === undefined || wanted?.size !== entry.size) {
      tree.push(entry);
      continue;
    }
    const path = join(place, entry.path);
    const print = fingerprintOf(lstatSync(fsPath(path)));
    const same = await hasContent(path, { digest, size: entry.size }, signal);
    if (same) known.set(entry.path, print);
    tree.push(same ? { ...entry, digest } : entry);
  }
  return { tree, known };
}

function symlinkTo(path: string, folder: string): Entry {
  return { type: 'symlink', path, target: placeIn(folder, path) };
}
