import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { GypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { parseMd5 } from '../model/digest.ts';
import { fsPath } from '../model/local-path.ts';
import { checkPath } from '../model/names.ts';
import { showText } from '../model/text.ts';
import type { AnnouncedFile, LocalSource } from '../model/upload-plan.ts';
import { absolutePath } from '../tree/real-path.ts';
import { digestFiles } from './digest-files.ts';

/**
 * Gives size and digest of files of which only the path is known: they are read from a folder. The order stays. Throws
 * `invalid-argument` for what is no file, or has no MD5.
 */
export async function describeFiles(
  ctx: Context,
  files: readonly (string | AnnouncedFile)[],
  directory: string,
  call: CallOptions,
): Promise<AnnouncedFile[]> {
  const sources: LocalSource[] = [];
  for (const file of files) {
    if (typeof file === 'string') sources.push({ path: file, ...(await findFile(join(directory, checkPath(file)))) });
    else checkAnnounced(file);
  }
  const read = new Map((await digestFiles(ctx, sources, call)).map((file) => [file.path, file]));
  return files.flatMap((file) => (typeof file === 'string' ? (read.get(file) ?? []) : file));
}

/** The public registry takes any text for an MD5, and fails when the file is to be sent. */
function checkAnnounced({ path, md5sum }: AnnouncedFile): void {
  checkPath(path);
  if (parseMd5(md5sum) !== undefined) return;
  throw new GypsumError('invalid-argument', `The "md5sum" of "${showText(path)}" is not 32 hexadecimal digits.`, {
    hint: 'Give the path alone to have the file read for its size and digest.',
    details: { path },
  });
}

/** Gives the absolute path and the size of a file, or throws `invalid-argument`. */
export async function findFile(file: string): Promise<{ source: string; size: number }> {
  const source = absolutePath(file);
  const stats = await stat(fsPath(source)).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (stats?.isFile()) return { source, size: stats.size };
  throw new GypsumError('invalid-argument', `${showText(source)} is not a file.`, {
    hint: 'Give the path of a file.',
    details: { source },
  });
}
