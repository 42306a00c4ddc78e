import { each } from '../each.ts';
import type { GypsumError } from '../errors.ts';
import { keys } from '../model/keys.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import type { WireSummary } from '../model/summary.ts';
import { showText } from '../model/text.ts';
import type { ServerContext } from './context.ts';
import type { Document, Lock, StoredManifest } from './documents.ts';
import { refuse } from './http.ts';
import { contentSize, listProjects } from './survey.ts';
import { CONCURRENCY, deleteVersion } from './version.ts';
import { finishWork, workOf } from './work.ts';

type Needs = Pick<ServerContext, 'storage' | 'documents'>;

/** Throws `refused` unless every file of a version that is not a link is there with its size. */
export async function checkArrived({ storage, documents }: Needs, ref: VersionRef): Promise<void> {
  const manifest = await requireManifest(documents, ref);
  await each(manifest, { concurrency: CONCURRENCY }, async ([path, { size, link }]) => {
    if (link !== undefined) return;
    const actual = await storage.size(keys.file({ ...ref, path }));
    if (actual === undefined) throw refuse(`The file "${showText(path)}" has not been uploaded.`);
    if (actual !== size) throw refuse(`The file "${showText(path)}" has ${actual} bytes instead of ${size}.`);
  });
}

/**
 * Makes an uploaded version complete and unlocks its project.
 *
 * Every step can be done again and then changes nothing, so that a completion that was cut off at any point is
 * finished by the next one: by the client's, or by `recoverProjects`. The usage remembers which session it was counted
 * for. The summary with its finish is what makes the version complete: all that is before it belongs to a version in
 * progress, all that is after it follows from it. The lock goes last, for without it nobody would come back.
 */
export async function completeVersion({ documents }: Needs, ref: VersionRef, session: string): Promise<void> {
  const summary = await requireSummary(documents, ref);
  await countUsage(documents, ref, session);
  const finish = summary.upload_finish ?? new Date().toISOString();
  if (summary.upload_finish === undefined) {
    const { on_probation, ...rest } = summary;
    const finished = { ...rest, ...(on_probation ? { on_probation } : {}), upload_finish: finish };
    await documents.writeSummary(ref, finished, { session });
  }
  if (!summary.on_probation) {
    await documents.setLatest(ref, ref);
    const { project, asset, version } = ref;
    await documents.writeLog(finish, session, {
      type: 'add-version',
      project,
      asset,
      version,
      latest: true,
    });
  }
  await documents.releaseLock(ref.project);
}

/** Removes an upload that is in progress and unlocks its project; the version in it is as if it had never been. */
async function abortVersion(needs: Needs, ref: VersionRef, session: string): Promise<void> {
  await uncountUsage(needs.documents, ref, session);
  await deleteVersion(needs, ref);
  await needs.documents.releaseLock(ref.project);
}

/**
 * Frees a project of an upload, whose version stays as far as it is. What has gone further than an upload, work of the
 * registry's own or a completion, is finished first.
 */
export async function dropLock(needs: Needs, project: string, lock: Document<Lock>): Promise<void> {
  if (!(await isInProgress(needs, project, lock))) {
    await endLock(needs, project, lock);
    return;
  }
  const { session_hash: session, asset, version } = lock.value;
  await uncountUsage(needs.documents, { project, asset, version }, session);
  await needs.documents.releaseLock(project);
}

/**
 * Brings what holds a project's lock to an end that it can have without its client, and says which.
 *
 * Work of the registry's own is finished, and so is a completion that was cut off. A lock of a version that another
 * session has finished came too late, and goes. An upload in progress is aborted: nothing of a finished version is
 * ever touched.
 */
export async function endLock(needs: Needs, project: string, lock: Document<Lock>): Promise<'finished' | 'aborted'> {
  if (await finishWork(needs, project, lock)) return 'finished';
  const { session_hash: session, asset, version } = lock.value;
  const ref = { project, asset, version };
  const summary = await needs.documents.summary(ref);
  if (summary?.value.upload_finish === undefined) {
    await abortVersion(needs, ref, session);
    return 'aborted';
  }
  if (summary.metadata.session === session) await completeVersion(needs, ref, session);
  else await needs.documents.releaseLock(project);
  return 'finished';
}

/**
 * Settles what a crash has interrupted; called before the first request.
 *
 * A lock without a summary was taken by a start that was never answered: nobody holds its token, so it is aborted. A
 * lock with one that is not finished belongs to an upload that its client may go on with. Any other is ended.
 */
export async function recoverProjects(needs: Needs): Promise<void> {
  const { documents } = needs;
  for await (const project of listProjects(needs)) {
    const lock = await documents.lock(project);
    if (lock !== undefined && !(await isInProgress(needs, project, lock))) await endLock(needs, project, lock);
  }
}

/** Whether its client may go on with what holds the project. */
async function isInProgress({ documents }: Needs, project: string, lock: Document<Lock>): Promise<boolean> {
  if (workOf(lock) !== undefined) return false;
  const { asset, version } = lock.value;
  const summary = await documents.summary({ project, asset, version });
  return summary !== undefined && summary.value.upload_finish === undefined;
}

async function countUsage(documents: Needs['documents'], ref: VersionRef, session: string): Promise<void> {
  const usage = await documents.usage(ref.project);
  if (usage?.metadata.session === session) return;
  const added = contentSize(await requireManifest(documents, ref));
  await documents.writeUsage(ref.project, { total: (usage?.value.total ?? 0) + added }, { session });
}

/** Takes back what a completion counted that did not come to its end. */
async function uncountUsage(documents: Needs['documents'], ref: VersionRef, session: string): Promise<void> {
  const usage = await documents.usage(ref.project);
  if (usage?.metadata.session !== session) return;
  const added = contentSize((await documents.manifest(ref)) ?? new Map());
  await documents.writeUsage(ref.project, { total: usage.value.total - added });
}

async function requireManifest(documents: Needs['documents'], ref: VersionRef): Promise<StoredManifest> {
  const manifest = await documents.manifest(ref);
  if (manifest === undefined) throw missing(ref);
  return manifest;
}

async function requireSummary(documents: Needs['documents'], ref: VersionRef): Promise<WireSummary> {
  const summary = await documents.summary(ref);
  if (summary === undefined) throw missing(ref);
  return summary.value;
}

/** An abort that was cut off has begun to delete it: it can only be aborted again. */
function missing(ref: VersionRef): GypsumError {
  return refuse(`The upload of ${formatRef(ref)} is no longer whole. Abort it.`);
}
