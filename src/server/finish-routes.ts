import type { ServerContext } from './context.ts';
import { abortVersion, checkArrived, completeVersion } from './finish.ts';
import { empty } from './http.ts';
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
        await completeVersion(context, ref, lock.session_hash);
      });
      return empty();
    },

    async abort(request, ref) {
      const token = sessionToken(request);
      await projects.run(ref.project, async () => {
        const lock = await requireSession(documents, token, ref);
        await abortVersion(context, ref, lock.session_hash);
      });
      return empty();
    },
  };
}
