import { dirname } from 'node:path';
import { removeIfThere } from '../cache/atomic.ts';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { VersionRef } from '../model/refs.ts';
import type { RecordedSession, UploadRecord } from '../state/upload-record.ts';
import { fetchLock, type ProjectLock } from './lock.ts';
import { isPublished, type UploadSession } from './upload-session.ts';

/** Gives the session of an upload that is written down. */
export function sessionOf(record: UploadRecord, { files, ...session }: RecordedSession): UploadSession {
  const { project, asset, version, id } = record;
  const { token, completeUrl, abortUrl } = session;
  return {
    project,
    asset,
    version,
    id,
    token,
    files: files.map(({ source, content, ...file }) => ({
      ...file,
      ...(source !== undefined && { source }),
      ...(content !== undefined && { content }),
    })),
    completeUrl,
    abortUrl,
  };
}

/** What has become of a session that the registry refuses: `over` is one that somebody else has ended. */
export type Fate = 'completed' | 'over' | 'open';

export async function askFate(ctx: Context, session: UploadSession, call: CallOptions): Promise<Fate> {
  if (await isPublished(ctx, session, call)) return 'completed';
  return (await isLockedFor(ctx, session, call)) ? 'open' : 'over';
}

/** Whether an upload of this very version holds its project. */
export async function isLockedFor(ctx: Context, ref: VersionRef, call: CallOptions): Promise<boolean> {
  const lock = await fetchLock(ctx, ref.project, call).catch((error: unknown): ProjectLock | undefined => {
    // Nothing holds a project that is gone.
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  });
  return lock?.asset === ref.asset && lock.version === ref.version;
}

/** Forgets an upload that has come to its end, and what `uploadContents` had put into the cache for it. */
export async function forgetUpload(ctx: Context, { id, session }: UploadRecord): Promise<void> {
  for (const { source } of session?.files ?? []) {
    if (source !== undefined && dirname(source) === ctx.cache.layout.incomings) await removeIfThere(source);
  }
  await ctx.uploads?.forget(id);
}
