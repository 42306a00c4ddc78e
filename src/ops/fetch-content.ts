import type { Stats } from 'node:fs';
import { Readable } from 'node:stream';
import { writeVerified } from '../cache/blobs.ts';
import type { Content } from '../cache/contents.ts';
import type { DigestThreads } from '../cache/digest-behind.ts';
import { type Download, openDownload, WORTH_KEEPING } from '../cache/download.ts';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import { type CallOptions, callOf } from '../events.ts';
import { keys } from '../model/keys.ts';
import { entrySource } from '../model/manifest.ts';
import { type FileRef, formatFileRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { createVerifier, type Verifier } from '../verify-stream.ts';
import { contentsMissing } from './missing-offline.ts';
import { loadVersion } from './version-documents.ts';

/** How many links are followed from a file to the one that holds its bytes. */
const MAX_HOPS = 16;

/** What is smaller is digested while it passes: it takes as long as to start a thread. Units: bytes */
const LARGE = 16 * 1024 * 1024;

export interface FetchOptions extends CallOptions {
  /** Digest large contents. @default what is received is digested on the same thread */
  threads?: DigestThreads | undefined;
}

/**
 * Fetches a content from where its bytes are into its blob, verified; gives the blob's stats. What is left of an attempt
 * that broke off, of whatever process, is gone on with where the registry can do so.
 */
export async function fetchContent(
  ctx: Context,
  content: Content,
  { threads, ...options }: FetchOptions,
): Promise<Stats> {
  if (content.size < WORTH_KEEPING) return fetchSmall(ctx, content, options);
  const { source, size } = content;
  const others = size < LARGE ? undefined : threads;
  const download = await openDownload(ctx.cache.layout, source.project, content, formatFileRef(source), others);
  try {
    const left = download.present();
    if (left > 0 && left === content.size) {
      const stats = await finish(download, options);
      if (stats !== undefined) return stats;
    }
    checkOnline(ctx, content);
    if (download.present() > 0) await ctx.registry.hasRange(options);
    return await alongLinks(ctx, content, options, (from) => fetchFrom(ctx, content, from, download, options));
  } finally {
    await download.close();
  }
}

/** One that is small is in memory before it is written: of an attempt that breaks off, nothing is kept. */
async function fetchSmall(ctx: Context, content: Content, options: CallOptions): Promise<Stats> {
  const { project } = content.source;
  const what = formatFileRef(content.source);
  checkOnline(ctx, content);
  const bytes = await alongLinks(ctx, content, options, (from) =>
    ctx.registry.stream(keys.file(from), (body) => collect(body, createVerifier(content, what)), callOf(options)),
  );
  options.onEvent?.({ type: 'progress', task: 'fetch', files: 0, bytes: bytes.length });
  return writeVerified(ctx.cache.layout, project, content, bytes);
}

function checkOnline({ registry }: Context, content: Content): void {
  if (registry.isOffline) throw contentsMissing(content.files[0] ?? content.source, [content]);
}

/** Gets a content from where its bytes are: if they are not there, from where their file says that they are. */
async function alongLinks<T>(
  ctx: Context,
  content: Content,
  options: CallOptions,
  get: (source: FileRef) => Promise<T>,
): Promise<T> {
  let { source } = content;
  for (let hop = 0; ; hop++) {
    try {
      return await get(source);
    } catch (error) {
      if (!isGypsumError(error, 'not-found')) throw error;
      const next = hop < MAX_HOPS ? await followLink(ctx, source, options) : undefined;
      if (next === undefined) throw gone(content, source, error);
      source = next;
    }
  }
}

/** Gives all of a small content once it is right. */
async function collect(source: Readable, verifier: Verifier): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) {
    verifier.update(chunk);
    chunks.push(chunk);
  }
  verifier.end();
  return Buffer.concat(chunks);
}

/** Publishes what is there as a whole, as after a kill at the last moment; nothing if it is not what it must be. */
async function finish(download: Download, { signal, onEvent }: CallOptions): Promise<Stats | undefined> {
  try {
    const stats = await download.receive(Readable.from([]), await download.recall(signal), { signal });
    onEvent?.({ type: 'progress', task: 'fetch', files: 0, bytes: stats.size });
    return stats;
  } catch (error) {
    signal?.throwIfAborted();
    if (!isGypsumError(error, 'wrong-content')) throw error;
    return undefined;
  }
}

async function fetchFrom(
  ctx: Context,
  { digest, size }: Content,
  source: FileRef,
  download: Download,
  options: CallOptions,
): Promise<Stats> {
  const key = keys.file(source);
  let goesOn = false;
  const rest = async () => {
    const start = await download.recall(options.signal);
    goesOn = start > 0 && start < size;
    return goesOn ? { start, size, digest } : undefined;
  };
  const consume = (body: Readable, start: number) => {
    goesOn = start > 0;
    return receive(download, body, start, options);
  };
  try {
    return await ctx.registry.stream(key, consume, { ...callOf(options), rest });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!goesOn || !fitsNot(error)) throw error;
    options.onEvent?.({ type: 'retry', what: `Fetching "${showText(key)}"`, attempt: 1, error });
    await download.discard();
    return ctx.registry.stream(key, consume, callOf(options));
  }
}

/** Whether what came, or could not come, says that the beginning may be another content's. */
function fitsNot(error: unknown): error is GypsumError {
  if (!isGypsumError(error)) return false;
  if (error.code === 'wrong-content') return error.details.missing === undefined;
  return error.code === 'invalid-response' || error.details.status === 416;
}

async function receive(
  download: Download,
  body: Readable,
  start: number,
  { signal, onEvent }: CallOptions,
): Promise<Stats> {
  let bytes = 0;
  const onBytes = (more: number) => {
    bytes += more;
    onEvent?.({ type: 'progress', task: 'fetch', files: 0, bytes: more });
  };
  if (start > 0) onBytes(start);
  try {
    return await download.receive(body, start, { signal, onBytes });
  } catch (error) {
    onEvent?.({ type: 'progress', task: 'fetch', files: 0, bytes: -bytes });
    throw error;
  }
}

/** A manifest names the ancestor of a link to a link, but an old one may not: its target's own manifest does. */
async function followLink(ctx: Context, source: FileRef, options: CallOptions): Promise<FileRef | undefined> {
  const { path, ...ref } = source;
  try {
    const { manifest } = await loadVersion(ctx, ref, options);
    const entry = manifest[path];
    return entry?.link === undefined ? undefined : entrySource(ref, path, entry);
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}

function gone(content: Content, source: FileRef, cause: unknown): GypsumError {
  const [file] = content.files;
  const what = file === undefined ? formatFileRef(source) : formatFileRef(file);
  return new GypsumError(
    'not-found',
    `The content of ${what} is not in the registry: ${formatFileRef(source)} does not exist.`,
    {
      hint: 'The version that held it may have been removed. Ask the people who run the registry.',
      details: { file, source },
      cause,
    },
  );
}
