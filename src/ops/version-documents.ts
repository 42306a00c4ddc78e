import type { Buffer } from 'node:buffer';
import type { RecordName } from '../cache/layout.ts';
import { letGoOf, readBytesIfThere } from '../cache/read-document.ts';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { type FileList, type Manifest, parseFileList, parseManifest } from '../model/manifest.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import { isImmutable, summaryFromWire, type VersionSummary, wireSummary } from '../model/summary.ts';
import { notJson, parseJson } from '../registry/documents.ts';
import { offlineError } from '../registry/offline.ts';
import { findRecord } from './records.ts';

/** A version's two documents; from the cache alone where it cannot have changed. */
export interface VersionDocuments {
  readonly ref: VersionRef;
  readonly summary: VersionSummary;
  readonly manifest: Manifest;
}

export interface LoadOptions extends CallOptions {
  /** Ask the registry also for what the cache knows. @default false */
  overwrite?: boolean;
}

/** Units: bytes */
const MAX_SUMMARY = 64 * 1024;

/** Units: bytes. A million files with links fit. */
const MAX_MANIFEST = 384 * 1024 * 1024;

/** Gives a version's documents, or throws `not-found` or `version-unfinished`. */
export async function loadVersion(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<VersionDocuments> {
  const documents = await loadDocuments(ctx, ref, options);
  checkFinished(documents);
  return documents;
}

/** Gives the files of the same version as a list. */
export async function loadFileList(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<FileList> {
  const { summary, files } = await loadParsed(ctx, ref, parseFileList, options);
  checkFinished({ ref, summary });
  return files;
}

function checkFinished({ ref, summary }: Pick<VersionDocuments, 'ref' | 'summary'>): void {
  if (summary.uploadFinish !== undefined) return;
  throw new GypsumError('version-unfinished', `The upload of ${formatRef(ref)} has not been completed.`, {
    hint: 'Try again when its uploader has finished, or use another version.',
    details: { ...ref, since: summary.uploadStart },
  });
}

/** Gives a version's documents; nothing if there is no such version, or not yet. */
export async function versionIfAny(
  ctx: Context,
  ref: VersionRef,
  options: LoadOptions,
): Promise<VersionDocuments | undefined> {
  try {
    return await loadVersion(ctx, ref, options);
  } catch (error) {
    if (isGypsumError(error, 'not-found') || isGypsumError(error, 'version-unfinished')) return undefined;
    throw error;
  }
}

/**
 * Gives a version's documents, also of an upload in progress. They are remembered if the version can no longer change,
 * and not before both have passed every check.
 */
export async function loadDocuments(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<VersionDocuments> {
  const { summary, files } = await loadParsed(ctx, ref, parseManifest, options);
  return { ref, summary, manifest: files };
}

async function loadParsed<Files>(ctx: Context, ref: VersionRef, parse: ParseFiles<Files>, options: LoadOptions) {
  const summary = await readSummary(ctx, ref, options);
  const immutable = isImmutable(summary.value);
  const files = await readManifest(ctx, ref, immutable, parse, options);
  if (immutable) for (const document of [summary, files]) await document.remember();
  return { summary: summary.value, files: files.value };
}

/** Gives `..summary`: from the cache if the version is known to be immutable, else asked for. */
export async function loadSummary(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<VersionSummary> {
  const summary = await readSummary(ctx, ref, options);
  if (isImmutable(summary.value)) await summary.remember();
  return summary.value;
}

/** Gives `..summary` as the registry has it now: the version may be gone, whatever the cache knows. */
export async function askSummary(ctx: Context, ref: VersionRef, options: CallOptions): Promise<VersionSummary> {
  const content = await readDocument(ctx, ref, keys.summary(ref), MAX_SUMMARY, options);
  return parseSummary(content, ref);
}

/** Gives the `..summary` of a version that the cache remembers as one that cannot change. */
export async function readRememberedSummary(ctx: Context, ref: VersionRef): Promise<VersionSummary | undefined> {
  return (await readRecord(ctx, ref, 'summary', (content) => parseSummary(content, ref)))?.value;
}

/** Whether the cache remembers a version as one that cannot change any more. */
export async function isSettled(ctx: Context, ref: VersionRef): Promise<boolean> {
  const summary = await readRememberedSummary(ctx, ref);
  return summary !== undefined && isImmutable(summary);
}

/** Reads a manifest that the cache has remembered; nothing if it is damaged. */
export function manifestIfSound(content: Buffer | undefined, ref: VersionRef): Manifest | undefined {
  return readIfSound(content, (json) => filesFromWire(json, ref, parseManifest))?.value;
}

/** Reads a `..manifest`, or throws `invalid-manifest`, or a `SyntaxError` if it is no JSON. */
type ParseFiles<Files> = (content: Buffer, ref: VersionRef) => Files;

/** A document that was checked; `remember` writes it to the cache if it did not come from there. */
interface Read<T> {
  readonly value: T;
  remember(): Promise<void>;
}

async function readSummary(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<Read<VersionSummary>> {
  const parse = (content: Buffer) => parseSummary(content, ref);
  const known = options.overwrite ? undefined : await readRecord(ctx, ref, 'summary', parse);
  if (known !== undefined) return known;
  if (ctx.registry.isOffline && !options.overwrite) {
    const others = await readOthers(ctx, ref, 'summary', parse);
    if (others !== undefined && isImmutable(others.value)) return others;
    throw documentMissing(ref, 'summary');
  }
  const content = await readDocument(ctx, ref, keys.summary(ref), MAX_SUMMARY, options);
  const value = parse(content);
  return { value, remember: () => ctx.cache.writeRecord(ref, 'summary', content) };
}

async function readManifest<Files>(
  ctx: Context,
  ref: VersionRef,
  immutable: boolean,
  parseFiles: ParseFiles<Files>,
  options: LoadOptions,
): Promise<Read<Files>> {
  const parse = (content: Buffer) => filesFromWire(content, ref, parseFiles);
  const known = immutable && !options.overwrite ? await readRecord(ctx, ref, 'manifest', parse) : undefined;
  if (known !== undefined) return known;
  if (ctx.registry.isOffline) {
    const others = await readOthers(ctx, ref, 'manifest', parse);
    if (others !== undefined) return others;
    throw documentMissing(ref, 'manifest');
  }
  const content = await readDocument(ctx, ref, keys.manifest(ref), MAX_MANIFEST, options);
  const value = parse(content);
  return { value, remember: () => ctx.cache.writeRecord(ref, 'manifest', content) };
}

function documentMissing(ref: VersionRef, name: RecordName): GypsumError {
  return offlineError(`The ${name} of ${formatRef(ref)} is not in the cache.`, {
    hint: 'See what there is with "gypsum cache ls".',
    details: { ...ref, document: name },
  });
}

/** Gives what is remembered. What cannot be read, as after a power cut, counts as not there: it is asked for again. */
async function readRecord<T>(
  ctx: Context,
  ref: VersionRef,
  name: RecordName,
  parse: (content: Buffer) => T,
): Promise<Read<T> | undefined> {
  const record = await findRecord(ctx, ref, name);
  const known = readIfSound(record?.content, parse);
  if (record === undefined) return undefined;
  if (record.isOwn || known === undefined) {
    letGoOf(record.content);
    return known;
  }
  // The site cache may go, and what leads into it shall say still which files those were.
  return { ...known, remember: () => ctx.cache.writeRecord(ref, name, record.content) };
}

/** Gives what another client has left of a version, which is better than nothing where nobody can be asked. */
async function readOthers<T>(
  ctx: Context,
  ref: VersionRef,
  name: RecordName,
  parse: (content: Buffer) => T,
): Promise<Read<T> | undefined> {
  return readIfSound(await readBytesIfThere(ctx.cache.layout.document(ref, name)), parse);
}

function readIfSound<T>(content: Buffer | undefined, parse: (content: Buffer) => T): Read<T> | undefined {
  if (content === undefined) return undefined;
  try {
    return { value: parse(content), remember: async () => {} };
  } catch (error) {
    if (isGypsumError(error)) return undefined;
    throw error;
  }
}

async function readDocument(ctx: Context, ref: VersionRef, key: string, limit: number, options: CallOptions) {
  try {
    return await ctx.registry.read(key, limit, options);
  } catch (error) {
    if (!isGypsumError(error, 'not-found')) throw error;
    throw new GypsumError('not-found', `${ctx.registry.url} has no version ${formatRef(ref)}.`, {
      hint: `List what there is with "gypsum versions ${formatRef({ project: ref.project, asset: ref.asset })}".`,
      details: { ...ref },
      cause: error,
    });
  }
}

/** Reads a `..summary` from the wire, or throws `invalid-response`. */
export function parseSummary(content: Buffer, ref: VersionRef): VersionSummary {
  const parsed = wireSummary.safeParse(parseJson(content.toString('utf8'), `Reading the summary of ${formatRef(ref)}`));
  if (parsed.success) return summaryFromWire(parsed.data);
  throw new GypsumError('invalid-response', `The summary of ${formatRef(ref)} is not as it must be.`, {
    hint: 'Check that the URL is the one of a gypsum registry.',
    cause: parsed.error,
  });
}

/** Reads a `..manifest` from the wire, or throws `invalid-response` or `invalid-manifest`. */
function filesFromWire<Files>(content: Buffer, ref: VersionRef, parse: ParseFiles<Files>): Files {
  try {
    return parse(content, ref);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw notJson(content.toString('utf8', 0, 240), `Reading the manifest of ${formatRef(ref)}`, error);
  }
}
