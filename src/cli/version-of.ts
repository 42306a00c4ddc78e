import { parseRef, type Ref, type VersionRef } from '../model/refs.ts';
import type { Call } from './command.ts';

/** Gives the version that a ref on the command line means: without a version, the latest. */
export async function versionOf(
  { client, signal, onEvent }: Pick<Call, 'client' | 'signal' | 'onEvent'>,
  ref: string | Ref,
): Promise<VersionRef> {
  const { project, asset, version } = typeof ref === 'string' ? parseRef(ref) : ref;
  if (version === undefined) return client().fetchLatest({ project, asset }, { signal, onEvent });
  return { project, asset, version };
}
