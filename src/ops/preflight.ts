import type { Context } from '../context.ts';
import { type ErrorCode, GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { countFiles } from '../model/count.ts';
import { keys } from '../model/keys.ts';
import { MAX_FILE_BYTES } from '../model/manifest.ts';
import { MAX_KEY_BYTES } from '../model/names.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import type { LocalFile } from '../model/upload-plan.ts';
import { fetchQuota, fetchUsage } from './quota.ts';

/** Throws `invalid-tree` if a registry cannot store a file under its name in the version, or not one of its size. */
export function checkFit(ref: VersionRef, files: readonly LocalFile[]): void {
  const room = MAX_KEY_BYTES - Buffer.byteLength(keys.version(ref));
  for (const { path, size } of files) {
    if (size > MAX_FILE_BYTES) throw unfit(path, `is larger than the ${MAX_FILE_BYTES} bytes that a file may have`);
    if (path.length > room / 3 && Buffer.byteLength(path) > room) {
      throw unfit(path, `is, with ${formatRef(ref)}/ before it, longer than ${MAX_KEY_BYTES} bytes`);
    }
  }
}

function unfit(path: string, why: string): GypsumError {
  return new GypsumError('invalid-tree', `"${showText(path)}" ${why}. Nothing was sent.`, {
    hint: 'Give it a shorter name, or split it.',
    details: { path },
  });
}

/** What keeps us from knowing a quota is no reason to refuse an upload: the registry has the last word. */
const UNKNOWN: readonly ErrorCode[] = ['not-found', 'invalid-response', 'unauthorized', 'forbidden', 'refused'];

/**
 * Throws `refused` if a registry would: what is used and what is sent must stay below what is allowed, also where
 * nothing but links is published.
 */
export async function checkQuota(
  ctx: Context,
  project: string,
  files: readonly LocalFile[],
  call: CallOptions,
): Promise<void> {
  const unlessUnknown = (error: unknown) => {
    if (isGypsumError(error) && UNKNOWN.includes(error.code)) return undefined;
    throw error;
  };
  const [quota, used] = await Promise.all([
    fetchQuota(ctx, project, call).catch(unlessUnknown),
    fetchUsage(ctx, project, call).catch(unlessUnknown),
  ]);
  const { bytes } = countFiles(files);
  if (quota === undefined || used === undefined || used + bytes < quota.allowed) return;
  const { allowed } = quota;
  throw new GypsumError(
    'refused',
    `The quota of project ${showText(project)} is too small, and nothing was sent: ${used} bytes are used and ${bytes} more are needed, which must be less than the ${allowed} allowed.`,
    {
      hint: `Ask an administrator for more: "gypsum project quota ${showText(project)}". Removed versions give back what they used.`,
      details: { project, used, needed: bytes, allowed },
    },
  );
}
