import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { each } from '../each.ts';
import { GypsumError, isGypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { countFiles } from '../model/count.ts';
import { digestToBase64, parseMd5 } from '../model/digest.ts';
import { fsPath } from '../model/local-path.ts';
import { formatRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { isPassing } from '../registry/failures.ts';
import { verifyStream } from '../verify-stream.ts';
import { fileChanged } from './file-changed.ts';
import type { UploadSession } from './upload-session.ts';

export interface UploadFilesOptions extends CallOptions {
  /** How many files are sent at once. @default the context's */
  concurrency?: number;
}

const presignAnswer = z.object({ url: z.string(), md5sum_base64: z.string() });

type SessionFile = UploadSession['files'][number];

/**
 * Sends the files that a session waits for: those of a folder, or the ones at the local paths that `from` gives. Throws `file-changed` if a file is
 * not any more what the session was told; the registry refuses such bytes by their digest.
 */
export async function uploadFiles(
  ctx: Context,
  session: UploadSession,
  from: string | ((path: string) => string),
  options: UploadFilesOptions = {},
): Promise<void> {
  const { signal, onEvent, concurrency = ctx.concurrency } = options;
  const locate = typeof from === 'string' ? (path: string) => join(from, path) : from;
  onEvent?.({ type: 'start', task: 'send', ...countFiles(session.files) });
  await each(session.files, { concurrency, signal }, async (file, itemSignal) => {
    await sendFile(ctx, session, file, locate(file.path), { onEvent, signal: itemSignal });
    onEvent?.({ type: 'progress', task: 'send', files: 1, bytes: 0 });
  });
  onEvent?.({ type: 'end', task: 'send' });
}

async function sendFile(ctx: Context, session: UploadSession, file: SessionFile, source: string, options: CallOptions) {
  const { onEvent } = options;
  const what = `Sending "${showText(file.path)}" of ${formatRef(session)}`;
  const digest = parseMd5(file.md5sum);
  if (digest === undefined) throw new GypsumError('invalid-argument', `"${file.md5sum}" is not an MD5.`);
  const presigned = await ctx.registry.ask(
    { what, method: 'POST', to: file.url, answer: presignAnswer, sessionToken: session.token },
    options,
  );
  if (presigned.md5sum_base64 !== digestToBase64(digest)) {
    throw new GypsumError('invalid-response', `${what} failed: the registry expects other content.`, {
      hint: 'Tell the people who run the registry.',
    });
  }
  let sent = 0;
  let changed: GypsumError | undefined;
  const count = (bytes: number) => {
    sent += bytes;
    onEvent?.({ type: 'progress', task: 'send', files: 0, bytes });
  };
  try {
    await ctx.registry.put(
      {
        what,
        url: presigned.url,
        headers: { 'content-md5': presigned.md5sum_base64, 'content-length': String(file.size) },
        body: () => {
          if (sent > 0) count(-sent);
          return openVerified(source, { digest, size: file.size }, count, (error) => {
            changed ??= error;
          });
        },
        // What the file on disk is not any more cannot be sent again.
        shouldRetry: (error) => changed === undefined && isPassing(error),
      },
      options,
    );
  } catch (error) {
    if (sent > 0) count(-sent);
    throw changed ?? error;
  }
}

/** Opens a file as a stream that breaks off if its content is not the expected one. */
function openVerified(
  source: string,
  expected: Parameters<typeof verifyStream>[0],
  onBytes: (bytes: number) => void,
  onChanged: (error: GypsumError) => void,
): Readable | Buffer {
  if (expected.size === 0) return Buffer.alloc(0);
  return pipeline(createReadStream(fsPath(source)), verifyStream(expected, source, onBytes), (error) => {
    if (isGypsumError(error, 'wrong-content') || isSystemError(error, 'ENOENT', 'EISDIR', 'ENOTDIR')) {
      onChanged(fileChanged(source, error));
    }
  });
}
