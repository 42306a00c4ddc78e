import { each } from '../each.ts';
import type { GypsumError } from '../errors.ts';
import { keys } from '../model/keys.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import type { WireSummary } from '../model/summary.ts';
import { showText } from '../model/text.ts';
import type { ServerContext } from './context.ts';
import type { StoredManifest } from './documents.ts';
import { refuse } from './http.ts';
import { CONCURRENCY, deleteVersion } from './version.ts';

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
    await documents.writeLatest(ref);
    const { project, asset, version } = ref;
    await documents.writeLog(finish, sixDigits(session), {
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
export async function abortVersion(context: Needs, ref: VersionRef, session: string): Promise<void> {
  const { documents } = context;
  const summary = (await documents.summary(ref))?.value;
  if (summary?.upload_finish !== undefined) {
    await completeVersion(context, ref, session);
    throw refuse(`The version ${formatRef(ref)} is complete and cannot be aborted.`, 403);
  }
  const usage = await documents.usage(ref.project);
  if (usage?.metadata.session === session) {
    await documents.writeUsage(ref.project, {
      total: usage.value.total - contentSize(await requireManifest(documents, ref)),
    });
  }
  await deleteVersion(context, ref);
  await documents.releaseLock(ref.project);
}

/**
 * Settles what a crash has interrupted; called before the first request.
 *
 * A lock without a summary was taken by a start that was never answered: nobody holds its token, so it goes, with
 * what had been written. A lock whose session has finished its version was left by a completion: that is brought to
 * its end. A lock of a version that another session has finished came too late, and goes. Any other belongs to an
 * upload that its client may go on with.
 */
export async function recoverProjects(context: Needs): Promise<void> {
  const { storage, documents } = context;
  for await (const folder of storage.list('')) {
    const project = folder.slice(0, -1);
    const lock = (await documents.lock(project))?.value;
    if (lock === undefined) continue;
    const ref = { project, asset: lock.asset, version: lock.version };
    const summary = await documents.summary(ref);
    if (summary === undefined) {
      await deleteVersion(context, ref);
      await documents.releaseLock(project);
    } else if (summary.value.upload_finish !== undefined) {
      if (summary.metadata.session === lock.session_hash) await completeVersion(context, ref, lock.session_hash);
      else await documents.releaseLock(project);
    }
  }
}

async function countUsage(documents: Needs['documents'], ref: VersionRef, session: string): Promise<void> {
  const usage = await documents.usage(ref.project);
  if (usage?.metadata.session === session) return;
  const added = contentSize(await requireManifest(documents, ref));
  await documents.writeUsage(ref.project, { total: (usage?.value.total ?? 0) + added }, { session });
}

function contentSize(manifest: StoredManifest): number {
  let total = 0;
  for (const { size, link } of manifest.values()) total += link === undefined ? size : 0;
  return total;
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

/** The same for a session each time, so that a log entry that is written again is the same one. */
function sixDigits(session: string): string {
  return String(Buffer.from(session, 'base64').readUInt32BE() % 1_000_000).padStart(6, '0');
}
