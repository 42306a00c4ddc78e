import { z } from 'zod';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { sleep, withGrace } from '../give-way.ts';
import { countFiles } from '../model/count.ts';
import { checkPath } from '../model/names.ts';
import { checkVersionRef, type FileRef, fileOf, formatRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { AnnouncedFile } from '../model/upload-plan.ts';
import { ownFiles } from '../model/version-tree.ts';
import { isRefusal, wasNotProcessed } from '../registry/failures.ts';
import { checkSendableNames } from './check-sendable-names.ts';
import { describeFiles } from './describe-files.ts';
import { forgetUnanswered, nameOwnUpload } from './recorded-uploads.ts';
import { run } from './run.ts';
import { checkHasToken, checkVersionIsNew, GRACE, giveUp, PATIENCE, type UploadSession } from './upload-session.ts';

/** A file that is to be another version's; its size is of use to whoever counts, and to no registry. */
export interface AnnouncedLink {
  readonly path: string;
  readonly link: FileRef;
  /** Units: bytes */
  readonly size?: number;
}

export interface StartOptions extends CallOptions {
  /** The folder of the files that are given as paths. @default the current one */
  directory?: string;
  /** Files that are to be other versions' files. */
  links?: readonly AnnouncedLink[];
  /**
   * Let the registry make links of files that the latest version has, or this upload where it can: of all, of none, or of
   * those whose paths are given. @default true
   */
  deduplicate?: boolean | ReadonlySet<string>;
  /** Upload on probation, to be approved by an owner. @default false */
  probation?: boolean;
  /** Wait for as long as the project is locked by another upload. @default false */
  wait?: boolean;
}

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
 * Where the context has a folder for it, the session is written down there before this returns: `resumeUpload` goes on
 * with it if each file's `source` is known, too.
 *
 * Once the registry has been asked, its answer is waited for a little also when the signal is aborted: whoever loses
 * the session's token leaves the project locked. Then the session is aborted. The event `upload-abandoned` says where
 * the answer was lost all the same.
 */
export async function startUpload(
  ctx: Context,
  ref: VersionRef,
  files: readonly (string | AnnouncedFile)[],
  options: StartOptions = {},
): Promise<UploadSession> {
  const version = checkVersionRef(ref);
  const { links = [], directory = '.', wait = false, signal, onEvent } = options;
  const call = { signal, onEvent };
  for (const { path } of links) checkPath(path);
  return run(ctx, call, async () => {
    checkHasToken(ctx, version);
    const described = await describeFiles(ctx, files, directory, call);
    await checkSendableNames(ctx, version, described, links, call);
    const document = startDocument(described, links, options);
    const { id, answer } = await unlessLocked(ctx, version, wait, call, async () => {
      // The public registry deletes a version that is started again: it must never be asked to.
      await checkVersionIsNew(ctx, version, call);
      return announceAndStart(ctx, version, document, call);
    });
    const session: UploadSession = {
      ...version,
      ...(id !== undefined && { id }),
      token: answer.session_token,
      files: namedFiles(answer, described),
      completeUrl: answer.complete_url,
      abortUrl: answer.abort_url,
    };
    try {
      await writeDown(ctx, session, described, links);
      onEvent?.({ type: 'upload-started', ref: version });
      signal?.throwIfAborted();
      checkNamed(session, answer);
      return session;
    } catch (error) {
      await giveUp(ctx, session, { onEvent });
      throw error;
    }
  });
}

function startDocument(
  files: readonly AnnouncedFile[],
  links: readonly AnnouncedLink[],
  { deduplicate = true, probation = false }: StartOptions,
) {
  const typeOf = (path: string) =>
    (typeof deduplicate === 'boolean' ? deduplicate : deduplicate.has(path)) ? 'dedup' : 'simple';
  return {
    // Made as they are sent: there may be a million.
    files: {
      *[Symbol.iterator]() {
        for (const { path, size, md5sum } of files) yield { type: typeOf(path), path, size, md5sum };
        for (const { path, link } of links) yield { type: 'link', path, link: fileOf(link, link.path) };
      },
    },
    on_probation: probation,
  };
}

type StartAnswer = z.infer<typeof startAnswer>;

/** Writes down what is going to be asked, and asks: whoever is killed meanwhile learns which project may be locked. */
async function announceAndStart(
  ctx: Context,
  ref: VersionRef,
  document: unknown,
  { signal, onEvent }: CallOptions,
): Promise<{ id: string | undefined; answer: StartAnswer }> {
  const id = await ctx.uploads?.announce(ctx.registry.url, ref);
  if (id !== undefined && signal?.aborted) await ctx.uploads?.forget(id);
  signal?.throwIfAborted();
  try {
    const ask = (late: AbortSignal) => sendStart(ctx, ref, document, { signal: late, onEvent }, signal);
    return { id, answer: await withGrace(signal, GRACE, ask) };
  } catch (error) {
    if (id !== undefined) await (mayHaveStarted(error) ? ctx.uploads?.leave(id, id) : ctx.uploads?.forget(id));
    throw error;
  }
}

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
    if (mayHaveStarted(error)) {
      const reason = error instanceof Error ? error : new Error(String(error));
      call.onEvent?.({ type: 'upload-abandoned', ref, error: reason, isRecorded: false });
    }
    throw error;
  }
}

/** A registry that says no has not started anything; a failure on the way says nothing of that. */
function mayHaveStarted(error: unknown): boolean {
  return !isRefusal(error) && !wasNotProcessed(error);
}

/** Gives the files that the registry asks for, of those that it was told of. */
function namedFiles(answer: StartAnswer, files: readonly AnnouncedFile[]): UploadSession['files'] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return answer.file_urls.flatMap(({ path, url }) => {
    const file = byPath.get(path);
    return file === undefined ? [] : { ...file, url };
  });
}

function checkNamed(session: UploadSession, answer: StartAnswer): void {
  if (session.files.length === answer.file_urls.length) return;
  const named = new Set(session.files.map(({ path }) => path));
  const path = answer.file_urls.find((file) => !named.has(file.path))?.path ?? '';
  throw new GypsumError(
    'invalid-response',
    `Starting the upload of ${formatRef(session)} failed: the registry asks for "${showText(path)}", which was not named.`,
    { hint: 'The upload was aborted. Tell the people who run the registry.', details: { path } },
  );
}

/** From here on, the upload can be brought to its end also without this process. */
async function writeDown(
  ctx: Context,
  session: UploadSession,
  files: readonly AnnouncedFile[],
  links: readonly AnnouncedLink[],
): Promise<void> {
  const { id, token, completeUrl, abortUrl } = session;
  if (ctx.uploads === undefined || id === undefined) return;
  const sent = new Set(session.files.map(({ path }) => path));
  const linked = ownFiles([
    ...links.map(({ path, size = 0 }) => ({ path, size })),
    ...files.filter(({ path }) => !sent.has(path)),
  ]);
  await ctx.uploads.keep(id, { token, completeUrl, abortUrl, files: session.files, linked: countFiles(linked) });
  await forgetUnanswered(ctx, session.project);
}

/** Starts, and if it may wait, starts again for as long as the project is locked. */
async function unlessLocked<T>(
  ctx: Context,
  ref: VersionRef,
  wait: boolean,
  call: CallOptions,
  start: () => Promise<T>,
): Promise<T> {
  for (let pause = ASK_AGAIN.first; ; pause = Math.min(2 * pause, ASK_AGAIN.most)) {
    try {
      return await start();
    } catch (error) {
      if (!isGypsumError(error, 'project-locked')) throw error;
      const named = await nameOwnUpload(ctx, ref, error);
      if (!wait) throw named;
      if (pause === ASK_AGAIN.first) call.onEvent?.({ type: 'wait', for: 'project-lock', ref, error: named });
    }
    await sleep(pause, call.signal);
  }
}
