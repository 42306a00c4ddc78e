import type { Context } from '../context.ts';
import { type ErrorCode, GypsumError, isGypsumError } from '../errors.ts';
import { checkUploadPlan } from '../model/check-upload-plan.ts';
import { type Count, countFiles } from '../model/count.ts';
import { sameVersion, type VersionRef } from '../model/refs.ts';
import type { AnnouncedFile, UploadPlan } from '../model/upload-plan.ts';
import { ownFiles } from '../model/version-tree.ts';
import { checkSources } from './check-sources.ts';
import { explainLostSession } from './explain-lost-session.ts';
import { run } from './run.ts';
import { type StartOptions, startUpload } from './start-upload.ts';
import { type UploadFilesOptions, uploadFiles } from './upload-files.ts';
import { completeUpload, giveUp, type UploadSession } from './upload-session.ts';

export type ApplyOptions = UploadFilesOptions & Pick<StartOptions, 'probation' | 'wait'>;

/** What was published; a tree record is not counted among the files. */
export interface UploadResult extends VersionRef, Count {
  /** False where nothing had changed and `ifChanged` was given. */
  readonly published: boolean;
  /** Files whose content was sent. */
  readonly sent: Count;
  /** Files that became links. */
  readonly linked: Count;
  /** How many entries `.gypsumignore` leaves out, a folder as one; absent without such a file. */
  readonly ignored?: number;
}

/**
 * Publishes what was planned, now or some time ago: a plan is plain data and may have been kept as JSON. It says which
 * local files are sent, so take one only from where you would take a script. Throws `invalid-argument` for what is no
 * plan, `version-exists`, `file-changed`, `project-locked`, `unauthorized` or `forbidden`.
 *
 * On any failure after the start, also by the signal, the session is aborted: nothing of it stays, and the project is
 * unlocked. The events `upload-aborted` and `upload-abandoned` say whether that worked.
 */
export async function applyUpload(ctx: Context, given: UploadPlan, options: ApplyOptions = {}): Promise<UploadResult> {
  const plan = checkUploadPlan(given);
  try {
    return await publishPlan(ctx, plan, options);
  } catch (error) {
    throw explainStale(error);
  }
}

/** The same for a plan that has just been made. */
export async function publishPlan(ctx: Context, plan: UploadPlan, options: ApplyOptions): Promise<UploadResult> {
  const { project, asset, version } = plan;
  const { signal, onEvent } = options;
  const call = { signal, onEvent };
  return run(ctx, call, async () => {
    await checkSources(ctx, plan, call);
    // A registry that makes no link to a file beside it has each of them sent.
    const equal = plan.links.filter(({ link }) => sameVersion(link, plan));
    const files: AnnouncedFile[] = [...sentOf(plan), ...equal.map(({ link: _link, seen: _seen, ...file }) => file)];
    const links = plan.links.filter(({ link }) => !sameVersion(link, plan));
    const start = { ...options, links, deduplicate: new Set(equal.map(({ path }) => path)) };
    const session = await startUpload(ctx, { project, asset, version }, files, start);
    const sources = new Map(files.map(({ path, source }) => [path, source]));
    try {
      await uploadFiles(ctx, session, (path) => sources.get(path) ?? path, options);
      await completeUpload(ctx, session, call);
    } catch (error) {
      const reason = await explainLostSession(ctx, session, error);
      // Interrupted in its last moment, it may have been published all the same.
      if ((await giveUp(ctx, session, call)) !== 'completed') throw reason;
    }
    return { project, asset, version, published: true, ...countPlan(plan), ...countSent(plan, session) };
  });
}

/** Says of a failure that the same plan would meet again that another one is needed. */
function explainStale(error: unknown): unknown {
  if (!isGypsumError(error)) return error;
  const { code, message, hint = '', details } = error;
  // An upload of the user's own that has been left can be gone on with.
  const why = code === 'version-exists' && details.finished === false ? undefined : STALE[code];
  if (why === undefined) return error;
  return new GypsumError(code, message, { hint: why(hint), details, cause: error });
}

const NEW_PLAN = 'Make a new plan (gypsum upload FOLDER PROJECT/ASSET/VERSION --dry-run --json)';

const STALE: Partial<Record<ErrorCode, (hint: string) => string>> = {
  'file-changed': () => `${NEW_PLAN}: this one is of files as they were.`,
  'version-exists': () => `${NEW_PLAN} for another version name.`,
  refused: (hint) => `${hint} If the plan is old, and says what cannot be any more: make a new one.`,
};

/** Counts what a plan would publish, send and link; the tree record is not counted. */
export function countPlan(plan: UploadPlan): Omit<UploadResult, keyof VersionRef | 'published'> {
  const { ignored } = plan;
  const [files, links] = [ownFiles(plan.files), ownFiles(plan.links)];
  return {
    ...countFiles([...files, ...links]),
    sent: countFiles(files),
    linked: countFiles(links),
    ...(ignored !== undefined && { ignored }),
  };
}

function sentOf({ files, record }: UploadPlan): readonly AnnouncedFile[] {
  return record === undefined ? files : [...files, record];
}

/** Counts what was sent in the end, and what the registry has made links of. */
function countSent(plan: UploadPlan, session: UploadSession): Pick<UploadResult, 'sent' | 'linked'> {
  const sent = new Set(session.files.map(({ path }) => path));
  const all = ownFiles([...plan.files, ...plan.links]);
  return {
    sent: countFiles(all.filter(({ path }) => sent.has(path))),
    linked: countFiles(all.filter(({ path }) => !sent.has(path))),
  };
}
