import { formatRef, type VersionRef } from '../model/refs.ts';
import type { WireSummary } from '../model/summary.ts';
import { authenticate, type ServerContext } from './context.ts';
import { empty, refuse } from './http.ts';
import { checkUploader, isOwner, mayNot } from './permissions.ts';
import type { Handlers } from './routes.ts';
import { requireUnlocked } from './session.ts';
import { doWork } from './work.ts';

/** Routes that end the probation of a version. */
export function probationRoutes(context: ServerContext): Pick<Handlers, 'approve' | 'reject'> {
  const { documents, projects } = context;

  return {
    async approve(request, ref) {
      const who = await authenticate(context, request);
      await projects.run(ref.project, async () => {
        if (!isOwner(who, await requirePermissions(ref))) throw mayNot(who, `approve versions of '${ref.project}'`);
        await requireUnlocked(documents, ref.project);
        const summary = await requireProbation(ref);
        if (summary.upload_finish === undefined)
          throw refuse(`The upload of ${formatRef(ref)} has not been completed.`);
        await doWork(context, ref.project, who, { type: 'approve', asset: ref.asset, version: ref.version });
      });
      return empty();
    },

    async reject(request, ref) {
      const who = await authenticate(context, request);
      await projects.run(ref.project, async () => {
        const permissions = await requirePermissions(ref);
        checkUploader(who, permissions, ref);
        await requireUnlocked(documents, ref.project);
        const summary = await requireProbation(ref);
        if (!isOwner(who, permissions) && summary.upload_user_id !== who.id) {
          throw refuse(
            `The version ${formatRef(ref)} was uploaded by "${summary.upload_user_id}", not by "${who.id}".`,
          );
        }
        await doWork(context, ref.project, who, { type: 'reject', asset: ref.asset, version: ref.version });
      });
      return empty();
    },
  };

  async function requirePermissions({ project }: VersionRef) {
    const permissions = await documents.permissions(project);
    if (permissions === undefined) throw refuse(`There are no existing permissions for project '${project}'.`);
    return permissions;
  }

  async function requireProbation(ref: VersionRef): Promise<WireSummary> {
    const summary = (await documents.summary(ref))?.value;
    if (summary === undefined) throw refuse(`The version ${formatRef(ref)} does not exist.`);
    if (!summary.on_probation) throw refuse(`The version ${formatRef(ref)} is not on probation.`);
    return summary;
  }
}
