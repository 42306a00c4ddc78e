import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import { countFiles } from '../model/count.ts';
import { checkVersionRef, formatRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { ownFiles } from '../model/version-tree.ts';
import { isRefusal } from '../registry/failures.ts';
import { isWhole, type UploadRecord } from '../state/upload-record.ts';
import type { UploadResult } from './apply-upload.ts';
import { askFate, type Fate, forgetUpload, sessionOf } from './recorded-session.ts';
import { findUpload, remedyFor, takeUp } from './recorded-uploads.ts';
import { run } from './run.ts';
import { type UploadFilesOptions, uploadFiles } from './upload-files.ts';
import { completeUpload } from './upload-session.ts';

export interface ResumeOptions extends UploadFilesOptions {
  /** Go on although the process that was at it is on another machine, and may still be. @default false */
  force?: boolean;
}

/**
 * Goes on with an upload whose process is gone: sends the files that the registry has not got yet, and completes it.
 * One of several uploads of a version is named by its `id`.
 *
 * Throws `not-found` if nothing is written down, `in-use` if a process works at it, `refused` if somebody else has ended
 * it, and `file-changed` if a file is not what was announced any more. After any other failure, also by the signal, the
 * upload is as it was: it can be resumed again.
 */
export async function resumeUpload(
  ctx: Context,
  upload: VersionRef & { readonly id?: string },
  options: ResumeOptions = {},
): Promise<UploadResult> {
  const { force = false, signal, onEvent } = options;
  const call = { signal, onEvent };
  const ref = checkVersionRef(upload);
  return run(ctx, call, async () => {
    const record = await findUpload(ctx, upload);
    const { session, sources, linked } = planOf(record);
    const missing = session.files.filter(({ path }) => !record.sent.has(path));
    const claim = await takeUp(ctx, record, force);
    try {
      await uploadFiles(ctx, { ...session, files: missing }, (path) => sources.get(path) ?? path, options);
      await completeUpload(ctx, session, call);
    } catch (error) {
      const fate = isRefusal(error) ? await askFate(ctx, session, call) : 'open';
      if (fate === 'over') await forgetUpload(ctx, record);
      if (fate === 'open') onEvent?.({ type: 'upload-kept', ref });
      if (fate !== 'completed') throw explain(error, record, fate);
      onEvent?.({ type: 'upload-completed', ref });
    } finally {
      await ctx.uploads?.leave(record.id, claim);
    }
    await forgetUpload(ctx, record);
    const all = countFiles(ownFiles(session.files));
    const sum = { files: all.files + linked.files, bytes: all.bytes + linked.bytes };
    return { ...ref, published: true, ...sum, sent: countFiles(ownFiles(missing)), linked };
  });
}

/** Gives all that is needed to go on, or throws `invalid-argument`. */
function planOf(record: UploadRecord) {
  if (record.session === undefined) {
    throw new GypsumError('invalid-argument', `The upload of ${formatRef(record)} cannot be resumed.`, {
      hint: remedyFor(record),
    });
  }
  if (!isWhole(record.session)) {
    throw new GypsumError(
      'invalid-argument',
      `The upload of ${formatRef(record)} cannot be resumed: its process ended while it wrote down what it had to send.`,
      { hint: remedyFor(record) },
    );
  }
  const sources = new Map<string, string>();
  for (const { path, source } of record.session.files) if (source !== undefined) sources.set(path, source);
  const made = record.session.files.filter(({ content }) => content !== undefined);
  if (sources.size + made.length < record.session.files.length) {
    throw new GypsumError(
      'invalid-argument',
      `The upload of ${formatRef(record)} cannot be resumed: the program that started it has not said where its files are.`,
      { hint: `Have that program send them, or end it (gypsum uploads abort ${formatRef(record)}).` },
    );
  }
  return { session: sessionOf(record, record.session), sources, linked: record.session.linked };
}

/** Says what can be done about a failure that a first try would not have had. */
function explain(error: unknown, record: UploadRecord, fate: Fate): unknown {
  const name = formatRef(record);
  if (fate === 'over') {
    return new GypsumError(
      'refused',
      `The upload of ${name} cannot be resumed: somebody else has ended it, or unlocked its project.`,
      {
        hint: `Publish again; under another version name, if "gypsum version summary ${name}" still knows this one.`,
        cause: error,
      },
    );
  }
  if (!isGypsumError(error, 'file-changed')) return error;
  return new GypsumError(
    'file-changed',
    `${showText(String(error.details.source))} is not what it was when the upload was started.`,
    {
      hint: `An upload takes what was announced. End this one (gypsum uploads abort ${name}), and publish again.`,
      details: error.details,
      cause: error,
    },
  );
}
