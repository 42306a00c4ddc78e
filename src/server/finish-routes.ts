import { formatRef } from '../model/refs.ts';
import type { ServerContext } from './context.ts';
import { checkArrived, completeVersion, endLock } from './finish.ts';
import { empty, refuse } from './http.ts';
import type { Handlers } from './routes.ts';
import { requireSession, sessionToken } from './session.ts';

/** Routes that end an upload. */
export function finishRoutes(context: ServerContext): Pick<Handlers, 'complete' | 'abort'> {
  const { documents, projects } = context;
  return {
    async complete(request, ref) {
      const token = sessionToken(request);
      await projects.run(ref.project, async () => {
        const lock = await requireSession(documents, token, ref);
        await checkArrived(context, ref);
        await completeVersion(context, ref, lock.value.session_hash);
      });
      return empty();
    },

    async abort(request, ref) {
      const token = sessionToken(request);
      await projects.run(ref.project, async () => {
        const lock = await requireSession(documents, token, ref);
        if ((await endLock(context, ref.project, lock)) === 'aborted') return;
        throw refuse(`The version ${formatRef(ref)} is complete and cannot be aborted.`, 403);
      });
      return empty();
    },
  };
}
