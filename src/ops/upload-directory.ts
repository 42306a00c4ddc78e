import { join } from 'node:path';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { checkVersionRef, formatRef, type VersionRef } from '../model/refs.ts';
import { digestFiles } from './digest-files.ts';
import { type PrepareOptions, prepareDirectoryUpload } from './prepare-directory-upload.ts';
import { run } from './run.ts';
import { type UploadFilesOptions, uploadFiles } from './upload-files.ts';
import {
  abortUpload,
  checkVersionIsNew,
  completeUpload,
  type StartOptions,
  startUpload,
  type UploadSession,
} from './upload-session.ts';

export type UploadDirectoryOptions = PrepareOptions & UploadFilesOptions & Omit<StartOptions, 'links'>;

export interface UploadResult extends VersionRef {
  readonly files: number;
  /** Units: bytes */
  readonly bytes: number;
  /** Files whose content was sent. */
  readonly sent: { readonly files: number; readonly bytes: number };
  /** Files that became links: symlinks into the cache, and what the registry knew already. */
  readonly linked: { readonly files: number; readonly bytes: number };
}

/** Units: milliseconds. An abort that takes longer is given up, so that Ctrl-C ends soon. */
const ABORT_TIMEOUT = 10_000;

/**
 * Publishes a folder as a new version: surviving links of a clone become links, the rest is sent. Throws
 * `version-exists`, `invalid-tree`, `file-changed`, `project-locked`, `unauthorized` or `forbidden`.
 *
 * On any failure after the start, also by the signal, the session is aborted: nothing of it stays, and the project is
 * unlocked. The events `upload-aborted` and `upload-abandoned` say whether that worked.
 */
export function uploadDirectory(
  ctx: Context,
  ref: VersionRef,
  directory: string,
  options: UploadDirectoryOptions = {},
): Promise<UploadResult> {
  const version = checkVersionRef(ref);
  const { signal, onEvent } = options;
  const call = { signal, onEvent };
  return run(ctx, call, async () => {
    if (!ctx.registry.hasToken) {
      throw new GypsumError('unauthorized', `Publishing ${formatRef(version)} needs a token.`, {
        hint: 'Give one as the option "token", or in GYPSUM_TOKEN.',
      });
    }
    await checkVersionIsNew(ctx, version, call);
    const prepared = await prepareDirectoryUpload(ctx, directory, options);
    const locate = (path: string) => join(prepared.directory, path);
    const files = await digestFiles(prepared.files, locate, call);
    const session = await startUpload(ctx, version, files, { ...options, links: prepared.links });
    try {
      await uploadFiles(ctx, session, locate, options);
      await completeUpload(ctx, session, call);
    } catch (error) {
      await giveUp(ctx, session, call);
      throw error;
    }
    const all = count([...prepared.files, ...prepared.links]);
    const sent = count(session.files);
    return {
      ...version,
      ...all,
      sent,
      linked: { files: all.files - sent.files, bytes: all.bytes - sent.bytes },
    };
  });
}

async function giveUp(ctx: Context, session: UploadSession, { onEvent }: CallOptions): Promise<void> {
  const { project, asset, version } = session;
  try {
    await abortUpload(ctx, session, { onEvent, signal: AbortSignal.timeout(ABORT_TIMEOUT) });
  } catch (error) {
    // What is thrown is why the upload failed; that the project stays locked is told beside it.
    const reason = error instanceof Error ? error : new Error(String(error));
    onEvent?.({ type: 'upload-abandoned', ref: { project, asset, version }, error: reason });
  }
}

function count(files: readonly { readonly size: number }[]): { files: number; bytes: number } {
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}
