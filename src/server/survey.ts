import { keys } from '../model/keys.ts';
import type { AssetRef, VersionRef } from '../model/refs.ts';
import type { ServerContext } from './context.ts';
import type { StoredManifest } from './documents.ts';

export type Needs = Pick<ServerContext, 'storage' | 'documents'>;

/** Counts the files of a version that are its own, links left out. Units: bytes */
export function ownFiles(manifest: StoredManifest): { files: number; bytes: number } {
  const sum = { files: 0, bytes: 0 };
  for (const { size, link } of manifest.values()) {
    if (link !== undefined) continue;
    sum.files++;
    sum.bytes += size;
  }
  return sum;
}

/** What of a version's content is its own. Units: bytes */
export function contentSize(manifest: StoredManifest): number {
  return ownFiles(manifest).bytes;
}

export async function* listProjects({ storage }: Needs): AsyncGenerator<string> {
  for await (const folder of storage.list('')) if (isNamed(folder, '')) yield folder.slice(0, -1);
}

export async function* listAssets({ storage }: Needs, project: string): AsyncGenerator<AssetRef> {
  const prefix = keys.project(project);
  for await (const folder of storage.list(prefix)) {
    if (isNamed(folder, prefix)) yield { project, asset: folder.slice(prefix.length, -1) };
  }
}

export async function* listVersions({ storage }: Needs, ref: AssetRef): AsyncGenerator<VersionRef> {
  const prefix = keys.asset(ref);
  for await (const folder of storage.list(prefix)) {
    if (isNamed(folder, prefix)) yield { ...ref, version: folder.slice(prefix.length, -1) };
  }
}

/**
 * Gives the version of an asset that was finished last and is not on probation, `except` left out.
 *
 * Of several that were finished at the same moment the one with the greatest name counts.
 */
export async function findLatest(needs: Needs, ref: AssetRef, except?: string): Promise<VersionRef | undefined> {
  let latest: VersionRef | undefined;
  let finish = Number.NEGATIVE_INFINITY;
  for await (const version of listVersions(needs, ref)) {
    if (version.version === except) continue;
    const summary = (await needs.documents.summary(version))?.value;
    if (summary?.upload_finish === undefined || summary.on_probation) continue;
    const finished = Date.parse(summary.upload_finish);
    if (finished < finish) continue;
    latest = version;
    finish = finished;
  }
  return latest;
}

/** Gives what the finished versions of an asset have of their own content. Units: bytes */
export async function measureAsset(needs: Needs, ref: AssetRef): Promise<number> {
  let total = 0;
  for await (const version of listVersions(needs, ref)) total += await measureVersion(needs, version);
  return total;
}

/** The same of one version; nothing for one that is not finished, whose content was never counted. Units: bytes */
export async function measureVersion({ documents }: Needs, ref: VersionRef): Promise<number> {
  const summary = (await documents.summary(ref))?.value;
  if (summary?.upload_finish === undefined) return 0;
  return contentSize((await documents.manifest(ref)) ?? new Map());
}

/** Whether a key that was listed is the folder of something with a name; names never begin with two dots. */
export function isNamed(key: string, prefix: string): boolean {
  return key.endsWith('/') && !key.startsWith('..', prefix.length);
}
