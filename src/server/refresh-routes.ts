import { requireAdmin, type ServerContext } from './context.ts';
import { json, refuse } from './http.ts';
import type { Handlers } from './routes.ts';
import { requireUnlocked } from './session.ts';
import { findLatest, listAssets, measureAsset } from './survey.ts';

/** Routes that compute again, from the versions, what the registry keeps account of. */
export function refreshRoutes(context: ServerContext): Pick<Handlers, 'refreshLatest' | 'refreshUsage'> {
  const { documents } = context;

  return {
    async refreshLatest(request, ref) {
      await requireAdmin(context, request, 'refresh anything');
      const latest = await refresh(ref.project, async () => {
        const found = await findLatest(context, ref);
        await documents.setLatest(ref, found);
        return found;
      });
      return json(latest === undefined ? {} : { version: latest.version });
    },

    async refreshUsage(request, { project }) {
      await requireAdmin(context, request, 'refresh anything');
      const total = await refresh(project, async () => {
        let sum = 0;
        for await (const asset of listAssets(context, project)) sum += await measureAsset(context, asset);
        await documents.writeUsage(project, { total: sum });
        return sum;
      });
      return json({ total });
    },
  };

  /** One document is written, in one step: alone with an unlocked project, no lock of its own is needed. */
  async function refresh<T>(project: string, compute: () => Promise<T>): Promise<T> {
    return context.projects.run(project, async () => {
      if ((await documents.permissions(project)) === undefined) {
        throw refuse(`The project '${project}' does not exist.`);
      }
      await requireUnlocked(documents, project);
      return compute();
    });
  }
}
