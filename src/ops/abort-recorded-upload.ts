import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { checkVersionRef, formatRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { isRefusal } from '../registry/failures.ts';
import type { UploadRecord } from '../state/upload-record.ts';
import { askFate, forgetUpload, isLockedFor, sessionOf } from './recorded-session.ts';
import { checkIsFree, findUpload } from './recorded-uploads.ts';
import { run } from './run.ts';
import { abortUpload } from './upload-session.ts';

export interface AbortRecordedOptions extends CallOptions {
  /** Abort although the process that was at it is on another machine, and may still be. @default false */
  force?: boolean;
}

/** What has become of an upload. */
export interface AbortedUpload extends VersionRef {
  /** `completed` is one that had been published after all, `over` one that somebody else had ended. */
  readonly outcome: 'aborted' | 'completed' | 'over';
}

/**
 * Ends an upload whose process is gone: what it has sent is removed, its project unlocked, and nothing of it written
 * down any more. One of several uploads of a version is named by its `id`.
 *
 * Throws `not-found` if nothing is written down, `in-use` if a process works at it, and `project-locked` if only its
 * project can be unlocked, since the answer to its start never came.
 */
export async function abortRecordedUpload(
  ctx: Context,
  upload: VersionRef & { readonly id?: string },
  { force = false, signal, onEvent }: AbortRecordedOptions = {},
): Promise<AbortedUpload> {
  const call = { signal, onEvent };
  const ref = checkVersionRef(upload);
  return run(ctx, call, async () => {
    const record = await findUpload(ctx, upload);
    checkIsFree(record, force);
    const outcome = await end(ctx, record, call);
    await forgetUpload(ctx, record);
    return { ...ref, outcome };
  });
}

async function end(ctx: Context, record: UploadRecord, call: CallOptions): Promise<AbortedUpload['outcome']> {
  if (record.session === undefined) {
    if (await isLockedFor(ctx, record, call)) throw unanswered(record);
    return 'over';
  }
  const session = sessionOf(record, record.session);
  try {
    await abortUpload(ctx, session, call);
    return 'aborted';
  } catch (error) {
    const fate = isRefusal(error) ? await askFate(ctx, session, call) : 'open';
    if (fate === 'open') throw error;
    return fate;
  }
}

function unanswered({ project, asset, version }: VersionRef): GypsumError {
  return new GypsumError(
    'project-locked',
    `The project ${showText(project)} is locked for ${formatRef({ project, asset, version })}, and nobody can end that upload: the registry's answer to its start never came.`,
    {
      hint: `Have an owner run "gypsum project unlock ${showText(project)}", unless another process uploads that version now.`,
      details: { project, asset, version },
    },
  );
}
