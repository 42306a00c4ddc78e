import type { Stats } from 'node:fs';
import { statIfThere } from '../cache/blobs.ts';
import { type Content, missingBytes, type SupplyOptions, supply, unverifiedFiles } from '../cache/contents.ts';
import { checkFreeSpace } from '../cache/free-space.ts';
import type { Context } from '../context.ts';
import { each } from '../each.ts';
import type { CallOptions, OnEvent } from '../events.ts';
import { createPace } from '../give-way.ts';
import { countFiles } from '../model/count.ts';
import { entryDigest, entrySource } from '../model/manifest.ts';
import { type FileRef, fileOf, formatRef, type VersionRef } from '../model/refs.ts';
import { TREE_RECORD } from '../model/tree-record.ts';
import { checkHoldable } from './check-holdable.ts';
import { cachedPrograms, makeExecutables } from './executables.ts';
import { fetchContent } from './fetch-content.ts';
import { fingerprintsOf, type Memory, openMemory } from './memory.ts';
import { checkOffline } from './missing-offline.ts';
import { copyFromSite } from './site-cache.ts';
import { loadVersion, type VersionDocuments } from './version-documents.ts';
import { withVersionLock } from './version-lock.ts';

export interface SaveOptions extends CallOptions {
  /** How many files are fetched at once. @default the context's */
  concurrency?: number;
  /**
   * Ask for everything anew, also if it is in the cache: what is there is replaced once the new bytes have been verified,
   * and an edit that is found there is moved aside. @default false
   */
  overwrite?: boolean;
}

export interface Outcome {
  fetched: { contents: number; bytes: number };
  adopted: { contents: number; bytes: number };
}

export interface SaveContentsOptions extends SaveOptions, Pick<SupplyOptions, 'relink'> {
  /**
   * All contents of the version, if the other clients may be told when they are there: they take the mark for a promise
   * that nothing will change.
   */
  whole?: readonly Content[] | undefined;
  /** Whether they are a choice of the version's files that might have been another one. @default false */
  chosen?: boolean;
}

/** Saves contents, all that are not known to be there; all of them if what is there is to be made anew. */
export async function saveContents(
  ctx: Context,
  contents: readonly Content[],
  ref: VersionRef,
  options: SaveContentsOptions,
): Promise<Outcome> {
  const { layout } = ctx.cache;
  const { whole, chosen = false, signal, onEvent, concurrency = ctx.concurrency, overwrite, relink } = options;
  checkHoldable(
    ref,
    contents.flatMap(({ files }) => files.map(({ path }) => path)),
  );
  const outcome: Outcome = { fetched: { contents: 0, bytes: 0 }, adopted: { contents: 0, bytes: 0 } };
  let memory = await openMemory(ctx, contents);
  const isMarked = whole !== contents || statIfThere(layout.complete(ref)) !== undefined;
  const find = async () => (overwrite || relink ? contents : unsettled(ctx, memory, contents, signal));
  if (isMarked && (await find()).length === 0) return outcome;
  await ctx.cache.open();
  await withVersionLock(ctx, ref, { signal, onEvent }, async () => {
    // Whoever had the lock before us may have done the work.
    memory = await openMemory(ctx, contents);
    const open = await find();
    await checkOffline(ctx, ref, open, { chosen });
    await checkFreeSpace(layout.root, missingBytes(layout, open), formatRef(ref));
    onEvent?.({ type: 'start', task: 'fetch', ...countFiles(open) });
    try {
      await each(open, { concurrency, signal }, async (content, itemSignal) => {
        // It may come in several goes, as where somebody who frees space removes it again.
        let came = 0;
        const hear: OnEvent = (event) => {
          if (event.type === 'progress' && event.task === 'fetch') came += event.bytes;
          onEvent?.(event);
        };
        const itemOptions = { onEvent: hear, signal: itemSignal };
        const prints = fingerprintsOf(memory, content.source.project);
        let copied: Stats | undefined;
        const fetch = async (wanted: Content) => {
          copied = overwrite ? undefined : await copyFromSite(ctx, wanted, itemOptions);
          return copied ?? fetchContent(ctx, wanted, itemOptions);
        };
        const supplied = await supply(layout, prints, content, fetch, { ...itemOptions, overwrite, relink });
        const how = copied === undefined ? supplied : 'adopted';
        if (how !== 'cached') {
          outcome[how].contents++;
          outcome[how].bytes += content.size;
        }
        onEvent?.({ type: 'progress', task: 'fetch', files: 1, bytes: content.size - came });
      });
    } finally {
      // What was verified before a failure need not be verified again.
      for (const prints of memory.values()) await prints.flush();
    }
    onEvent?.({ type: 'end', task: 'fetch' });
    await makePrograms(ctx, ref, open, { signal });
    // With the lock: nobody removes meanwhile what is said to be there.
    if (whole === contents || (whole !== undefined && (await areThere(ctx, whole, signal)))) {
      await markComplete(ctx, ref, whole, { signal, onEvent });
    }
  });
  return outcome;
}

/** Makes executable what the version's record says is a program, if that is at hand; to bring the record itself needs nothing. */
async function makePrograms(
  ctx: Context,
  ref: VersionRef,
  contents: readonly Content[],
  options: CallOptions,
): Promise<void> {
  if (contents.every(({ files }) => files.every(({ path }) => path === TREE_RECORD))) return;
  await makeExecutables(ctx, contents, await cachedPrograms(ctx.cache.layout, ref), options);
}

/** Says that a version is there as a whole, and with its documents: somebody may have removed those while we waited. */
async function markComplete(
  ctx: Context,
  ref: VersionRef,
  whole: readonly Content[],
  options: CallOptions,
): Promise<void> {
  const { layout } = ctx.cache;
  const records = [layout.record(ref, 'summary'), layout.record(ref, 'manifest')];
  if (records.some((record) => statIfThere(record) === undefined)) await loadVersion(ctx, ref, options);
  await ctx.cache.markComplete(
    ref,
    whole.flatMap(({ files }) => files),
  );
}

async function areThere(ctx: Context, contents: readonly Content[], signal?: AbortSignal): Promise<boolean> {
  return (await unsettled(ctx, await openMemory(ctx, contents), contents, signal)).length === 0;
}

/** Gives the contents of which some file is not known to be right. */
async function unsettled(
  ctx: Context,
  memory: Memory,
  contents: readonly Content[],
  signal?: AbortSignal,
): Promise<Content[]> {
  const pace = createPace(signal);
  const open: Content[] = [];
  for (const content of contents) {
    if (unverifiedFiles(ctx.cache.layout, fingerprintsOf(memory, content.source.project), content).length > 0)
      open.push(content);
    if (pace.due()) await pace.rest();
  }
  return open;
}

/** Groups a version's files by what they hold and which project's bytes they are. */
export function groupContents({ ref, manifest }: Pick<VersionDocuments, 'ref' | 'manifest'>): Content[] {
  const contents = new Map<string, Content & { files: FileRef[] }>();
  for (const path in manifest) {
    const entry = manifest[path];
    if (entry === undefined) continue;
    const source = entrySource(ref, path, entry);
    const id = `${source.project}/${entry.md5sum}/${entry.size}`;
    const known = contents.get(id);
    if (known !== undefined) known.files.push(fileOf(ref, path));
    else contents.set(id, { source, digest: entryDigest(entry), size: entry.size, files: [fileOf(ref, path)] });
  }
  return [...contents.values()];
}
