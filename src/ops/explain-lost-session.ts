import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import { formatRef } from '../model/refs.ts';
import { fetchLock, type ProjectLock } from './lock.ts';
import { GRACE, type UploadSession } from './upload-session.ts';

/**
 * Gives the error of an upload that failed, with what has become of its session where a registry says no more than that
 * it knows none. Of two that were started at once the public one lets only the later go on.
 */
export async function explainLostSession(ctx: Context, session: UploadSession, error: unknown): Promise<unknown> {
  if (!isGypsumError(error, 'forbidden')) return error;
  const { project, asset, version } = session;
  try {
    const lock = await fetchLock(ctx, project, { signal: AbortSignal.timeout(GRACE) });
    if (lock?.asset === asset && lock.version === version) return error;
    return new GypsumError(
      'forbidden',
      `The upload of ${formatRef(session)} was ended by somebody else: ${holderOf(project, lock)} its project now.`,
      {
        hint: 'Another upload may have been started at the same moment, or an owner has ended this one. Publish again; where a part of the version was left, under another name, or when an administrator has removed it.',
        details: { ...error.details },
        cause: error,
      },
    );
  } catch (failure) {
    // Why the upload failed is known; what holds the project is not.
    if (isGypsumError(failure) || (failure instanceof DOMException && failure.name === 'TimeoutError')) return error;
    throw failure;
  }
}

function holderOf(project: string, lock: ProjectLock | undefined): string {
  if (lock === undefined) return 'nothing holds';
  const { asset, version } = lock;
  if (asset === undefined || version === undefined) return 'work of the registry holds';
  return `an upload of ${formatRef({ project, asset, version })} holds`;
}
