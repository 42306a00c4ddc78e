import { z } from 'zod';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { sleep, withGrace } from '../give-way.ts';
import { keys } from '../model/keys.ts';
import { checkPath } from '../model/names.ts';
import { checkVersionRef, type FileRef, formatRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { UploadFile } from '../model/upload-plan.ts';
import { NEEDS_TOKEN, wasNotProcessed } from '../registry/failures.ts';
import { encodeSessionUrl } from '../registry/session-url.ts';
import { describeFiles } from './describe-files.ts';
import { run } from './run.ts';
import { parseSummary } from './version-documents.ts';

export interface StartOptions extends CallOptions {
  /** The folder of the files that are given as paths. @default the current one */
  directory?: string;
  /** Files that are to be other versions' files. */
  links?: readonly { readonly path: string; readonly link: FileRef }[];
  /** Let the registry make links of files that the latest version has. @default true */
  deduplicate?: boolean;
  /** Upload on probation, to be approved by an owner. @default false */
  probation?: boolean;
  /** Wait for as long as the project is locked by another upload. @default false */
  wait?: boolean;
}

/** An upload that was started. Whoever holds it can send, complete and abort: treat it like a password. */
export interface UploadSession extends VersionRef {
  readonly token: string;
  /** What has to be sent; the registry may have made links of the other files. */
  readonly files: readonly (UploadFile & { readonly url: string })[];
  readonly completeUrl: string;
  readonly abortUrl: string;
}

/**
 * How long a registry may take to start or end an upload: it looks at each of perhaps a million files.
 *
 * Units: milliseconds
 */
const PATIENCE = 30 * 60_000;

/** How long an interrupted upload may take to end well. Units: milliseconds */
const GRACE = 10_000;

/** How long to wait before a locked project is asked for again. Units: milliseconds */
const ASK_AGAIN = { first: 500, most: 15_000 };

const startAnswer = z.object({
  file_urls: z.array(z.object({ path: z.string(), url: z.string(), method: z.literal('presigned') })),
  complete_url: z.string(),
  abort_url: z.string(),
  session_token: z.string().regex(/^[\x21-\x7e]+$/),
});

/**
 * Starts an upload, which locks the project until it is completed or aborted. Throws `version-exists`,
 * `project-locked`, `unauthorized` or `forbidden`.
 *
 * Files whose size and digest are known are given with them; of others the path is enough, and they are read for both.
 *
 * Once the registry has been asked, its answer is waited for a little also when the signal is aborted: whoever loses
 * the session's token leaves the project locked. Then the session is aborted. The event `upload-abandoned` says where
 * the answer was lost all the same.
 */
export async function startUpload(
  ctx: Context,
  ref: VersionRef,
  files: readonly (string | UploadFile)[],
  options: StartOptions = {},
): Promise<UploadSession> {
  const version = checkVersionRef(ref);
  const { links = [], directory = '.', wait = false, signal, onEvent } = options;
  const call = { signal, onEvent };
  for (const { path } of links) checkPath(path);
  return run(ctx, call, async () => {
    checkHasToken(ctx, version);
    const described = await describeFiles(files, directory, call);
    const document = startDocument(described, links, options);
    const answer = await unlessLocked(version, wait, call, async () => {
      // The public registry deletes a version that is started again: it must never be asked to.
      await checkVersionIsNew(ctx, version, call);
      return withGrace(signal, GRACE, (late) => sendStart(ctx, version, document, { signal: late, onEvent }, signal));
    });
    onEvent?.({ type: 'upload-started', ref: version });
    const session = { ...version, token: answer.session_token, files: [], completeUrl: answer.complete_url };
    return checkStarted({ ...session, abortUrl: answer.abort_url }, answer, described, signal).catch(
      async (error: unknown) => {
        await giveUp(ctx, { ...session, abortUrl: answer.abort_url }, { onEvent });
        throw error;
      },
    );
  });
}

function startDocument(
  files: readonly UploadFile[],
  links: NonNullable<StartOptions['links']>,
  { deduplicate = true, probation = false }: StartOptions,
) {
  const type = deduplicate ? 'dedup' : 'simple';
  return {
    files: [
      ...files.map(({ path, size, md5sum }) => ({ type, path, size, md5sum })),
      ...links.map(({ path, link }) => ({
        type: 'link',
        path,
        link: { project: link.project, asset: link.asset, version: link.version, path: link.path },
      })),
    ],
    on_probation: probation,
  };
}

type StartAnswer = z.infer<typeof startAnswer>;

async function sendStart(
  ctx: Context,
  ref: VersionRef,
  document: unknown,
  call: CallOptions,
  signal: AbortSignal | undefined,
): Promise<StartAnswer> {
  const names = [ref.project, ref.asset, ref.version].map(encodeURIComponent).join('/');
  try {
    return await ctx.registry.ask(
      {
        what: `Starting the upload of ${formatRef(ref)}`,
        method: 'POST',
        to: `/upload/start/${names}`,
        document,
        answer: startAnswer,
        patience: PATIENCE,
        shouldRetry: (error) => signal?.aborted !== true && wasNotProcessed(error),
      },
      call,
    );
  } catch (error) {
    if (!isAnswered(error) && !wasNotProcessed(error)) {
      const reason = error instanceof Error ? error : new Error(String(error));
      call.onEvent?.({ type: 'upload-abandoned', ref, error: reason });
    }
    throw error;
  }
}

/** Whether the registry has said no: then it has not started anything. A failure on the way says nothing of that. */
function isAnswered(error: unknown): boolean {
  return isGypsumError(error) && error.code !== 'unavailable' && typeof error.details.status === 'number';
}

async function checkStarted(
  session: UploadSession,
  answer: StartAnswer,
  files: readonly UploadFile[],
  signal: AbortSignal | undefined,
): Promise<UploadSession> {
  signal?.throwIfAborted();
  const byPath = new Map(files.map((file) => [file.path, file]));
  const wanted = answer.file_urls.map(({ path, url }) => {
    const file = byPath.get(path);
    if (file !== undefined) return { ...file, url };
    throw new GypsumError(
      'invalid-response',
      `Starting the upload of ${formatRef(session)} failed: the registry asks for "${showText(path)}", which was not named.`,
      { hint: 'The upload was aborted. Tell the people who run the registry.', details: { path } },
    );
  });
  return { ...session, files: wanted };
}

/** Makes the version visible and unlocks the project. */
export async function completeUpload(ctx: Context, session: UploadSession, options: CallOptions = {}): Promise<void> {
  const ref = versionOf(session);
  try {
    await sendToSession(ctx, session, session.completeUrl, `Completing the upload of ${formatRef(ref)}`, options);
  } catch (error) {
    // If the answer to an earlier attempt was lost, the session is over and the version finished.
    if (!isGypsumError(error) || (await askState(ctx, ref, options)) !== 'finished') throw error;
  }
  options.onEvent?.({ type: 'upload-completed', ref });
}

/** Removes what was sent and unlocks the project. */
export async function abortUpload(ctx: Context, session: UploadSession, options: CallOptions = {}): Promise<void> {
  const ref = versionOf(session);
  await sendToSession(ctx, session, session.abortUrl, `Aborting the upload of ${formatRef(ref)}`, options);
  options.onEvent?.({ type: 'upload-aborted', ref });
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
      onEvent?.({ type: 'upload-completed', ref });
      return 'completed';
    }
    // The session is over and nothing is there: the answer to an earlier attempt was lost.
    if (left === 'nothing' && isGypsumError(error, 'forbidden')) {
      onEvent?.({ type: 'upload-aborted', ref });
      return 'aborted';
    }
    onEvent?.({ type: 'upload-abandoned', ref, error: error instanceof Error ? error : new Error(String(error)) });
    return 'abandoned';
  }
}

/** Throws `version-exists` if the registry has the version, finished or not. */
export async function checkVersionIsNew(ctx: Context, ref: VersionRef, options: CallOptions): Promise<void> {
  const state = await askState(ctx, ref, options);
  if (state === 'nothing') return;
  const finished = state === 'finished';
  throw new GypsumError(
    'version-exists',
    finished
      ? `The version ${formatRef(ref)} exists already; a version never changes.`
      : `The version ${formatRef(ref)} exists already: an upload of it was started and has not been completed.`,
    { hint: 'Publish under another version name.', details: { ...ref, finished } },
  );
}

/** Throws `unauthorized` if the context has no token: without one, nothing can be published. */
export function checkHasToken(ctx: Context, ref: VersionRef): void {
  if (ctx.registry.hasToken) return;
  throw new GypsumError('unauthorized', `Publishing ${formatRef(ref)} needs a token.`, { hint: NEEDS_TOKEN });
}

/** Starts, and if it may wait, starts again for as long as the project is locked. */
async function unlessLocked<T>(ref: VersionRef, wait: boolean, call: CallOptions, start: () => Promise<T>): Promise<T> {
  for (let pause = ASK_AGAIN.first; ; pause = Math.min(2 * pause, ASK_AGAIN.most)) {
    try {
      return await start();
    } catch (error) {
      if (!wait || !isGypsumError(error, 'project-locked')) throw error;
      if (pause === ASK_AGAIN.first) call.onEvent?.({ type: 'wait', for: 'project-lock', ref, error });
    }
    await sleep(pause, call.signal);
  }
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
    return parseSummary(summary.toString('utf8'), ref).uploadFinish === undefined ? 'unfinished' : 'finished';
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

function versionOf({ project, asset, version }: VersionRef): VersionRef {
  return { project, asset, version };
}
