import { z } from 'zod';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { sleep } from '../give-way.ts';
import { keys } from '../model/keys.ts';
import { checkPath } from '../model/names.ts';
import { checkVersionRef, type FileRef, formatRef, type VersionRef } from '../model/refs.ts';
import { wasNotProcessed } from '../registry/failures.ts';
import { encodeSessionUrl } from '../registry/session-url.ts';
import { run } from './run.ts';

/** A file whose content is to be sent. */
export interface UploadFile {
  readonly path: string;
  /** Units: bytes */
  readonly size: number;
  readonly md5sum: string;
}

export interface StartOptions extends CallOptions {
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
 */
export function startUpload(
  ctx: Context,
  ref: VersionRef,
  files: readonly UploadFile[],
  options: StartOptions = {},
): Promise<UploadSession> {
  const version = checkVersionRef(ref);
  const { links = [], deduplicate = true, probation = false, wait = false, signal, onEvent } = options;
  const call = { signal, onEvent };
  for (const { path } of [...files, ...links]) checkPath(path);
  const type = deduplicate ? 'dedup' : 'simple';
  const what = `Starting the upload of ${formatRef(version)}`;
  const request = {
    what,
    method: 'POST' as const,
    to: `/upload/start/${[version.project, version.asset, version.version].map(encodeURIComponent).join('/')}`,
    document: {
      files: [
        ...files.map(({ path, size, md5sum }) => ({ type, path, size, md5sum })),
        ...links.map(({ path, link }) => ({
          type: 'link',
          path,
          link: { project: link.project, asset: link.asset, version: link.version, path: link.path },
        })),
      ],
      on_probation: probation,
    },
    answer: startAnswer,
    patience: PATIENCE,
    // Whoever loses the answer to a start has lost its token, and would find the project locked.
    shouldRetry: wasNotProcessed,
  };
  return run(ctx, call, async () => {
    checkHasToken(ctx, version);
    const answer = await unlessLocked(version, wait, call, async () => {
      // The public registry deletes a version that is started again: it must never be asked to.
      await checkVersionIsNew(ctx, version, call);
      return ctx.registry.send(request, call);
    });
    onEvent?.({ type: 'upload-started', ref: version });
    const byPath = new Map(files.map((file) => [file.path, file]));
    return {
      ...version,
      token: answer.session_token,
      files: answer.file_urls.map(({ path, url }) => {
        const file = byPath.get(path);
        if (file !== undefined) return { ...file, url };
        throw new GypsumError(
          'invalid-response',
          `${what} failed: the registry asks for "${path}", which was not named.`,
          {
            hint: 'Tell the people who run the registry.',
          },
        );
      }),
      completeUrl: answer.complete_url,
      abortUrl: answer.abort_url,
    };
  });
}

/** Makes the version visible and unlocks the project. */
export async function completeUpload(ctx: Context, session: UploadSession, options: CallOptions = {}): Promise<void> {
  const { project, asset, version } = session;
  const ref = { project, asset, version };
  try {
    await sendToSession(ctx, session, session.completeUrl, `Completing the upload of ${formatRef(ref)}`, options);
  } catch (error) {
    // If the answer to an earlier attempt was lost, the session is over and the version finished.
    if (!isGypsumError(error, 'forbidden') && !isGypsumError(error, 'unavailable')) throw error;
    if (!(await isFinished(ctx, ref, options))) throw error;
  }
  options.onEvent?.({ type: 'upload-completed', ref });
}

/** Removes what was sent and unlocks the project. */
export async function abortUpload(ctx: Context, session: UploadSession, options: CallOptions = {}): Promise<void> {
  const { project, asset, version } = session;
  const ref = { project, asset, version };
  await sendToSession(ctx, session, session.abortUrl, `Aborting the upload of ${formatRef(ref)}`, options);
  options.onEvent?.({ type: 'upload-aborted', ref });
}

/** Throws `version-exists` if the registry has the version, finished or not. */
export async function checkVersionIsNew(ctx: Context, ref: VersionRef, options: CallOptions): Promise<void> {
  const summary = await readSummaryIfAny(ctx, ref, options);
  if (summary === undefined) return;
  throw new GypsumError('version-exists', `The version ${formatRef(ref)} exists already; a version never changes.`, {
    hint: 'Publish under another version name.',
    details: { ...ref },
  });
}

/** Throws `unauthorized` if the context has no token: without one, nothing can be published. */
export function checkHasToken(ctx: Context, ref: VersionRef): void {
  if (ctx.registry.hasToken) return;
  throw new GypsumError('unauthorized', `Publishing ${formatRef(ref)} needs a token.`, {
    hint: 'Give one as the option "token", or in GYPSUM_TOKEN.',
  });
}

/** Starts, and if it may wait, starts again for as long as the project is locked. */
async function unlessLocked<T>(ref: VersionRef, wait: boolean, call: CallOptions, start: () => Promise<T>): Promise<T> {
  for (let pause = ASK_AGAIN.first; ; pause = Math.min(2 * pause, ASK_AGAIN.most)) {
    try {
      return await start();
    } catch (error) {
      if (!wait || !isGypsumError(error, 'project-locked')) throw error;
      if (pause === ASK_AGAIN.first) call.onEvent?.({ type: 'wait', for: 'project-lock', ref });
    }
    await sleep(pause, call.signal);
  }
}

function sendToSession(ctx: Context, session: UploadSession, url: string, what: string, options: CallOptions) {
  const to = encodeSessionUrl(url);
  return ctx.registry.send({ what, method: 'POST', to, sessionToken: session.token, patience: PATIENCE }, options);
}

async function isFinished(ctx: Context, ref: VersionRef, options: CallOptions): Promise<boolean> {
  const summary = await readSummaryIfAny(ctx, ref, options);
  return summary !== undefined && /"upload_finish"/.test(summary.toString('utf8'));
}

// Asked anew, whatever the cache knows: the version may have been removed from the registry.
async function readSummaryIfAny(ctx: Context, ref: VersionRef, options: CallOptions): Promise<Buffer | undefined> {
  try {
    return await ctx.registry.read(keys.summary(ref), 64 * 1024, options);
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}
