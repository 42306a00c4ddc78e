import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { showText } from '../model/text.ts';

/** Units: bytes. Permissions of thousands of users fit. */
const MAX_DOCUMENT = 1024 * 1024;

/** Throws `not-found` if the registry has no such project. */
export async function checkProjectExists(ctx: Context, project: string, call: CallOptions): Promise<void> {
  if (await isThere(ctx, keys.permissions(project), call)) return;
  throw noProject(project);
}

export function noProject(project: string, cause?: unknown): GypsumError {
  return new GypsumError('not-found', `There is no project ${showText(project)}.`, {
    hint: `List what there is with "gypsum projects". Administrators make one with "gypsum project create ${showText(project)}".`,
    details: { project },
    cause,
  });
}

/** Whether the registry has a small document. */
export async function isThere(ctx: Context, key: string, call: CallOptions): Promise<boolean> {
  try {
    await ctx.registry.read(key, MAX_DOCUMENT, call);
    return true;
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return false;
    throw error;
  }
}
