import { each } from '../each.ts';
import { keys } from '../model/keys.ts';
import type { VersionRef } from '../model/refs.ts';
import type { ServerContext } from './context.ts';

/** How many objects of a version are worked on at once. */
export const CONCURRENCY = 32;

/**
 * Deletes all objects of a version, the summary last: until then the version exists and cannot be started again, and a
 * deletion that was interrupted can be done once more.
 */
export async function deleteVersion({ storage }: Pick<ServerContext, 'storage'>, ref: VersionRef): Promise<void> {
  const summary = keys.summary(ref);
  const objects: string[] = [];
  for await (const key of storage.list(keys.version(ref), { recursive: true })) {
    if (key !== summary) objects.push(key);
  }
  await each(objects, { concurrency: CONCURRENCY }, (key) => storage.delete(key));
  await storage.delete(summary);
}
