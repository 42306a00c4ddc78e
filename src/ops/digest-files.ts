import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { each } from '../each.ts';
import { isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { LocalFile } from './prepare-directory-upload.ts';
import { fileChanged } from './upload-files.ts';
import type { UploadFile } from './upload-session.ts';

/** How many files are read at once: enough to keep a disk busy while one thread hashes. */
const CONCURRENCY = 8;

/** Reads files and gives their digests, in the order given; throws `file-changed` if one has not the size it was seen with. */
export async function digestFiles(
  files: readonly LocalFile[],
  locate: (path: string) => string,
  { signal, onEvent }: CallOptions,
): Promise<UploadFile[]> {
  const digests = new Array<UploadFile>(files.length);
  onEvent?.({
    type: 'start',
    task: 'digest',
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  });
  await each(files.entries(), { concurrency: CONCURRENCY, signal }, async ([index, { path, size }], itemSignal) => {
    const md5sum = await digestFile(locate(path), size, itemSignal);
    digests[index] = { path, size, md5sum };
    onEvent?.({ type: 'progress', task: 'digest', files: 1, bytes: size });
  });
  onEvent?.({ type: 'end', task: 'digest' });
  return digests;
}

async function digestFile(source: string, size: number, signal: AbortSignal): Promise<string> {
  const hash = createHash('md5');
  let seen = 0;
  try {
    await pipeline(
      createReadStream(source),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          seen += chunk.length;
          hash.update(chunk);
        }
      },
      { signal },
    );
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw fileChanged(source, error);
    throw error;
  }
  if (seen !== size) throw fileChanged(source, undefined);
  return hash.digest('hex');
}
