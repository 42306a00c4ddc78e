import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { contentId } from '../model/content.ts';
import type { VersionRef } from '../model/refs.ts';
import type { PlannedFile, UploadLink } from '../model/upload-plan.ts';

/**
 * Divides the files that nothing is known of: of those with one content the first is sent, and the others become links to
 * it, where the registry says that it can make such links.
 */
export async function findEqual(
  ctx: Context,
  ref: VersionRef,
  files: readonly PlannedFile[],
  call: CallOptions,
): Promise<{ first: readonly PlannedFile[]; equal: readonly UploadLink[] }> {
  const sent = new Map<string, PlannedFile>();
  const equal: UploadLink[] = [];
  for (const file of files) {
    const first = sent.get(contentId(file));
    if (first === undefined) sent.set(contentId(file), file);
    else equal.push({ ...file, link: { ...ref, path: first.path } });
  }
  // Most folders have none, and nobody is asked.
  if (equal.length === 0 || !(await ctx.registry.features(call)).has('dedup')) return { first: files, equal: [] };
  return { first: [...sent.values()], equal };
}
