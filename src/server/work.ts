import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ServerContext } from './context.ts';
import type { Document, Lock } from './documents.ts';
import type { Principal } from './identity.ts';
import { approveVersion } from './probation.ts';
import { removeAsset, removeProject, removeVersion } from './removal.ts';
import { hashSession, projectLocked } from './session.ts';

const workSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('approve'), asset: z.string(), version: z.string() }),
  z.object({ type: z.literal('reject'), asset: z.string(), version: z.string() }),
  z.object({
    type: z.literal('remove-version'),
    asset: z.string(),
    version: z.string(),
    /** Whether it was the asset's latest. */
    latest: z.boolean(),
  }),
  z.object({ type: z.literal('remove-asset'), asset: z.string() }),
  z.object({ type: z.literal('remove-project') }),
]);

/** Work on a project in several steps, of which none may be left out. */
export type Work = z.infer<typeof workSchema>;

type Needs = Pick<ServerContext, 'storage' | 'documents'>;

/**
 * Does a piece of work with the project locked, or throws `forbidden` if it is locked already.
 *
 * The lock says what the work is, so that whoever finds it after a crash, or after a failure, can bring it to its end:
 * see `finishWork`. Whoever calls is alone with the project (see `ServerContext.projects`).
 */
export async function doWork(needs: Needs, project: string, who: Principal, work: Work): Promise<void> {
  const { documents } = needs;
  const lock: Lock = { session_hash: hashSession(randomUUID()), asset: '', version: '', ...target(work) };
  const metadata = { user: who.id, work: JSON.stringify(work), since: new Date().toISOString() };
  if (!(await documents.takeLock(project, lock, metadata))) throw projectLocked(project, await documents.lock(project));
  await finishWork(needs, project, { value: lock, modified: new Date(), metadata });
}

/** Does the work that a lock tells of, from the start, and frees the project; false for the lock of an upload. */
export async function finishWork(needs: Needs, project: string, lock: Document<Lock>): Promise<boolean> {
  const work = workOf(lock);
  if (work === undefined) return false;
  await perform(needs, project, work, lock);
  await needs.documents.releaseLock(project);
  return true;
}

/** Gives the work that a lock tells of; nothing for the lock of an upload. */
export function workOf({ metadata }: Document<Lock>): Work | undefined {
  return metadata.work === undefined ? undefined : workSchema.parse(JSON.parse(metadata.work));
}

async function perform(needs: Needs, project: string, work: Work, { value, metadata }: Document<Lock>): Promise<void> {
  const { documents } = needs;
  const session = value.session_hash;
  const log = (entry: Parameters<typeof documents.writeLog>[2]) =>
    documents.writeLog(metadata.since ?? '', session, entry);
  switch (work.type) {
    case 'approve': {
      const ref = { project, asset: work.asset, version: work.version };
      return log({ type: 'add-version', ...ref, latest: await approveVersion(needs, ref) });
    }
    case 'reject':
      return removeVersion(needs, { project, asset: work.asset, version: work.version }, session);
    case 'remove-version': {
      const ref = { project, asset: work.asset, version: work.version };
      await removeVersion(needs, ref, session);
      return log({ type: 'delete-version', ...ref, latest: work.latest });
    }
    case 'remove-asset':
      await removeAsset(needs, { project, asset: work.asset }, session);
      return log({ type: 'delete-asset', project, asset: work.asset });
    case 'remove-project':
      await removeProject(needs, project);
      return log({ type: 'delete-project', project });
  }
}

function target(work: Work): Partial<Lock> {
  return { ...('asset' in work && { asset: work.asset }), ...('version' in work && { version: work.version }) };
}
