import { keys } from '../../src/model/keys.ts';
import { withDocument } from './answers.ts';
import { parametersFor } from './parameters.ts';
import type { Oddity } from './world.ts';

/**
 * The usage goes by the objects that are there, not by what finished versions say: removing an upload that was never
 * completed subtracts what was never added, and a refresh counts what nobody has announced.
 */
export const usageByObjects: Oddity = ({ storage, documents }) => {
  async function measure(prefix: string): Promise<number> {
    let total = 0;
    for await (const key of storage.list(prefix, { recursive: true })) {
      if (!key.slice(key.lastIndexOf('/') + 1).startsWith('..')) total += (await storage.size(key)) ?? 0;
    }
    return total;
  }

  async function setUsage(project: string, total: number): Promise<void> {
    const now = await documents.usage(project);
    if (now !== undefined) await documents.writeUsage(project, { total }, now.metadata);
  }

  return async (request, next) => {
    const version = parametersFor(request, 'removeVersion') ?? parametersFor(request, 'reject');
    const asset = parametersFor(request, 'removeAsset');
    const { project } = version ?? asset ?? parametersFor(request, 'refreshUsage') ?? {};
    if (project === undefined) return next();
    const removed = version !== undefined ? keys.version(version) : asset !== undefined ? keys.asset(asset) : undefined;
    const size = await measure(removed ?? keys.project(project));
    const before = (await documents.usage(project))?.value.total ?? 0;
    const answer = await next();
    if (!answer.ok) return answer;
    await setUsage(project, removed === undefined ? size : before - size);
    return removed === undefined ? withDocument(answer, { total: size }) : answer;
  };
};
