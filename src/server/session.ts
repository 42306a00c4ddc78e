import { createHash, timingSafeEqual } from 'node:crypto';
import { GypsumError } from '../errors.ts';
import type { VersionRef } from '../model/refs.ts';
import type { Document, Documents, Lock } from './documents.ts';
import { bearerToken } from './http.ts';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** What the lock holds of a session's token: enough to know it again, not enough to use it. */
export function hashSession(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

/** Gives the session token of a request; throws `unauthorized` without one, `forbidden` if it cannot be one. */
export function sessionToken(request: Request): string {
  const token = bearerToken(request);
  if (!UUID_V4.test(token)) throw noSession('The token is not the token of an upload session.');
  return token;
}

/** Gives the lock that this session holds on this version, or throws `forbidden`. */
export async function requireSession(
  documents: Pick<Documents, 'lock'>,
  token: string,
  ref: VersionRef,
): Promise<Document<Lock>> {
  const lock = await documents.lock(ref.project);
  // Whoever has no session is not told whether others have one, or whether there is such a project.
  if (lock === undefined || !isSession(lock.value, hashSession(token))) {
    throw noSession(`The token is not that of an upload to project '${ref.project}' that is in progress.`);
  }
  if (lock.value.asset !== ref.asset || lock.value.version !== ref.version) {
    throw noSession('This upload session is for another asset or version.');
  }
  return lock;
}

/** Whether a lock is still the one of the session with this hash. */
export function isSession(lock: Lock, hash: string): boolean {
  const held = Buffer.from(lock.session_hash);
  const given = Buffer.from(hash);
  return held.length === given.length && timingSafeEqual(held, given);
}

/** What a project that is locked answers: since when, and by whose upload. */
export function projectLocked(project: string, lock: Document<Lock> | undefined): GypsumError {
  const what = lock?.metadata.work === undefined ? 'an upload' : 'work on it';
  const who = lock?.metadata.user === undefined ? '' : ` by ${what} of "${lock.metadata.user}"`;
  const when = lock === undefined ? '' : ` since ${lock.modified.toISOString()}`;
  return new GypsumError('project-locked', `Project '${project}' is locked${who}${when}.`, { details: { project } });
}

/** Throws `forbidden` while something holds the project. */
export async function requireUnlocked(documents: Documents, project: string): Promise<void> {
  const lock = await documents.lock(project);
  if (lock !== undefined) throw projectLocked(project, lock);
}

function noSession(reason: string): GypsumError {
  return new GypsumError('forbidden', reason);
}
