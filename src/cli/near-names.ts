import { distance } from 'fastest-levenshtein';
import type { Client } from '../client.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions, GypsumEvent } from '../events.ts';
import { formatFileRef, formatRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { withoutRecord } from '../model/version-tree.ts';

/** How many names are offered. */
const MOST = 3;

/** Units: milliseconds. A command has failed already: whoever waits for its message does not wait long. */
const PATIENCE = 5000;

/** Gives the names that may have been meant, the nearest first; as near as a command must be to be offered. */
function nearest(name: string, known: readonly string[]): string[] {
  const wanted = name.toLowerCase();
  return known
    .map((one) => ({ one, edits: distance(wanted, one.toLowerCase()), length: Math.max(name.length, one.length) }))
    .filter(({ edits, length }) => edits <= 3 && edits < 0.6 * length)
    .sort((a, b) => a.edits - b.edits)
    .slice(0, MOST)
    .map(({ one }) => one);
}

/**
 * Gives the line that offers names that exist near the one that does not, after a `not-found` that says which project,
 * asset, version or file was meant; nothing for another error, or if there are none or the registry cannot be asked.
 */
export async function didYouMean(client: Client, error: unknown, signal: AbortSignal): Promise<string | undefined> {
  if (!isGypsumError(error, 'not-found')) return undefined;
  const enough = new AbortController();
  const options = {
    signal: AbortSignal.any([signal, enough.signal, AbortSignal.timeout(PATIENCE)]),
    // What fails now is not tried again.
    onEvent: ({ type }: GypsumEvent) => type === 'retry' && enough.abort(),
  };
  try {
    const near = await nearRefs(client, error.details, options);
    if (near.length === 0) return undefined;
    const last = near.at(-1);
    return `Did you mean ${near.length === 1 ? last : `${near.slice(0, -1).join(', ')} or ${last}`}?`;
  } catch (failure) {
    // The message that matters has been found; this one would only hide it.
    if (isGypsumError(failure) || options.signal.aborted) return undefined;
    throw failure;
  }
}

/** Looks for the first name that does not exist, from the project on. */
async function nearRefs(
  client: Client,
  { project, asset, version, path }: Readonly<Record<string, unknown>>,
  options: CallOptions,
): Promise<string[]> {
  if (typeof project !== 'string') return [];
  const projects = await client.listProjects(options);
  if (!projects.includes(project)) return nearest(project, projects).map(showText);
  if (typeof asset !== 'string') return [];
  const assets = await client.listAssets(project, options);
  if (!assets.includes(asset)) return nearest(asset, assets).map((near) => formatRef({ project, asset: near }));
  if (typeof version !== 'string') return [];
  const ref = { project, asset, version };
  const versions = await client.listVersions(ref, options);
  if (!versions.includes(version))
    return nearest(version, versions).map((near) => formatRef({ ...ref, version: near }));
  if (typeof path !== 'string') return [];
  const paths = Object.keys(withoutRecord(await client.fetchManifest(ref, options)));
  return nearest(path, paths).map((near) => formatFileRef({ ...ref, path: near }));
}
