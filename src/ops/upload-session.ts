import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { formatRef, sameVersion, type VersionRef } from '../model/refs.ts';
import type { AnnouncedFile } from '../model/upload-plan.ts';
import { NEEDS_TOKEN } from '../registry/failures.ts';
import { offlineError } from '../registry/offline.ts';
import { encodeSessionUrl } from '../registry/session-url.ts';
import { leftUploads, remedyFor } from './recorded-uploads.ts';
import { loadDocuments, parseSummary } from './version-documents.ts';

/** An upload that was started. Whoever holds it can send, complete and abort: treat it like a password. */
export interface UploadSession extends VersionRef {
  /** By what it is written down, if it is. */
  readonly id?: string;
  readonly token: string;
  /** What has to be sent; the registry may have made links of the other files. */
  readonly files: readonly (AnnouncedFile & { readonly url: string })[];
  readonly completeUrl: string;
  readonly abortUrl: string;
}

/**
 * How long a registry may take to start or end an upload: it looks at each of perhaps a million files.
 *
 * Units: milliseconds
 */
export const PATIENCE = 30 * 60_000;

/** How long an interrupted upload may take to end well. Units: milliseconds */
export const GRACE = 10_000;

/** Makes the version visible and unlocks the project. */
export async function completeUpload(ctx: Context, session: UploadSession, options: CallOptions = {}): Promise<void> {
  const ref = versionOf(session);
  try {
    await sendToSession(ctx, session, session.completeUrl, `Completing the upload of ${formatRef(ref)}`, options);
  } catch (error) {
    // If the answer to an earlier attempt was lost, the session is over and the version finished.
    if (!isGypsumError(error) || !(await isPublished(ctx, session, options))) throw error;
  }
  await forget(ctx, session);
  options.onEvent?.({ type: 'upload-completed', ref });
}

/** Removes what was sent and unlocks the project. */
export async function abortUpload(ctx: Context, session: UploadSession, options: CallOptions = {}): Promise<void> {
  const ref = versionOf(session);
  await sendToSession(ctx, session, session.abortUrl, `Aborting the upload of ${formatRef(ref)}`, options);
  await forget(ctx, session);
  options.onEvent?.({ type: 'upload-aborted', ref });
}

/** Whether the registry has a finished version with all that a session was to send. */
export async function isPublished(
  ctx: Context,
  { files, ...session }: UploadSession,
  call: CallOptions,
): Promise<boolean> {
  const ref = versionOf(session);
  if ((await askState(ctx, ref, call)) !== 'finished') return false;
  const { manifest } = await loadDocuments(ctx, ref, call);
  return files.every(({ path, size, md5sum }) => {
    const entry = manifest[path];
    return entry?.size === size && entry.md5sum.toLowerCase() === md5sum.toLowerCase();
  });
}

/**
 * Aborts a session that failed, or finds that it has been completed after all; says which by events and by its result.
 * It throws nothing: what is thrown is why the upload failed.
 */
export async function giveUp(
  ctx: Context,
  session: UploadSession,
  { onEvent }: Pick<CallOptions, 'onEvent'>,
): Promise<'aborted' | 'completed' | 'abandoned'> {
  const call = { onEvent, signal: AbortSignal.timeout(GRACE) };
  const ref = versionOf(session);
  try {
    await abortUpload(ctx, session, call);
    return 'aborted';
  } catch (error) {
    const left = isGypsumError(error) ? await askStateIfAny(ctx, ref, call) : 'unfinished';
    if (left === 'finished') {
      await forget(ctx, session);
      onEvent?.({ type: 'upload-completed', ref });
      return 'completed';
    }
    // The session is over and nothing is there: the answer to an earlier attempt was lost.
    if (left === 'nothing' && isGypsumError(error, 'forbidden')) {
      await forget(ctx, session);
      onEvent?.({ type: 'upload-aborted', ref });
      return 'aborted';
    }
    const isRecorded = await leave(ctx, session);
    const reason = error instanceof Error ? error : new Error(String(error));
    onEvent?.({ type: 'upload-abandoned', ref, error: reason, isRecorded });
    return 'abandoned';
  }
}

/** Throws `version-exists` if the registry has the version, finished or not. */
export async function checkVersionIsNew(ctx: Context, ref: VersionRef, options: CallOptions): Promise<void> {
  if (ctx.registry.isOffline) throw offlineError(`Publishing ${formatRef(ref)} needs the registry.`);
  const state = await askState(ctx, ref, options);
  if (state === 'nothing') return;
  const finished = state === 'finished';
  const left = finished ? [] : await leftUploads(ctx, ref.project);
  const own = left.findLast((record) => sameVersion(record, ref));
  throw new GypsumError(
    'version-exists',
    finished
      ? `The version ${formatRef(ref)} exists already; a version never changes.`
      : `The version ${formatRef(ref)} exists already: an upload of it was started and has not been completed.`,
    {
      hint: own === undefined ? 'Publish under another version name.' : `It is your own. ${remedyFor(own)}`,
      details: { ...ref, finished },
    },
  );
}

/** Throws `unauthorized` if the context has no token: without one, nothing can be published. */
export function checkHasToken(ctx: Context, ref: VersionRef): void {
  if (ctx.registry.hasToken) return;
  throw new GypsumError('unauthorized', `Publishing ${formatRef(ref)} needs a token.`, { hint: NEEDS_TOKEN });
}

function sendToSession(ctx: Context, session: UploadSession, url: string, what: string, options: CallOptions) {
  const to = encodeSessionUrl(url);
  return ctx.registry.send({ what, method: 'POST', to, sessionToken: session.token, patience: PATIENCE }, options);
}

type State = 'nothing' | 'unfinished' | 'finished';

/** Says how far the registry is with a version. It is asked anew, whatever the cache knows: the version may be gone. */
async function askState(ctx: Context, ref: VersionRef, call: CallOptions): Promise<State> {
  try {
    const summary = await ctx.registry.read(keys.summary(ref), 64 * 1024, call);
    return parseSummary(summary, ref).uploadFinish === undefined ? 'unfinished' : 'finished';
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return 'nothing';
    throw error;
  }
}

/** The same after a failure: what cannot be asked any more is not known to be over. */
async function askStateIfAny(ctx: Context, ref: VersionRef, call: CallOptions): Promise<State> {
  try {
    return await askState(ctx, ref, call);
  } catch (error) {
    if (isGypsumError(error) || call.signal?.aborted) return 'unfinished';
    throw error;
  }
}

async function forget({ uploads }: Context, { id }: UploadSession): Promise<void> {
  if (id !== undefined) await uploads?.forget(id);
}

/** Writes down that nobody works at a session any more, and says whether it is written down at all. */
async function leave({ uploads }: Context, { id }: UploadSession): Promise<boolean> {
  if (uploads === undefined || id === undefined) return false;
  await uploads.leave(id, id);
  return true;
}

function versionOf({ project, asset, version }: VersionRef): VersionRef {
  return { project, asset, version };
}
