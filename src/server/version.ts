import { each } from '../each.ts';
import { keys } from '../model/keys.ts';
import type { VersionRef } from '../model/refs.ts';
import type { ServerContext } from './context.ts';
import type { Storage } from './storage.ts';

/** How many objects of a version are worked on at once. */
export const CONCURRENCY = 32;

/** How many keys are taken from a listing before their objects are deleted. */
const BATCH = 1000;

/**
 * Deletes all objects of a version, the summary last: until then the version exists and cannot be started again, and a
 * deletion that was interrupted can be done once more.
 */
export async function deleteVersion({ storage }: Pick<ServerContext, 'storage'>, ref: VersionRef): Promise<void> {
  const summary = keys.summary(ref);
  await deleteBelow(storage, keys.version(ref), summary);
  await storage.delete(summary);
}

/** Deletes the objects whose keys begin with `prefix`, but for one. */
export async function deleteBelow(storage: Storage, prefix: string, except?: string): Promise<void> {
  let batch: string[] = [];
  const flush = async () => {
    await each(batch, { concurrency: CONCURRENCY }, (key) => storage.delete(key));
    batch = [];
  };
  for await (const key of storage.list(prefix, { recursive: true })) {
    if (key !== except) batch.push(key);
    if (batch.length === BATCH) await flush();
  }
  await flush();
}
