import { GypsumError } from '../errors.ts';
import { nameFault } from '../model/names.ts';
import { showText } from '../model/text.ts';
import { requireAdmin, type ServerContext } from './context.ts';
import { empty, rawTarget, refuse } from './http.ts';
import type { Handlers } from './routes.ts';
import { requireUnlocked } from './session.ts';
import { doWork, type Work } from './work.ts';

/** Routes that remove what was there; to remove what is not there succeeds. */
export function removalRoutes(
  context: ServerContext,
): Pick<Handlers, 'removeVersion' | 'removeAsset' | 'removeProject'> {
  const { documents, projects } = context;

  return {
    async removeVersion(request, { project, asset, version }) {
      return remove(request, { project, asset, version }, async () => {
        const latest = (await documents.latest({ project, asset }))?.version === version;
        return { type: 'remove-version', asset, version, latest };
      });
    },
    async removeAsset(request, { project, asset }) {
      return remove(request, { project, asset }, async () => ({ type: 'remove-asset', asset }));
    },
    async removeProject(request, { project }) {
      return remove(request, { project }, async () => ({ type: 'remove-project' }));
    },
  };

  async function remove(
    request: Request,
    names: { project: string; asset?: string; version?: string },
    plan: () => Promise<Work>,
  ): Promise<Response> {
    const { project } = names;
    const who = await requireAdmin(context, request, 'remove anything');
    // Other routes overlook a slash at the end. Here a name is missing, and much more than that one would go.
    if (/^[^?]*\/(\?|$)/.test(rawTarget(request)))
      throw refuse('The address of a removal ends with a slash: a name is missing.');
    for (const [kind, name] of Object.entries(names)) {
      const fault = nameFault(name);
      if (fault) throw refuse(`The ${kind} name "${showText(name)}" ${fault}.`);
    }
    await projects.run(project, async () => {
      await requireUnlocked(documents, project);
      const exists = (await documents.permissions(project)) !== undefined;
      if (!exists && names.asset !== undefined) {
        throw new GypsumError('not-found', `The project '${project}' does not exist.`, { details: { project } });
      }
      await doWork(context, project, who, await plan());
    });
    return empty();
  }
}
