import { keys } from '../../src/model/keys.ts';
import type { VersionRef } from '../../src/model/refs.ts';
import { failed, reasonOf } from './answers.ts';
import { parametersFor } from './parameters.ts';
import type { Oddity } from './world.ts';

/**
 * A version that exists and is started again is deleted: all its objects go, and `..latest` may name what is no more; then
 * no other version of the asset can be approved.
 */
export const wipesExisting: Oddity = ({ storage, documents }) => {
  async function isLatestGone(ref: VersionRef): Promise<boolean> {
    const latest = await documents.latest(ref);
    return latest !== undefined && (await storage.size(keys.summary({ ...ref, ...latest }))) === undefined;
  }

  return async (request, next) => {
    const approved = parametersFor(request, 'approve');
    if (approved !== undefined && (await isLatestGone(approved))) return failed(request, next);
    const ref = parametersFor(request, 'start');
    const answer = await next();
    if (ref === undefined || answer.status !== 400 || !/exists already/.test(await reasonOf(answer))) return answer;
    const wiped: string[] = [];
    for await (const key of storage.list(keys.version(ref), { recursive: true })) wiped.push(key);
    for (const key of wiped) await storage.delete(key);
    return answer;
  };
};
