import { keys } from '../model/keys.ts';
import type { ServerContext } from './context.ts';
import type { Document, Lock } from './documents.ts';
import { endLock } from './finish.ts';
import { listProjects } from './survey.ts';
import { workOf } from './work.ts';

/**
 * How long entries of the change log are kept.
 *
 * Units: milliseconds
 * Source: contract of the gypsum REST API
 */
const LOG_LIFE = 7 * 24 * 60 * 60 * 1000;

/** Units: milliseconds */
export const SESSION_TTL = 7 * 24 * 60 * 60 * 1000;

export interface SweepOptions {
  /** How long an upload may go on without anything arriving. Units: milliseconds */
  sessionTtl: number;
  /** Units: milliseconds since 1970 @default the clock's */
  now?: number;
  signal?: AbortSignal;
}

/** What was cleared away. */
export interface Swept {
  readonly logs: number;
  /** Projects whose lock was ended, with why. */
  readonly locks: readonly { project: string; outcome: 'aborted' | 'finished' }[];
}

/**
 * Clears away what has had its time: old entries of the change log, uploads that nobody goes on with, and work that was
 * interrupted by a failure. An upload is aborted as its client would do it, so nothing of a finished version is touched.
 */
export async function sweep(
  context: ServerContext,
  { sessionTtl, now = Date.now(), signal }: SweepOptions,
): Promise<Swept> {
  const logs = await sweepLogs(context, now - LOG_LIFE, signal);
  const locks: { project: string; outcome: 'aborted' | 'finished' }[] = [];
  for await (const project of listProjects(context)) {
    signal?.throwIfAborted();
    const outcome = await sweepLock(context, project, now - sessionTtl);
    if (outcome !== undefined) locks.push({ project, outcome });
  }
  return { logs, locks };
}

/** The names of the log begin with their times, so that the first that is young enough ends the old ones. */
async function sweepLogs({ storage }: ServerContext, oldest: number, signal: AbortSignal | undefined): Promise<number> {
  let swept = 0;
  for await (const key of storage.list(keys.logs)) {
    signal?.throwIfAborted();
    const time = Date.parse(key.slice(keys.logs.length, key.lastIndexOf('_')));
    if (Number.isNaN(time)) continue;
    if (time >= oldest) break;
    await storage.delete(key);
    swept++;
  }
  return swept;
}

async function sweepLock(
  context: ServerContext,
  project: string,
  oldest: number,
): Promise<'aborted' | 'finished' | undefined> {
  const { documents, projects } = context;
  const held = await documents.lock(project);
  if (held === undefined || !(await isStale(context, project, held, oldest))) return undefined;
  return projects.run(project, async () => {
    const lock = await documents.lock(project);
    if (lock === undefined || !(await isStale(context, project, lock, oldest))) return undefined;
    return endLock(context, project, lock);
  });
}

/**
 * Whether nobody goes on with what holds a project. The registry's own work is done by one who is alone with the
 * project, so whoever else is alone with it finds what a failure has left.
 */
async function isStale(
  { storage, receiving }: ServerContext,
  project: string,
  lock: Document<Lock>,
  oldest: number,
): Promise<boolean> {
  if (workOf(lock) !== undefined) return true;
  if (lock.modified.getTime() >= oldest || receiving.has(project)) return false;
  const { asset, version } = lock.value;
  for await (const key of storage.list(keys.version({ project, asset, version }), { recursive: true })) {
    const info = await storage.head(key);
    if (info !== undefined && info.modified.getTime() >= oldest) return false;
  }
  return true;
}
