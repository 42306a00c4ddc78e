import type { Context } from '../context.ts';
import { type CallOptions, callOf } from '../events.ts';
import { checkName } from '../model/names.ts';
import { showText } from '../model/text.ts';

/**
 * Frees a project of an upload that nobody can end any more, such as one whose process was killed; only administrators
 * may. What that upload has sent stays unfinished. Does nothing if the project is not locked.
 */
export async function unlockProject(ctx: Context, project: string, options: CallOptions = {}): Promise<void> {
  const name = checkName('project', project);
  await ctx.registry.send(
    { what: `Unlocking the project "${showText(name)}"`, method: 'DELETE', to: `/unlock/${encodeURIComponent(name)}` },
    callOf(options),
  );
}
