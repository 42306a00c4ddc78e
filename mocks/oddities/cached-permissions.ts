import { keys } from '../../src/model/keys.ts';
import { route } from '../../src/registry/route.ts';
import { failed, readDocument } from './answers.ts';
import { parametersFor } from './parameters.ts';
import type { Oddity } from './world.ts';

/** Units: milliseconds */
const LIFETIME = 5 * 60_000;

interface Permissions {
  readonly owners: readonly string[];
  readonly uploaders: readonly unknown[];
}

/**
 * Who may upload to a project and judge probation is remembered for five minutes, also when the project was removed and
 * made anew; changing the permissions forgets it.
 */
export const cachedPermissions: Oddity = ({ ask }) => {
  const cached = new Map<string, { readonly permissions: Permissions; readonly until: number }>();
  return async (request, next) => {
    const changed = parametersFor(request, 'permissions');
    if (changed !== undefined) cached.delete(changed.project);
    const ref =
      parametersFor(request, 'start') ?? parametersFor(request, 'approve') ?? parametersFor(request, 'reject');
    if (ref === undefined) return next();
    const now = await readPermissions(ref.project);
    const { permissions: then, until = 0 } = cached.get(ref.project) ?? {};
    if (then === undefined || until < Date.now()) {
      if (now !== undefined) cached.set(ref.project, { permissions: now, until: Date.now() + LIFETIME });
      return next();
    }
    if (now === undefined) return failed(request, next);
    if (JSON.stringify(now) === JSON.stringify(then)) return next();
    await writePermissions(ref.project, then);
    try {
      return await next();
    } finally {
      await writePermissions(ref.project, now);
    }
  };

  async function readPermissions(project: string): Promise<Permissions | undefined> {
    const answer = await ask('GET', route('file', keys.permissions(project)));
    return answer.ok ? readDocument<Permissions>(answer) : undefined;
  }

  async function writePermissions(project: string, permissions: Permissions): Promise<void> {
    const answer = await ask('PUT', route('permissions', project), { document: permissions });
    if (!answer.ok) throw new Error(`The permissions of ${project} cannot be set: ${await answer.text()}`);
  }
};
