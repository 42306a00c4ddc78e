import { carryOutLinking } from './apply-linking.ts';
import { countStates } from './count-states.ts';
import { LINK_STATES, type LinkResult, type LinkStatus } from './link-plan.ts';
import { type LinkOptions, planLinking } from './plan-linking.ts';

/**
 * Has files of a folder become symlinks to those of another folder that have the same path and content, each at once and
 * never by removing it first; throws `invalid-argument` if the folders lie in each other so that files would be linked to
 * themselves. Nothing outside of the destination is changed, but for the permissions that `protect` asks for.
 *
 * What cannot be linked is in the result; twice is the same as once.
 */
export async function linkFolders(source: string, destination: string, options: LinkOptions = {}): Promise<LinkResult> {
  return carryOutLinking(await planLinking(source, destination, options), options);
}

/** Says what each file of a folder is to that of the same path in another one, without changing anything. */
export async function linkStatus(from: string, to: string, options: LinkOptions = {}): Promise<LinkStatus> {
  const { source, destination, files, stopped } = await planLinking(from, to, options);
  return { source, destination, counts: countStates(LINK_STATES, files), files, stopped };
}
