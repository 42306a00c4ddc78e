import { type LocalDigests, openLocalDigests } from '../cache/local-digests.ts';
import type { Context } from '../context.ts';
import { each } from '../each.ts';
import type { CallOptions } from '../events.ts';
import { countFiles } from '../model/count.ts';
import type { LocalSource, PlannedFile } from '../model/upload-plan.ts';
import { statThrough } from '../tree/stat-through.ts';
import { digestFile } from './digest-file.ts';
import { createDigestPool, type DigestPool } from './digest-pool.ts';
import { fileChanged } from './file-changed.ts';

/** How many files are read at once: enough to keep a disk busy while one thread hashes. */
const CONCURRENCY = 8;

/**
 * Files from this size on are digested by worker threads where there is so much of them: two threads take 240 ms for
 * 256 MiB that one takes 430 ms for, 80 ms in place of 110 for 64 MiB, and as long as one for 32 MiB, since to start
 * them takes 25 ms.
 *
 * Units: bytes
 * Source: bare loops on two cores, files in memory; `npm run bench -- --case digest` measures it as a whole
 */
const LARGE = 4 * 1024 * 1024;
const WORTHWHILE = 64 * 1024 * 1024;

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
  const large = files.filter(({ size }) => size >= LARGE);
  const pool = countFiles(large).bytes < WORTHWHILE ? undefined : createDigestPool();
  onEvent?.({ type: 'start', task: 'digest', ...countFiles(files) });
  try {
    await each(files.entries(), { concurrency: CONCURRENCY, signal }, async ([index, file], itemSignal) => {
      const onBytes = (more: number) => onEvent?.({ type: 'progress', task: 'digest', files: 0, bytes: more });
      const md5sum = await digest(file, { memory, pool }, itemSignal, onBytes);
      digests[index] = { ...file, md5sum };
      onEvent?.({ type: 'progress', task: 'digest', files: 1, bytes: 0 });
    });
    await memory.flush(signal);
  } finally {
    await pool?.close();
  }
  onEvent?.({ type: 'end', task: 'digest' });
  return digests;
}

async function digest(
  { source, size }: LocalSource,
  { memory, pool }: { memory: LocalDigests; pool: DigestPool | undefined },
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
  const read = pool !== undefined && size >= LARGE ? pool.digest : digestFile;
  const digested = await read(source, signal, onBytes);
  if (digested.size !== size) throw fileChanged(source, undefined);
  memory.note(source, stats, digested.md5sum);
  return digested.md5sum;
}
