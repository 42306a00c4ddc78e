import { type Content, isMissing } from '../cache/contents.ts';
import type { Context } from '../context.ts';
import type { GypsumError } from '../errors.ts';
import { type AssetRef, formatRef, type VersionRef } from '../model/refs.ts';
import { showList } from '../model/text.ts';
import { comparePaths } from '../model/tree.ts';
import { offlineError } from '../registry/offline.ts';
import { type ContentParts, eachContent } from './content-parts.ts';
import { knownNames } from './records.ts';
import { sitePlaces } from './site-cache.ts';
import { readRememberedSummary } from './version-documents.ts';

/** What can be done about files that are missing where a choice of them was to be saved. */
const LEAVE_OUT = 'They can be left out (--exclude), and of a clone all of them (--no-download).';

/**
 * Throws `unavailable` naming what is not in the cache, where it is to work offline. `chosen` says that others of the
 * version's files might have been meant as well.
 */
export async function checkOffline(
  ctx: Context,
  ref: VersionRef,
  contents: ContentParts,
  { chosen }: { chosen: boolean },
): Promise<void> {
  if (!ctx.registry.isOffline) return;
  const missing: Content[] = [];
  for (const content of eachContent(contents)) {
    if (isMissing(ctx.cache.layout, content) && (await sitePlaces(ctx, content)).length === 0) missing.push(content);
  }
  if (missing.length > 0) throw contentsMissing(ref, missing, chosen ? LEAVE_OUT : undefined);
}

/** Gives the error for contents that would have to be fetched. */
export function contentsMissing(ref: VersionRef, missing: readonly Content[], hint?: string): GypsumError {
  const files = missing.flatMap((content) => content.files.map(({ path }) => path)).sort(comparePaths);
  const bytes = missing.reduce((sum, { size }) => sum + size, 0);
  const [noun, verb] = files.length === 1 ? ['file', 'is'] : ['files', 'are'];
  return offlineError(
    `${files.length.toLocaleString('en')} ${noun} of ${formatRef(ref)} (${bytes.toLocaleString('en')} bytes) ${verb} not in the cache: ${showList(files)}.`,
    { ...(hint !== undefined && { hint }), details: { ...ref, files, bytes } },
  );
}

/** Gives the error for the question which version is the latest: that of the newest one that is known may be old. */
export async function latestUnknown(ctx: Context, { project, asset }: AssetRef): Promise<GypsumError> {
  const known: { version: string; finish: number }[] = [];
  for (const version of await knownNames(ctx, project, asset)) {
    const finish = (await readRememberedSummary(ctx, { project, asset, version }))?.uploadFinish?.getTime();
    if (finish !== undefined) known.push({ version, finish });
  }
  const versions = known.sort((a, b) => b.finish - a.finish).map(({ version }) => version);
  const [newest] = versions;
  const ref = formatRef({ project, asset });
  return offlineError(`Which version of ${ref} is the latest is for the registry to say.`, {
    hint:
      newest === undefined
        ? `The cache knows no version of ${ref}.`
        : `The cache knows ${showList(versions)}: name one, such as ${formatRef({ project, asset, version: newest })}, the newest of them.`,
    details: { project, asset, versions },
  });
}
