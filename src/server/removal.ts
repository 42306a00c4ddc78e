import { keys } from '../model/keys.ts';
import type { AssetRef, VersionRef } from '../model/refs.ts';
import type { ServerContext } from './context.ts';
import { findLatest, listAssets, listVersions, measureAsset, measureVersion } from './survey.ts';
import { deleteBelow } from './version.ts';

type Needs = Pick<ServerContext, 'storage' | 'documents'>;

/**
 * Removes a version, its bytes from the usage and its name from the latest.
 *
 * Whoever calls holds the project's lock for this `session`, and calls again what was interrupted: every step can be
 * done again and then changes nothing. The summary goes before the files, so that nobody sees half a version.
 */
export async function removeVersion(needs: Needs, ref: VersionRef, session: string): Promise<void> {
  const { documents } = needs;
  await discountUsage(needs, ref.project, session, () => measureVersion(needs, ref));
  if ((await documents.latest(ref))?.version === ref.version) {
    await documents.setLatest(ref, await findLatest(needs, ref, ref.version));
  }
  await deleteVersions(needs, [ref]);
  await deleteBelow(needs.storage, keys.version(ref));
}

/** Removes an asset in the same way. */
export async function removeAsset(needs: Needs, ref: AssetRef, session: string): Promise<void> {
  await discountUsage(needs, ref.project, session, () => measureAsset(needs, ref));
  await needs.documents.setLatest(ref, undefined);
  await deleteVersions(needs, listVersions(needs, ref));
  await deleteBelow(needs.storage, keys.asset(ref));
}

/** Removes a project in the same way, but for its lock. */
export async function removeProject(needs: Needs, project: string): Promise<void> {
  const { storage } = needs;
  await storage.delete(keys.permissions(project));
  for await (const asset of listAssets(needs, project)) {
    await needs.documents.setLatest(asset, undefined);
    await deleteVersions(needs, listVersions(needs, asset));
  }
  await deleteBelow(needs.storage, keys.project(project), keys.lock(project));
}

/** Takes bytes from a project's usage, once for a session. */
async function discountUsage(
  { documents }: Needs,
  project: string,
  session: string,
  measure: () => Promise<number>,
): Promise<void> {
  const usage = await documents.usage(project);
  if (usage === undefined || usage.metadata.session === session) return;
  await documents.writeUsage(project, { total: Math.max(0, usage.value.total - (await measure())) }, { session });
}

/** Makes versions disappear for whoever asks for them. */
async function deleteVersions(
  { storage }: Needs,
  versions: Iterable<VersionRef> | AsyncIterable<VersionRef>,
): Promise<void> {
  for await (const version of versions) await storage.delete(keys.summary(version));
}
