import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
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
    const { md5sum, size } = await digestFile(file.source, itemSignal, onBytes);
    if (size !== file.size) throw fileChanged(file.source, undefined);
    digests[index] = { ...file, md5sum };
    onEvent?.({ type: 'progress', task: 'digest', files: 1, bytes: 0 });
  });
  onEvent?.({ type: 'end', task: 'digest' });
  return digests;
}

/** Reads a file and gives its digest and size; throws `file-changed` if it is not there. */
export async function digestFile(
  source: string,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): Promise<{ md5sum: string; size: number }> {
  const hash = createHash('md5');
  let size = 0;
  try {
    for await (const chunk of createReadStream(fsPath(source), signal === undefined ? {} : { signal })) {
      size += chunk.length;
      hash.update(chunk);
      onBytes?.(chunk.length);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw fileChanged(source, error);
    throw error;
  }
  return { md5sum: hash.digest('hex'), size };
}
