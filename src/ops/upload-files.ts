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
import { passableSlugUrl } from '../registry/slug-url.ts';
import { readSmall, SMALL } from '../tree/read-small.ts';
import { type Expected, verifyStream, verifyWhole } from '../verify-stream.ts';
import { fileChanged } from './file-changed.ts';
import type { UploadSession } from './upload-session.ts';

export interface UploadFilesOptions extends CallOptions {
  /** How many files are sent at once. @default the context's */
  concurrency?: number;
}

const presignAnswer = z.object({ url: z.string(), md5sum_base64: z.string() });

type SessionFile = UploadSession['files'][number];

/** The path of a file, or what it consists of. */
type Source = string | Buffer;

/**
 * Sends the files that a session waits for: those of a folder, or the ones at the local paths that `from` gives. Throws
 * `file-changed` if a file is not any more what the session was told; the registry refuses such bytes by their digest.
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
  const sent = session.id === undefined ? undefined : await ctx.uploads?.openSent(session.id);
  try {
    await each(session.files, { concurrency, signal }, async (file, itemSignal) => {
      const source = file.content === undefined ? locate(file.path) : Buffer.from(file.content);
      await sendFile(ctx, session, file, source, { onEvent, signal: itemSignal });
      sent?.add(file.path);
      onEvent?.({ type: 'progress', task: 'send', files: 1, bytes: 0 });
    });
  } finally {
    await sent?.close();
  }
  onEvent?.({ type: 'end', task: 'send' });
}

async function sendFile(ctx: Context, session: UploadSession, file: SessionFile, source: Source, options: CallOptions) {
  const what = `Sending "${showText(file.path)}" of ${formatRef(session)}`;
  const digest = parseMd5(file.md5sum);
  if (digest === undefined) throw new GypsumError('invalid-argument', `"${file.md5sum}" is not an MD5.`);
  const presign = async () => {
    const presigned = await ctx.registry.ask(
      { what, method: 'POST', to: passableSlugUrl(file.url), answer: presignAnswer, sessionToken: session.token },
      options,
    );
    if (presigned.md5sum_base64 !== digestToBase64(digest)) {
      throw new GypsumError('invalid-response', `${what} failed: the registry expects other content.`, {
        hint: 'Tell the people who run the registry.',
      });
    }
    return presigned.url;
  };
  const put = (url: string) => putFile(ctx, what, url, source, { digest, size: file.size }, options);
  const url = await presign();
  try {
    await put(url);
  } catch (error) {
    if (!isGypsumError(error, 'forbidden')) throw error;
    // It was good for an hour, which a slow line or a laptop that sleeps outlasts. The registry knows if it was not that.
    await put(await presign());
  }
}

async function putFile(
  ctx: Context,
  what: string,
  url: string,
  source: Source,
  expected: Expected,
  options: CallOptions,
): Promise<void> {
  let sent = 0;
  let changed: GypsumError | undefined;
  const count = (bytes: number) => {
    sent += bytes;
    options.onEvent?.({ type: 'progress', task: 'send', files: 0, bytes });
  };
  try {
    await ctx.registry.put(
      {
        what,
        url,
        headers: { 'content-md5': digestToBase64(expected.digest), 'content-length': String(expected.size) },
        body: () => {
          if (sent > 0) count(-sent);
          return openVerified(source, expected, count, (error) => {
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

/** Gives a small file whole if it is the expected one, and opens another as a stream that breaks off if it is not. */
function openVerified(
  source: Source,
  expected: Expected,
  onBytes: (bytes: number) => void,
  onChanged: (error: GypsumError) => void,
): Readable | Buffer {
  if (expected.size === 0) return Buffer.alloc(0);
  if (typeof source !== 'string') {
    onBytes(source.length);
    return source;
  }
  const tell = (error: unknown) => {
    if (isGypsumError(error, 'wrong-content') || isSystemError(error, 'ENOENT', 'EISDIR', 'ENOTDIR')) {
      onChanged(fileChanged(source, error));
    }
  };
  if (expected.size >= SMALL)
    return pipeline(createReadStream(fsPath(source)), verifyStream(expected, source, onBytes), tell);
  try {
    const content = verifyWhole(readSmall(source, expected.size), expected, source);
    onBytes(content.length);
    return content;
  } catch (error) {
    tell(error);
    throw error;
  }
}
