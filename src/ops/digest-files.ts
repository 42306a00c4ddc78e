import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { each } from '../each.ts';
import { isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { countFiles } from '../model/count.ts';
import { fsPath } from '../model/local-path.ts';
import type { LocalSource, PlannedFile } from '../model/upload-plan.ts';
import { fileChanged } from './file-changed.ts';

/** How many files are read at once: enough to keep a disk busy while one thread hashes. */
const CONCURRENCY = 8;

/** Reads files and gives their digests, in the order given; throws `file-changed` if one has not the size it was seen with. */
export async function digestFiles(
  files: readonly LocalSource[],
  { signal, onEvent }: CallOptions,
): Promise<PlannedFile[]> {
  const digests = new Array<PlannedFile>(files.length);
  onEvent?.({ type: 'start', task: 'digest', ...countFiles(files) });
  await each(files.entries(), { concurrency: CONCURRENCY, signal }, async ([index, file], itemSignal) => {
    const onBytes = (more: number) => onEvent?.({ type: 'progress', task: 'digest', files: 0, bytes: more });
    digests[index] = { ...file, md5sum: await digestFile(file.source, file.size, itemSignal, onBytes) };
    onEvent?.({ type: 'progress', task: 'digest', files: 1, bytes: 0 });
  });
  onEvent?.({ type: 'end', task: 'digest' });
  return digests;
}

async function digestFile(
  source: string,
  size: number,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const hash = createHash('md5');
  let seen = 0;
  try {
    await pipeline(
      createReadStream(fsPath(source)),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          seen += chunk.length;
          hash.update(chunk);
          onBytes(chunk.length);
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
