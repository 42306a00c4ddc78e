import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { VersionRef } from '../model/refs.ts';
import type { UploadPlan } from './plan-upload.ts';
import { run } from './run.ts';
import { type UploadFilesOptions, uploadFiles } from './upload-files.ts';
import { abortUpload, completeUpload, type StartOptions, startUpload, type UploadSession } from './upload-session.ts';

export type ApplyOptions = UploadFilesOptions & Pick<StartOptions, 'probation' | 'wait'>;

export interface UploadResult extends VersionRef {
  /** False where nothing had changed and `ifChanged` was given. */
  readonly published: boolean;
  readonly files: number;
  /** Units: bytes */
  readonly bytes: number;
  /** Files whose content was sent. */
  readonly sent: { readonly files: number; readonly bytes: number };
  /** Files that became links. */
  readonly linked: { readonly files: number; readonly bytes: number };
}

/** Units: milliseconds. An abort that takes longer is given up, so that Ctrl-C ends soon. */
const ABORT_TIMEOUT = 10_000;

/**
 * Publishes what was planned. Throws `version-exists`, `file-changed`, `project-locked`, `unauthorized` or `forbidden`.
 *
 * On any failure after the start, also by the signal, the session is aborted: nothing of it stays, and the project is
 * unlocked. The events `upload-aborted` and `upload-abandoned` say whether that worked.
 */
export function applyUpload(ctx: Context, plan: UploadPlan, options: ApplyOptions = {}): Promise<UploadResult> {
  const { project, asset, version } = plan;
  const { signal, onEvent } = options;
  const call = { signal, onEvent };
  return run(ctx, call, async () => {
    const start = { ...options, links: plan.links, deduplicate: false };
    const session = await startUpload(ctx, { project, asset, version }, plan.files, start);
    const sources = new Map(plan.files.map(({ path, source }) => [path, source]));
    try {
      await uploadFiles(ctx, session, (path) => sources.get(path) ?? path, options);
      await completeUpload(ctx, session, call);
    } catch (error) {
      await giveUp(ctx, session, call);
      throw error;
    }
    return { project, asset, version, published: true, ...countPlan(plan) };
  });
}

/** Counts what a plan would publish, send and link. */
export function countPlan({ files, links }: UploadPlan): Omit<UploadResult, keyof VersionRef | 'published'> {
  return { ...count([...files, ...links]), sent: count(files), linked: count(links) };
}

async function giveUp(ctx: Context, session: UploadSession, { onEvent }: CallOptions): Promise<void> {
  const { project, asset, version } = session;
  try {
    await abortUpload(ctx, session, { onEvent, signal: AbortSignal.timeout(ABORT_TIMEOUT) });
  } catch (error) {
    // What is thrown is why the upload failed; that the project stays locked is told beside it.
    const reason = error instanceof Error ? error : new Error(String(error));
    onEvent?.({ type: 'upload-abandoned', ref: { project, asset, version }, error: reason });
  }
}

function count(files: readonly { readonly size: number }[]): { files: number; bytes: number } {
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}
