import { GypsumError } from '../errors.ts';
import { authenticate, requireAdmin, type ServerContext } from './context.ts';
import { dropLock, endLock } from './finish.ts';
import { empty, json } from './http.ts';
import { isOwner, mayNot, type Permissions } from './permissions.ts';
import type { Handlers } from './routes.ts';
import { workOf } from './work.ts';

/** Routes that tell what holds a project, and free it of an upload that nobody can end. */
export function lockRoutes(context: ServerContext): Pick<Handlers, 'lock' | 'release' | 'unlock'> {
  const { documents, projects } = context;

  return {
    async lock(_, { project }) {
      const { lock } = await requireProject(project);
      if (lock === undefined) return json({ locked: false }, { open: true });
      const { asset, version } = lock.value;
      const { user } = lock.metadata;
      return json(
        {
          locked: true,
          work: workOf(lock)?.type ?? 'upload',
          ...(asset !== '' && { asset }),
          ...(version !== '' && { version }),
          ...(user !== undefined && { user }),
          since: lock.modified.toISOString(),
        },
        { open: true },
      );
    },

    /** What an upload has sent goes with its lock, so that its version can be started again. */
    async release(request, { project }) {
      const who = await authenticate(context, request);
      const isReleased = await projects.run(project, async () => {
        const { permissions, lock } = await requireProject(project);
        if (!isOwner(who, permissions) && lock?.metadata.user !== who.id) {
          throw mayNot(who, `end an upload to project '${project}'`);
        }
        if (lock !== undefined) await endLock(context, project, lock);
        return lock !== undefined;
      });
      return json({ released: isReleased });
    },

    async unlock(request, { project }) {
      await requireAdmin(context, request, 'unlock projects');
      await projects.run(project, async () => {
        const lock = await documents.lock(project);
        if (lock !== undefined) await dropLock(context, project, lock);
      });
      return empty();
    },
  };

  /** A project whose removal broke off has nothing but its lock, and nobody but administrators owns it. */
  async function requireProject(project: string) {
    const permissions = await documents.permissions(project);
    const lock = await documents.lock(project);
    if (permissions !== undefined || lock !== undefined) return { permissions: permissions ?? NOBODYS, lock };
    throw new GypsumError('not-found', `The project '${project}' does not exist.`, { details: { project } });
  }
}

const NOBODYS: Permissions = { owners: [], uploaders: [] };
