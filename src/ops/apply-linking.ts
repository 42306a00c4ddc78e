import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { makeFolder } from '../make-folder.ts';
import { showText } from '../model/text.ts';
import { comparePaths } from '../model/tree.ts';
import { applyEach } from './apply-each.ts';
import { changeRights } from './change-rights.ts';
import { checkLinkFolders } from './check-link-folders.ts';
import { checkLinkPlan } from './check-link-plan.ts';
import { countStates } from './count-states.ts';
import { LINK_STATES, type LinkedFile, type LinkPlan, type LinkResult } from './link-plan.ts';

export interface ApplyLinkingOptions extends CallOptions {
  /** End it all at the first file that cannot be linked. @default false */
  failFast?: boolean;
}

/**
 * Carries out a plan of `planLinking`, also one that was kept as JSON: each link takes the place of its file at once. What
 * has changed since is left alone, and is a failure of its own; an interrupted run is finished by another one. Throws
 * `invalid-argument` if this cannot be such a plan, `file-changed` if the destination is another folder by now.
 */
export async function applyLinking(plan: LinkPlan, options: ApplyLinkingOptions = {}): Promise<LinkResult> {
  return carryOutLinking(checkLinkPlan(plan), options);
}

/** Does it for a plan that was made or checked just now. */
export async function carryOutLinking(
  plan: LinkPlan,
  { failFast = false, signal, onEvent }: ApplyLinkingOptions = {},
): Promise<LinkResult> {
  const { source, destination, steps, protect } = plan;
  const made = prepareDestination(plan);
  const { failures, tried } = await applyEach(destination, steps, { failFast, signal, onEvent });
  const stopped = plan.stopped || tried < steps.length;
  const done = steps.slice(0, tried).filter(({ path }) => !failures.has(path));
  const folders = done.filter(({ after }) => after?.type === 'directory').map(({ path }) => path);
  const files = outcomes(plan.files, new Set(done.map(({ path }) => path)), failures);
  const linked = files.filter(({ state }) => state === 'linked' || state === 'already-linked');
  const unprotected =
    protect === undefined || stopped ? [] : await changeRights(source, destination, linked, protect, signal);
  return {
    source,
    destination,
    counts: countStates(LINK_STATES, files),
    files,
    folders: [...made, ...folders],
    unprotected,
    stopped,
  };
}

/** Makes the destination if that is wanted, and gives the folders that it made; throws if it is another one by now. */
function prepareDestination({ source, destination, createDst, stopped }: LinkPlan): string[] {
  const folders = checkLinkFolders(source, destination, createDst);
  if (folders.destination !== destination) {
    throw new GypsumError('file-changed', `${showText(destination)} is reached through a symlink by now.`, {
      hint: 'Nothing was changed. Plan it anew.',
      details: { directory: destination },
    });
  }
  if (!folders.isMissing || stopped) return [];
  makeFolder(destination);
  return [''];
}

/** Says of each file what has become of it, and of folders that could not be made. */
function outcomes(
  planned: readonly LinkedFile[],
  done: ReadonlySet<string>,
  failures: ReadonlyMap<string, string>,
): LinkedFile[] {
  const rest = new Map(failures);
  const files = planned.map((file): LinkedFile => {
    const message = failures.get(file.path);
    rest.delete(file.path);
    if (message !== undefined) return { ...file, state: 'failed', message };
    return done.has(file.path) ? { ...file, state: 'linked' } : file;
  });
  const others = [...rest].map(([path, message]): LinkedFile => ({ path, state: 'failed', message }));
  return others.length === 0 ? files : [...files, ...others].sort((a, b) => comparePaths(a.path, b.path));
}
