import type { Context } from '../context.ts';
import { type CallOptions, callOf } from '../events.ts';
import { keys } from '../model/keys.ts';
import { checkName } from '../model/names.ts';
import { showText } from '../model/text.ts';
import { checkProjectExists, isThere } from './check-project.ts';

/**
 * Frees a project of an upload that nobody can end any more, such as one whose process was killed; only administrators
 * may. What that upload has sent stays unfinished. Says whether the project was locked; throws `not-found` without one.
 */
export async function unlockProject(ctx: Context, project: string, options: CallOptions = {}): Promise<boolean> {
  const name = checkName('project', project);
  const call = callOf(options);
  call.signal?.throwIfAborted();
  await checkProjectExists(ctx, name, call);
  const locked = await isThere(ctx, keys.lock(name), call);
  const what = `Unlocking the project "${showText(name)}"`;
  await ctx.registry.send({ what, method: 'DELETE', to: `/unlock/${encodeURIComponent(name)}` }, call);
  return locked;
}
