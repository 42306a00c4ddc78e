import type { Stats } from 'node:fs';
import { statIfThere, writeWhole } from '../cache/blobs.ts';
import { type Content, missingBytes, type SupplyOptions, supply, unverifiedFiles } from '../cache/contents.ts';
import { createDigestThreads, type DigestThreads } from '../cache/digest-behind.ts';
import { checkFreeSpace, hasRoom } from '../cache/free-space.ts';
import type { Context } from '../context.ts';
import { each } from '../each.ts';
import type { CallOptions, OnEvent } from '../events.ts';
import { createPace } from '../give-way.ts';
import { countFiles } from '../model/count.ts';
import { formatFileRef, formatRef, type VersionRef } from '../model/refs.ts';
import { TREE_RECORD } from '../model/tree-record.ts';
import { checkHoldable } from './check-holdable.ts';
import { type ContentParts, eachContent, eachFile, pathsOf } from './content-parts.ts';
import { cachedPrograms, makeExecutables } from './executables.ts';
import { fetchContent } from './fetch-content.ts';
import { fingerprintsOf, type Memory, openMemory } from './memory.ts';
import { checkOffline } from './missing-offline.ts';
import { copyFromSite } from './site-cache.ts';
import { type SupplyOne, supplyInBulk } from './supply-in-bulk.ts';
import { loadVersion } from './version-documents.ts';
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
  whole?: ContentParts | undefined;
  /** Whether they are a choice of the version's files that might have been another one. @default false */
  chosen?: boolean;
}

/** Saves contents, all that are not known to be there; all of them if what is there is to be made anew. */
export async function saveContents(
  ctx: Context,
  contents: ContentParts,
  ref: VersionRef,
  options: SaveContentsOptions,
): Promise<Outcome> {
  const { layout } = ctx.cache;
  const { whole, chosen = false, signal, onEvent, concurrency = ctx.concurrency, overwrite, relink } = options;
  checkHoldable(ref, pathsOf(contents));
  const outcome: Outcome = { fetched: { contents: 0, bytes: 0 }, adopted: { contents: 0, bytes: 0 } };
  const isMarked = whole !== contents || statIfThere(layout.complete(ref)) !== undefined;
  const find = () => openParts(ctx, contents, { all: overwrite || relink, signal });
  if (isMarked && (await isEmpty(find()))) return outcome;
  await ctx.cache.open();
  await withVersionLock(ctx, ref, { signal, onEvent }, async () => {
    // Whoever had the lock before us may have done the work.
    await checkOffline(ctx, ref, contents, { chosen });
    const { files, bytes, parts } = await survey(find);
    if (!(await hasRoom(layout.root, bytes))) {
      let missing = 0;
      for await (const { open } of find()) missing += missingBytes(layout, open);
      await checkFreeSpace(layout.root, missing, formatRef(ref));
    }
    onEvent?.({ type: 'start', task: 'fetch', files, bytes });
    let isRecordAlone = true;
    const threads = createDigestThreads();
    try {
      for await (const part of parts) {
        isRecordAlone &&= part.open.every(isRecord);
        await savePart(ctx, part, outcome, { ...options, concurrency, threads });
      }
    } finally {
      await threads.close();
    }
    onEvent?.({ type: 'end', task: 'fetch' });
    // To bring the record itself needs nothing.
    if (!isRecordAlone) await makePrograms(ctx, ref, contents, { signal });
    // With the lock: nobody removes meanwhile what is said to be there.
    if (whole === contents || (whole !== undefined && (await areThere(ctx, whole, signal)))) {
      await markComplete(ctx, ref, whole, { signal, onEvent });
    }
  });
  return outcome;
}

/** Saves what is missing of a part, and counts what came. */
async function savePart(
  ctx: Context,
  { open, memory }: OpenPart,
  outcome: Outcome,
  { concurrency, overwrite, relink, threads, signal, onEvent }: PartOptions,
): Promise<void> {
  const supplyOne: SupplyOne = async (content, itemSignal, bytes) => {
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
      const { project } = wanted.source;
      if (bytes !== undefined)
        return writeWhole(ctx.cache.layout, project, wanted, formatFileRef(wanted.source), bytes);
      copied = overwrite ? undefined : await copyFromSite(ctx, wanted, itemOptions);
      return copied ?? fetchContent(ctx, wanted, { ...itemOptions, threads });
    };
    const supplied = await supply(ctx.cache.layout, prints, content, fetch, { ...itemOptions, overwrite, relink });
    const how = copied === undefined ? supplied : 'adopted';
    if (how !== 'cached') {
      outcome[how].contents++;
      outcome[how].bytes += content.size;
    }
    onEvent?.({ type: 'progress', task: 'fetch', files: 1, bytes: content.size - came });
  };
  try {
    const left = await supplyInBulk(ctx, open, { concurrency, overwrite, signal, onEvent }, supplyOne);
    await each(left, { concurrency, signal }, supplyOne);
  } finally {
    // What was verified before a failure need not be verified again.
    for (const prints of memory.values()) await prints.flush();
  }
}

interface PartOptions extends SaveContentsOptions {
  readonly concurrency: number;
  readonly threads: DigestThreads;
}

function isRecord({ files }: Content): boolean {
  return files.every(({ path }) => path === TREE_RECORD);
}

/** Makes executable what the version's record says is a program, if that is at hand. */
async function makePrograms(
  ctx: Context,
  ref: VersionRef,
  contents: ContentParts,
  options: CallOptions,
): Promise<void> {
  await makeExecutables(ctx, eachContent(contents), await cachedPrograms(ctx.cache.layout, ref), options);
}

/** Says that a version is there as a whole, and with its documents: somebody may have removed those while we waited. */
async function markComplete(ctx: Context, ref: VersionRef, whole: ContentParts, options: CallOptions): Promise<void> {
  const { layout } = ctx.cache;
  const records = [layout.record(ref, 'summary'), layout.record(ref, 'manifest')];
  if (records.some((record) => statIfThere(record) === undefined)) await loadVersion(ctx, ref, options);
  await ctx.cache.markComplete(ref, eachFile(whole));
}

async function areThere(ctx: Context, contents: ContentParts, signal?: AbortSignal): Promise<boolean> {
  return isEmpty(openParts(ctx, contents, { signal }));
}

/** What of a part of some contents is to be saved, and what is known of its files. */
interface OpenPart {
  readonly open: readonly Content[];
  readonly memory: Memory;
}

/** Gives the contents of which some file is not known to be right, or `all`, part by part. */
async function* openParts(
  ctx: Context,
  contents: ContentParts,
  { all = false, signal }: { all?: boolean | undefined; signal: AbortSignal | undefined },
): AsyncGenerator<OpenPart> {
  for (const part of contents) {
    const memory = await openMemory(ctx, part);
    const open = all ? part : await unsettled(ctx, memory, part, signal);
    if (open.length > 0) yield { open, memory };
  }
}

async function isEmpty(parts: AsyncGenerator<OpenPart>): Promise<boolean> {
  for await (const _ of parts) return false;
  return true;
}

/** Says how much there is to save, if nothing of it is anywhere in the cache, and gives it again: what is one part need not be looked at twice. */
async function survey(find: () => AsyncGenerator<OpenPart>) {
  const sum = { files: 0, bytes: 0 };
  let only: OpenPart[] | undefined = [];
  for await (const part of find()) {
    const { files, bytes } = countFiles(part.open);
    sum.files += files;
    sum.bytes += bytes;
    only = only?.length === 0 ? [part] : undefined;
  }
  return { ...sum, parts: only ?? find() };
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
