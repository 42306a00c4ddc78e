import type { Document, Documents, Lock } from './documents.ts';
import type { Mutex } from './mutex.ts';

/**
 * Gives the locks of projects, and keeps them in mind until something has had a project to itself: nothing else changes them. Each file
 * of an upload asks three times, and to read a lock takes about ten calls of the system.
 */
export function createKnownLocks(documents: Pick<Documents, 'lock'>, projects: Pick<Mutex, 'turns'>): typeof documents {
  const known = new Map<string, Document<Lock>>();
  let since = projects.turns;
  return {
    async lock(project) {
      if (since !== projects.turns) known.clear();
      since = projects.turns;
      const kept = known.get(project);
      if (kept !== undefined) return kept;
      const asked = since;
      const lock = await documents.lock(project);
      if (lock !== undefined && projects.turns === asked) known.set(project, lock);
      return lock;
    },
  };
}
