import { z } from 'zod';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import { type CallOptions, callOf } from '../events.ts';
import { keys } from '../model/keys.ts';
import { checkName } from '../model/names.ts';
import { showText } from '../model/text.ts';
import { parseDocument } from '../registry/documents.ts';
import { route } from '../registry/route.ts';
import { checkProjectExists } from './check-project.ts';

/** What holds a project. What a registry does not tell is left out. */
export interface ProjectLock {
  /** `upload`, or what the registry itself is doing with the project. */
  readonly work: string;
  readonly asset?: string;
  readonly version?: string;
  readonly user?: string;
  readonly since?: Date;
}

const wireLock = z.object({
  locked: z.boolean(),
  work: z.string().optional(),
  asset: z.string().optional(),
  version: z.string().optional(),
  user: z.string().optional(),
  since: z.iso.datetime({ offset: true }).optional(),
});

const wireLockFile = z.object({ asset: z.string(), version: z.string() });

/** Gives what holds a project, if anything does. Throws `not-found` without such a project. */
export async function fetchLock(
  ctx: Context,
  project: string,
  options: CallOptions = {},
): Promise<ProjectLock | undefined> {
  const name = checkName('project', project);
  const what = `Reading the lock of project "${showText(name)}"`;
  await checkProjectExists(ctx, name, options);
  if (!(await ctx.registry.features(options)).has('lock')) return readLockFile(ctx, name, what, options);
  const asked = { what, path: route('lock', name), answer: wireLock };
  const { locked, work = 'upload', asset, version, user, since } = await ctx.registry.look(asked, options);
  if (!locked) return undefined;
  return {
    work,
    ...(asset !== undefined && { asset }),
    ...(version !== undefined && { version }),
    ...(user !== undefined && { user }),
    ...(since !== undefined && { since: new Date(since) }),
  };
}

/** The registry's own note, where there is no more to be had. */
async function readLockFile(
  ctx: Context,
  project: string,
  what: string,
  options: CallOptions,
): Promise<ProjectLock | undefined> {
  try {
    const content = await ctx.registry.read(keys.lock(project), 64 * 1024, options);
    const { asset, version } = parseDocument(content.toString('utf8'), wireLockFile, what);
    return { work: 'upload', asset, version };
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}

/**
 * Ends the upload that holds a project, and says whether there was one; what it has sent goes. Owners may, and whose
 * upload it is.
 *
 * A registry without such a route has administrators free the project (see `unlockProject`): the version stays
 * unfinished then, until it is removed.
 */
export async function releaseProject(ctx: Context, project: string, options: CallOptions = {}): Promise<boolean> {
  const name = checkName('project', project);
  const call = callOf(options);
  call.signal?.throwIfAborted();
  const what = `Unlocking the project "${showText(name)}"`;
  const answer = z.object({ released: z.boolean() });
  return (await ctx.registry.ask({ what, method: 'POST', to: route('release', name), answer }, call)).released;
}
