import { each } from '../each.ts';
import { type CallOptions, callOf } from '../events.ts';
import { countFiles } from '../model/count.ts';
import { statThrough } from '../tree/stat-through.ts';
import type { FileOf } from '../tree/step.ts';
import { createDigester, type Digester } from './digester.ts';
import { fileChanged } from './file-changed.ts';

const PERMISSIONS = 0o777;
const OWNER_MAY_WRITE = 0o200;

export interface DescribeOptions extends CallOptions {
  /** The permissions of the copies. @default those of the file, and that its owner may write */
  mode?: number | undefined;
  /** Hears of a file that cannot be read; the rest goes on. Without it, the first one ends all. */
  onFailure?: ((source: string, error: Error) => void) | undefined;
}

/** Says how copies of files, given by their absolute paths, are to be made, by path: a step needs to know what they hold. */
export async function describeCopies(
  sources: Iterable<string>,
  { mode, onFailure, ...call }: DescribeOptions,
): Promise<Map<string, FileOf>> {
  const { signal, onEvent } = callOf(call);
  const files: { source: string; size: number; permissions: number }[] = [];
  const attempt = async (source: string, work: () => void | Promise<void>) => {
    try {
      await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (onFailure === undefined) throw error;
      onFailure(source, error as Error);
    }
  };
  for (const source of new Set(sources)) {
    await attempt(source, () => {
      const stats = statThrough(source);
      if (stats === undefined) throw fileChanged(source, undefined);
      const permissions = mode ?? (stats.mode & PERMISSIONS) | OWNER_MAY_WRITE;
      files.push({ source, size: stats.size, permissions });
    });
  }
  const copies = new Map<string, FileOf>();
  const digester = createDigester(files);
  onEvent?.({ type: 'start', task: 'digest', ...countFiles(files) });
  try {
    await each(files, { concurrency: digester.concurrency, signal }, async (file, itemSignal) => {
      const onBytes = (bytes: number) => onEvent?.({ type: 'progress', task: 'digest', files: 0, bytes });
      await attempt(file.source, async () => {
        copies.set(file.source, await describe(file, digester, itemSignal, onBytes));
      });
      onEvent?.({ type: 'progress', task: 'digest', files: 1, bytes: 0 });
    });
  } finally {
    await digester.close();
  }
  onEvent?.({ type: 'end', task: 'digest' });
  return copies;
}

async function describe(
  file: { readonly source: string; readonly size: number; readonly permissions: number },
  digester: Digester,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<FileOf> {
  const { source, size, permissions } = file;
  const { md5sum, size: read } = await digester.digest(file, signal, onBytes);
  if (read !== size) throw fileChanged(source, undefined);
  return { type: 'file', mode: 'reflink', source, size, digest: { algorithm: 'md5', hex: md5sum }, permissions };
}
