import { keys } from '../../src/model/keys.ts';
import { route } from '../../src/registry/route.ts';
import { parametersFor } from './parameters.ts';
import type { Oddity } from './world.ts';

/**
 * A project's lock is looked for, and then written: of starts at once each gets a session, and only the last one's is
 * good for anything.
 */
export const racyLock: Oddity = ({ ask, storage }) => {
  const starting = new Map<string, Promise<unknown>>();
  return async (request, next) => {
    const ref = parametersFor(request, 'start');
    if (ref === undefined) return next();
    const before = starting.get(ref.project);
    const start = async () => {
      const wasLocked = await isLocked(ref.project);
      await before?.catch(() => {});
      if (wasLocked || before === undefined || !(await isLocked(ref.project))) return next();
      await ask('DELETE', route('unlock', ref.project));
      // Both found that the version was new, too.
      await storage.delete(keys.summary(ref));
      return next();
    };
    const mine = start();
    starting.set(ref.project, mine);
    try {
      return await mine;
    } finally {
      if (starting.get(ref.project) === mine) starting.delete(ref.project);
    }
  };

  async function isLocked(project: string): Promise<boolean> {
    return (await storage.size(keys.lock(project))) !== undefined;
  }
};
