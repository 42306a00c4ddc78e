import { type LocalDigests, openLocalDigests } from '../cache/local-digests.ts';
import type { Context } from '../context.ts';
import { each } from '../each.ts';
import type { CallOptions } from '../events.ts';
import { countFiles } from '../model/count.ts';
import type { LocalSource, PlannedFile } from '../model/upload-plan.ts';
import { statThrough } from '../tree/stat-through.ts';
import { createDigester, type Digester } from './digester.ts';
import { fileChanged } from './file-changed.ts';

/**
 * Gives the digests of files, in the order given; throws `file-changed` if one has not the size it was seen with. A file
 * that was digested before and not touched since is not read.
 */
export async function digestFiles(
  ctx: Context,
  files: readonly LocalSource[],
  { signal, onEvent }: CallOptions,
): Promise<PlannedFile[]> {
  if (files.length === 0) return [];
  await ctx.cache.open();
  const digests = new Array<PlannedFile>(files.length);
  const memory = openLocalDigests(ctx.cache.layout);
  const digester = createDigester(files);
  onEvent?.({ type: 'start', task: 'digest', ...countFiles(files) });
  try {
    await each(files.entries(), { concurrency: digester.concurrency, signal }, async ([index, file], itemSignal) => {
      const onBytes = (more: number) => onEvent?.({ type: 'progress', task: 'digest', files: 0, bytes: more });
      const md5sum = await digest(file, { memory, digester }, itemSignal, onBytes);
      digests[index] = { ...file, md5sum };
      onEvent?.({ type: 'progress', task: 'digest', files: 1, bytes: 0 });
    });
    await memory.flush(signal);
  } finally {
    await digester.close();
  }
  onEvent?.({ type: 'end', task: 'digest' });
  return digests;
}

async function digest(
  { source, size }: LocalSource,
  { memory, digester }: { memory: LocalDigests; digester: Digester },
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const stats = statThrough(source);
  if (stats?.size !== size) throw fileChanged(source, undefined);
  const known = await memory.find(stats);
  if (known !== undefined) {
    onBytes(size);
    return known;
  }
  const digested = await digester.digest({ source, size }, signal, onBytes);
  if (digested.size !== size) throw fileChanged(source, undefined);
  memory.note(source, stats, digested.md5sum);
  return digested.md5sum;
}
