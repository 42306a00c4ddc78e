import { GypsumError } from '../errors.ts';
import { keys } from '../model/keys.ts';
import { MAX_KEY_BYTES, nameFault } from '../model/names.ts';
import { showText } from '../model/text.ts';
import { authenticate, requireAdmin, type ServerContext } from './context.ts';
import { endLock } from './finish.ts';
import { empty, refuse } from './http.ts';
import { changePermissions, isOwner, mayNot } from './permissions.ts';
import { changeQuota, defaultQuota } from './quota.ts';
import { readJson } from './read-json.ts';
import type { Handlers } from './routes.ts';

/**
 * The largest body of these routes.
 *
 * Units: bytes
 */
const LIMIT = 1024 * 1024;

/** Routes that make a project, and say who may do how much in it. */
export function projectRoutes(context: ServerContext): Pick<Handlers, 'create' | 'permissions' | 'quota'> {
  const { documents, projects } = context;

  return {
    async create(request, { project }) {
      await requireAdmin(context, request, 'create projects');
      const fault = nameFault(project);
      if (fault) throw refuse(`The project name "${showText(project)}" ${fault}.`);
      if (Buffer.byteLength(keys.permissions(project)) > MAX_KEY_BYTES) {
        throw refuse(
          `The project name "${showText(project)}" is too long: its keys have more than ${MAX_KEY_BYTES} bytes.`,
        );
      }
      const exists = async () => (await documents.permissions(project)) !== undefined;
      const taken = () => refuse(`The project '${project}' exists already.`);
      if (await exists()) throw taken();
      const body = await readObject(request);
      const permissions = changePermissions({ owners: [], uploaders: [] }, body.permissions ?? {});
      const quota = changeQuota(defaultQuota(), body.quota ?? {});
      await projects.run(project, async () => {
        if (await exists()) throw taken();
        // A removal that broke off comes to its end first, not after the project is there again.
        const lock = await documents.lock(project);
        if (lock !== undefined) await endLock(context, project, lock);
        // The permissions make it a project: they come last.
        await documents.writeQuota(project, quota);
        await documents.writeUsage(project, { total: 0 });
        await documents.writePermissions(project, permissions);
      });
      return empty();
    },

    async permissions(request, { project }) {
      const who = await authenticate(context, request);
      const allowed = async () => {
        const permissions = await documents.permissions(project);
        if (permissions === undefined) {
          throw new GypsumError('not-found', `The project '${project}' does not exist.`, { details: { project } });
        }
        if (!isOwner(who, permissions)) throw mayNot(who, `change the permissions of project '${project}'`);
        return permissions;
      };
      await allowed();
      const change = await readObject(request);
      await projects.run(project, async () => {
        await documents.writePermissions(project, changePermissions(await allowed(), change));
      });
      return empty();
    },

    async quota(request, { project }) {
      await requireAdmin(context, request, 'change quotas');
      const requireProject = async () => {
        if ((await documents.permissions(project)) !== undefined) return;
        throw refuse(`The project '${project}' does not exist.`);
      };
      await requireProject();
      const change = await readObject(request);
      await projects.run(project, async () => {
        // Since the first look it may have been removed.
        await requireProject();
        const before = (await documents.quota(project)) ?? defaultQuota();
        await documents.writeQuota(project, changeQuota(before, change));
      });
      return empty();
    },
  };
}

async function readObject(request: Request): Promise<Readonly<Record<string, unknown>>> {
  const body = await readJson(request, LIMIT);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw refuse('The body must be a JSON object.');
  }
  return { ...body };
}
