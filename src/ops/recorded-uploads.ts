import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { type Count, countFiles } from '../model/count.ts';
import { formatRef, sameVersion, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { isAlive } from '../process-owner.ts';
import { isWhole, type UploadClaim, type UploadRecord } from '../state/upload-record.ts';
import type { DamagedRecord, UploadStore } from '../state/upload-store.ts';

/** An upload that has not come to its end, as it is written down on this machine. */
export interface RecordedUpload extends VersionRef {
  readonly id: string;
  /** The URL of the registry. */
  readonly registry: string;
  readonly since: Date;
  /** `unknown` is one whose process is, or was, on another machine. */
  readonly state: 'running' | 'interrupted' | 'unknown';
  /** The process that works at it, or may do so. */
  readonly process?: { readonly host: string; readonly pid: number };
  /** False where the registry's answer to the start is missing: nobody can resume or abort it, and the project may be locked. */
  readonly isAnswered: boolean;
  /** Of the files whose content has to be sent. */
  readonly sent: Count;
  readonly total: Count;
}

export interface RecordedUploads {
  /** Of every registry, the oldest first. */
  readonly uploads: readonly RecordedUpload[];
  /** Files that should say something of an upload, and do not. */
  readonly damaged: readonly DamagedRecord[];
}

/** Gives the uploads that are written down. No request is made. Throws `invalid-argument` without a `stateDir`. */
export async function listUploads(ctx: Context, { signal }: CallOptions = {}): Promise<RecordedUploads> {
  signal?.throwIfAborted();
  const { records, damaged } = await storeOf(ctx).list();
  return { uploads: records.map(describe), damaged };
}

function describe(record: UploadRecord): RecordedUpload {
  const { id, registry, project, asset, version, since, session, sent } = record;
  const { state, claim } = stateOf(record);
  const files = session?.files ?? [];
  return {
    project,
    asset,
    version,
    id,
    registry,
    since,
    state,
    ...(claim !== undefined && { process: { host: claim.host, pid: claim.pid } }),
    isAnswered: session !== undefined,
    sent: countFiles(files.filter(({ path }) => sent.has(path))),
    total: session?.total ?? countFiles([]),
  };
}

/** Gives where the context writes uploads down, or throws `invalid-argument`. */
function storeOf({ uploads }: Context): UploadStore {
  if (uploads !== undefined) return uploads;
  throw new GypsumError(
    'invalid-argument',
    'The option "stateDir" is missing: the folder where uploads are written down.',
    {
      hint: `Give it, or take the user's settings: createClient(configFromEnvironment()).`,
      details: { option: 'stateDir' },
    },
  );
}

/**
 * Gives what is written down of an upload to the context's registry, or throws `not-found`. Of several of one version the
 * one that can be brought to an end is meant, and of those the last.
 */
export async function findUpload(ctx: Context, ref: VersionRef & { readonly id?: string }): Promise<UploadRecord> {
  const { records } = await storeOf(ctx).list();
  const same = records.filter((record) => sameVersion(record, ref) && (ref.id ?? record.id) === record.id);
  const here = same.filter(({ registry }) => registry === ctx.registry.url);
  const found = here.findLast(({ session }) => session !== undefined) ?? here.at(-1);
  if (found !== undefined) return found;
  throw noUpload(ctx, ref, same.at(-1)?.registry);
}

function noUpload(ctx: Context, ref: VersionRef, elsewhere?: string): GypsumError {
  const { project, asset, version } = ref;
  return new GypsumError('not-found', `No upload of ${formatRef(ref)} to ${ctx.registry.url} is written down.`, {
    hint:
      elsewhere === undefined
        ? 'List what there is with "gypsum uploads".'
        : `There is one to ${elsewhere}: name that registry (--registry).`,
    details: { project, asset, version },
  });
}

/**
 * Throws `in-use` if a process works at an upload. Of a process on another machine nobody can tell: `force` says that
 * it is gone.
 */
export function checkIsFree(record: UploadRecord, force: boolean): void {
  const { state, claim } = stateOf(record);
  if (claim === undefined || (state === 'unknown' && force)) return;
  const where = `process ${claim.pid} on ${showText(claim.host)}`;
  const isKnown = state === 'running';
  throw new GypsumError(
    'in-use',
    `The upload of ${formatRef(record)} ${isKnown ? 'is going on' : 'may be going on'}: ${where} works at it.`,
    {
      hint: isKnown
        ? 'Wait for it, or stop it with Ctrl-C, which aborts the upload.'
        : 'If that process is gone for certain, add --force (in a program, the option "force").',
      details: { ...claim },
    },
  );
}

/** Makes this process the one that works at an upload, and gives the name of its claim. Throws `in-use`. */
export async function takeUp(ctx: Context, record: UploadRecord, force: boolean): Promise<string> {
  checkIsFree(record, force);
  const store = storeOf(ctx);
  const mine = await store.claim(record.id);
  if (mine === undefined) throw noUpload(ctx, record);
  const claims = (await store.read(record.id))?.claims ?? [];
  const known = new Set(record.claims.map(({ claim }) => claim));
  // Two may come at once: the first one in the file has it, since a file grows at its end only.
  const before = claims
    .slice(
      0,
      claims.findIndex(({ claim }) => claim === mine),
    )
    .filter(({ claim }) => !known.has(claim));
  try {
    checkIsFree({ ...record, claims: before }, false);
    return mine;
  } catch (error) {
    await store.leave(record.id, mine);
    throw error;
  }
}

function stateOf({ claims }: Pick<UploadRecord, 'claims'>): { state: RecordedUpload['state']; claim?: UploadClaim } {
  const running = claims.find((claim) => isAlive(claim) === true);
  if (running !== undefined) return { state: 'running', claim: running };
  const unknown = claims.find((claim) => isAlive(claim) === undefined);
  return unknown === undefined ? { state: 'interrupted' } : { state: 'unknown', claim: unknown };
}

/** Forgets starts of a project that were never answered: one that was answered later says that they hold nothing. */
export async function forgetUnanswered(ctx: Context, project: string): Promise<void> {
  for (const { id, session } of await leftUploads(ctx, project)) {
    if (session === undefined) await ctx.uploads?.forget(id);
  }
}

/** Names, in the error for a locked project, the upload of the user's own that may be what locks it. */
export async function nameOwnUpload(ctx: Context, { project }: VersionRef, error: GypsumError): Promise<GypsumError> {
  const own = (await leftUploads(ctx, project)).at(-1);
  if (own === undefined) return error;
  return new GypsumError('project-locked', `${error.message} It may be your own upload of ${formatRef(own)}.`, {
    hint: remedyFor(own),
    details: error.details,
    cause: error,
  });
}

/** Gives what is written down of uploads to a project at which no process of this machine works, the oldest first. */
export async function leftUploads({ uploads, registry }: Context, project: string): Promise<UploadRecord[]> {
  const { records = [] } = (await uploads?.list()) ?? {};
  return records.filter(
    (record) => record.registry === registry.url && record.project === project && stateOf(record).state !== 'running',
  );
}

/** What can be done about an upload that did not come to its end. */
export function remedyFor(record: UploadRecord): string {
  const { session, project } = record;
  if (session === undefined) {
    return `The registry's answer to its start never came. An owner frees the project with "gypsum project unlock ${showText(project)}".`;
  }
  return isWhole(session)
    ? goOnOrEnd(record)
    : `End it (gypsum uploads abort ${formatRef(record)}), and publish again.`;
}

/** What can be done about an upload whose session is written down. */
export function goOnOrEnd(ref: VersionRef): string {
  const name = formatRef(ref);
  return `Go on with it (gypsum uploads resume ${name}), or end it (gypsum uploads abort ${name}).`;
}
