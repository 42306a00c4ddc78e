import { isSystemError } from '../errors.ts';
import { ownedName } from '../owned-name.ts';
import type { Layout } from './layout.ts';
import { passClock } from './pass-clock.ts';

/**
 * Gives the time that the disk of the cache, which may be another machine's, gives to files now; our own if nothing can be
 * written there.
 *
 * Units: milliseconds since 1970
 */
export async function diskClock(layout: Layout): Promise<number> {
  try {
    return await passClock(layout.incoming(ownedName()), 0);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS')) return Date.now();
    throw error;
  }
}
