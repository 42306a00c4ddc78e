import { sep } from 'node:path';
import type { Layout } from '../cache/layout.ts';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import { checkFileRef, type FileRef, fileRefOf } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { type After, isOwnSymlink, type Step } from '../tree/step.ts';
import { type ChangePlan, noPlan } from './change-plan.ts';

/**
 * Gives the files of the user's own cache that a plan needs there, some perhaps twice. Throws `invalid-argument` for a step that would make
 * anything of what is not the file of a version in a cache.
 */
export function* neededSources({ cache, site }: Context, plan: ChangePlan): Generator<FileRef> {
  const { project, asset, version, steps, fetch } = plan;
  for (const path of fetch) yield checkFileRef({ project, asset, version, path });
  for (const step of steps) {
    const source = sourceOf(step.after);
    if (source === undefined) continue;
    const file = fileAt(cache.layout, source);
    if (file !== undefined) {
      // Nearly all have the path of their step: texts of a million paths take 80 MB.
      if (isNeeded(step)) yield file.path === step.path ? { ...file, path: step.path } : file;
    } else if (site === undefined || fileAt(site.layout, source) === undefined) {
      throw noPlan(`${showText(step.path)} would become something else than a file of the cache`);
    }
  }
}

/** A link may dangle, but what has a content must not lose it. */
function isNeeded({ before, after }: Step): boolean {
  return after?.type === 'file' || before?.type === 'file';
}

/** Gives the paths at which steps make links to files of the user's own cache that are wanted there. */
export function linksToFetch(
  { cache }: Context,
  steps: readonly Step[],
  isWanted: (path: string) => boolean,
): string[] {
  return steps.flatMap(({ path, after }) => {
    const isOwn = after?.type === 'symlink' && fileAt(cache.layout, after.target) !== undefined;
    return isOwn && isWanted(path) ? [path] : [];
  });
}

function sourceOf(after: After | undefined): string | undefined {
  if (after === undefined || after.type === 'directory') return undefined;
  // The version's own lead wherever its record says.
  if (isOwnSymlink(after)) return undefined;
  return after.type === 'symlink' ? after.target : after.source;
}

/** Gives the file of a version that a path in a cache is. */
function fileAt({ bucket }: Layout, path: string): FileRef | undefined {
  if (!path.startsWith(bucket + sep)) return undefined;
  const file = fileRefOf(path.slice(bucket.length + 1).split(sep));
  try {
    return file === undefined ? undefined : checkFileRef(file);
  } catch (error) {
    if (isGypsumError(error, 'invalid-argument')) return undefined;
    throw error;
  }
}
